import numpy as np
import pytest

from attention.analysis.frames import head_frame
from attention.analysis.words import Unit, View
from attention.edits import Add, Cut, CutHeads, SetRow
from attention.interventions import charts, frames, wording
from attention.interventions.effects import NextToken
from attention.interventions.pruning import LEAST, RANDOM, Order
from attention.models.trace import Tokens

TOKENS = ("The", "cat", "sat")
VIEW = View(
    tuple(Unit(token, (i,), False) for i, token in enumerate(TOKENS)),
    np.tril(np.full((1, 1, 3, 3), 0.5, np.float32)),
    np.zeros((1, 1, 3)),
    is_causal=True,
)


def test_next_tokens_keep_their_order_and_say_which_are_pinned():
    changes = [NextToken(7, 0.1, 0.3), NextToken(2, 0.5, 0.4)]
    frame = frames.next_frame(changes, "#{}".format, pinned=1)
    assert frame.to_numpy().tolist() == [[0, "#7", 0.1, 0.3, True], [1, "#2", 0.5, 0.4, False]]


def test_a_curve_has_a_row_for_each_strength_and_series():
    frame = frames.curve_frame([-1, 2], ["a", "b"], np.array([[1, 2], [3, 4]]))
    assert frame.to_numpy().tolist() == [[-1, "a", 1], [-1, "b", 2], [2, "a", 3], [2, "b", 4]]


def test_masked_cells_are_absent_and_cut_ones_stay():
    weights = np.zeros((3, 3))
    frame = frames.cut_frame(VIEW, 0, weights, range(3), {(2, 0)})
    assert len(frame) == 6
    assert (frame["k"] <= frame["q"]).all()
    assert frame[frame["cut"]][["query", "key"]].to_numpy().tolist() == [["sat", "The"]]


def test_random_orders_become_a_band():
    orders = [Order(LEAST, 0, []), Order(RANDOM, 0, []), Order(RANDOM, 1, [])]
    effects = np.array([[0.0, 1.0], [0.0, 2.0], [1.0, np.nan]])
    frame = frames.band_frame(orders, (0, 1), effects)
    assert frame.to_numpy().tolist() == [
        [LEAST, 0, 0, 0, 0], [LEAST, 1, 1, 1, 1], [RANDOM, 0, 0.5, 0, 1],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (CutHeads(((0, 4), (3, 1))), "L0 H4, L3 H1 ablated"),
        (Cut(keys=(0,)), "cut from every token to 0 The, in every head"),
        (
            Cut(queries=(1, 2), keys=(0,), layers=(2,), renormalise=False),
            "cut from 1 cat, 2 sat to 0 The, in every head of layer 2, the rest of the row "
            "as it was",
        ),
        (
            Add(-2.0, queries=(2,), keys=(1,), heads=(3, 5)),
            "-2 on the scores of 2 sat for 1 cat, in heads 3, 5 of every layer",
        ),
        (
            Add(1.0, layers=(1, 2), heads=(0,)),
            "+1 on the scores of every token for every token, in head 0 of layers 1, 2",
        ),
        (SetRow((1.0,), (0,), (1,), (2,)), "a row of weights set for 0 The, in L1 H2"),
    ],
)  # fmt: skip
def test_edits_in_words(edit, text):
    tokens = Tokens("The cat sat", np.arange(3), TOKENS, ((0, 3), (4, 7), (8, 11)), (False,) * 3)
    assert wording.edit_text(edit, VIEW.units, tokens) == text


def columns_used(spec):
    layers = spec.get("layer", [spec])
    computed = {
        step["as"] for x in (spec, *layers) for step in x.get("transform", ()) if "as" in step
    }
    parts = [p for x in layers for c in x.get("encoding", {}).values()
             for p in (c if isinstance(c, list) else [c])]  # fmt: skip
    return {part["field"] for part in parts if "field" in part} - computed


def test_odds_and_probabilities_are_drawn_on_a_logarithmic_axis():
    for ratios, scale in ((True, {"type": "log", "nice": False, "padding": 8}),
                          (False, {"domainMin": 0})):  # fmt: skip
        chart = charts.strength_curve(
            head_frame(np.ones((1, 1)), []), series=("a",), title="odds", percent=False,
            chosen=1.0, ratios=ratios,
        )  # fmt: skip
        spec = chart.to_dict()
        assert spec["layer"][-1]["encoding"]["y"]["scale"] == scale
        even = [x for x in spec["layer"] if x["encoding"].get("y") == {"datum": 1.0}]
        assert len(even) == ratios  # where both answers are as probable


@pytest.mark.parametrize(
    ("chart", "frame"),
    [
        (
            charts.next_bars(
                head_frame(np.ones((1, 1)), []), labels=("a",), highest=1.0, title="p"
            ),
            frames.next_frame([NextToken(1, 0.1, 0.2)], str, 0),
        ),
        (
            charts.moved_bars(head_frame(np.ones((1, 1)), []), labels=("a",), highest=1.0, count=1),
            frames.moved_frame(["a"], np.ones(1), [0]),
        ),
        (
            charts.strength_curve(
                head_frame(np.ones((1, 1)), []), series=("a",), title="odds", percent=False,
                chosen=1.0,
            ),
            frames.curve_frame([1], ["a"], np.ones((1, 1))),
        ),
        (
            charts.cut_map(head_frame(np.ones((1, 1)), []), labels=TOKENS, count=3),
            frames.cut_frame(VIEW, 0, VIEW.weights[0, 0], range(3), set()),
        ),
        (
            charts.effect_grid(
                head_frame(np.ones((1, 1)), []), title="e", domain=(0.0, 1.0), layers=1, heads=1,
                signed=True, row=12,
            ),
            frames.effect_frame(np.ones((1, 1)), np.ones((1, 1), bool), []),
        ),
        (
            charts.pruning_curve(
                head_frame(np.ones((1, 1)), []), orders=(LEAST,), heads=2, title="e", limit=0.1
            ),
            frames.band_frame([Order(LEAST, 0, [])], (0,), np.zeros((1, 1))),
        ),
    ],
)  # fmt: skip
def test_charts_read_columns_that_are_there(chart, frame):
    used = columns_used(chart.to_dict())
    assert used
    assert used <= set(frame)


def test_estimated_effects_are_told_from_measured_ones():
    frame = frames.effect_frame(np.array([[0.5, 0.1]]), np.array([[True, False]]), [(0, 1)])
    assert frame[["name", "value", "how", "chosen"]].values.tolist() == [
        ["L0 H0", 0.5, "ablated", False],
        ["L0 H1", 0.1, "estimated", True],
    ]
