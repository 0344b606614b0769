"""Files as transformers saves them, of every head, with old names and few settings.

Held to what transformers computes from the very same files: as stored, and where it is installed
as computed anew.
"""

import json
from pkgutil import resolve_name

import pytest

from attention.models import registry
from tests.models import checkpoints, tiny
from tests.rounding import assert_rounded

STORED = checkpoints.stored()
DEFAULTS = STORED.pop("defaults")


def check(case, folder, expected):
    """Compare every attention weight and, where there is a head, every logit."""
    tiny.write_tokenizer(folder)
    model = resolve_name(registry.ARCHITECTURES[case.kind]).from_folder("tiny", folder)
    words = [tiny.WORDS[i] for i in checkpoints.ids_of(case)]
    first, second = words[: case.second], words[case.second :]
    told = {} if case.second is None else {"pair": " ".join(second)}
    trace = model.trace(" ".join(first), **told)
    assert trace.input.ids.tolist() == checkpoints.ids_of(case)
    found = {"weights": trace.weights}
    assert getattr(model, "predicts", False) == ("logits" in expected)
    if "logits" in expected:
        found["logits"] = model.logits(trace.hidden[-1])
    for part, ours in found.items():
        exact = expected[f"exact {part}"]
        assert_rounded(ours, expected[part], exact, layers=len(trace.weights))


@pytest.mark.parametrize("kind", DEFAULTS)
def test_a_config_without_settings_has_those_that_transformers_assumes(kind):
    sizes = resolve_name(registry.ARCHITECTURES[kind]).config_class
    told = json.loads(str(DEFAULTS[kind]))
    assert told["model_type"] == kind
    assert sizes.from_dict({"model_type": kind}) == sizes.from_dict(told)


def test_every_case_is_stored():
    assert list(STORED) == list(checkpoints.CASES)


@pytest.mark.parametrize("name", STORED)
def test_a_file_gives_what_transformers_computed(tmp_path, name):
    for file in checkpoints.FILES:
        (tmp_path / file).write_bytes(STORED[name][file])
    check(checkpoints.CASES[name], tmp_path, STORED[name])


@pytest.mark.parametrize("name", checkpoints.CASES)
def test_a_file_gives_what_transformers_computes(tmp_path, name):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    case = checkpoints.CASES[name]
    checkpoints.save(case, tmp_path)
    check(case, tmp_path, checkpoints.computed(case, tmp_path))
