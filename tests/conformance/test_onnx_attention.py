"""The ONNX standard's own test cases of the operator `Attention`, all of them, none left out."""

from pathlib import Path

import onnx
import onnx.backend.test.case.node.attention  # makes its cases: of all operators, it takes seconds
import pytest
from onnx.backend.test.case import node as made
from onnx.backend.test.runner import Runner

from tests.conformance.onnx_adapter import INPUTS, OUTPUTS, onnx_attention

KNOWN = Path(__file__).with_name("onnx_cases.txt").read_text(encoding="utf-8").split()


def attention_cases():
    """Return every case by name, but not the same data for the operator written as a graph."""
    return {
        case.name: case
        for case in made._NodeTestCases
        if case.name.startswith("test_attention_") and not case.name.endswith("_expanded")
    }


CASES = attention_cases()


def test_the_installed_onnx_makes_every_case():
    missing = [name for name in KNOWN if name not in CASES]
    assert not missing, f"onnx {onnx.__version__} makes no data for {', '.join(missing)}"


@pytest.mark.parametrize("name", CASES)
def test_onnx_case(name):
    case = CASES[name]
    (node,) = case.model.graph.node
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    used_inputs, used_outputs = used(INPUTS, node.input), used(OUTPUTS, node.output)
    assert case.data_sets
    for arrays, expected in case.data_sets:
        inputs = dict(zip(used_inputs, arrays, strict=True))
        results = dict(zip(OUTPUTS, onnx_attention(**inputs, **attributes), strict=True))
        found = [results[output] for output in used_outputs]
        assert len(found) == len(expected)
        # ONNX's own comparison: types, shapes, and the tolerances that come with the case.
        Runner.assert_similar_outputs(expected, found, case.rtol, case.atol)


def used(formal, actual):
    """Return the operator's names of what a node uses; it leaves out by giving an empty name."""
    return [name for name, given in zip(formal, actual, strict=False) if given]
