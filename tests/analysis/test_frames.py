import numpy as np
import pytest

from attention import blend
from attention.analysis import frames
from attention.analysis.words import Unit, View


def small_view():
    weights = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    units = tuple(Unit(label, (i,), False) for i, label in enumerate("abab"))
    return View(units, weights, np.zeros((1, 1, 4), np.float32))


def test_a_map_row_is_what_one_word_asks():
    frame = frames.map_frame(small_view(), [(0, 0)], range(4))
    cell = frame[(frame["q"] == 1) & (frame["k"] == 2)].iloc[0]
    assert (cell["query"], cell["key"], cell["weight"]) == ("b", "a", 6)


def test_a_window_of_a_map_keeps_positions():
    frame = frames.map_frame(small_view(), [(0, 0), (0, 0)], range(2, 4))
    assert frame["map"].tolist() == [0] * 4 + [1] * 4
    assert frame["q"].tolist()[:4] == [2, 2, 3, 3]
    assert frame["weight"].tolist()[:4] == [10, 11, 14, 15]


def test_a_binned_map_has_the_largest_weight_of_each_bin():
    frame = frames.binned_frame(small_view(), [(0, 0)], 2)
    assert frame["weight"].tolist() == [5, 7, 13, 15]
    assert frame[["q", "to_q", "k", "to_k"]].values.tolist()[1] == [0, 2, 2, 4]
    assert (frame["queries"].iloc[1], frame["keys"].iloc[1]) == ("0 to 1", "2 to 3")


def test_a_text_of_fewer_words_than_bins_has_one_a_word():
    whole = frames.binned_frame(small_view(), [(0, 0)], 9)
    assert whole["weight"].tolist() == list(range(16))


def test_no_chosen_head_gives_no_rows():
    assert frames.map_frame(small_view(), [], range(4)).empty


def test_repeated_words_stay_apart_and_have_their_colours():
    now = blend(np.full(4, 0.25), np.eye(4))
    frame = frames.blend_frame(
        list("abab"), [4, 0, 4, 1], now, now.output, ["north"], np.eye(4)[:1]
    )
    assert frame["k"].tolist() == [0, 1, 2, 3]
    assert frame["colour"].tolist() == [4, 0, 4, 1]


def test_a_blend_between_two_meanings_has_a_place_now_and_before():
    frame = frames.leaning_frame(0.5, -0.25, "bank, now").set_index("when")
    assert frame["at"].to_dict() == {"start": 0.5, "now": -0.25}
    assert frame.loc["now", "from"] == 0.5
    assert frame["said"].tolist() == ["at the start +0.50", "bank, now -0.25"]


def test_stacks_add_up_to_the_total():
    now = blend([0.25, 0.75], [[1.0, 0.0], [0.0, 1.0]])
    before = blend([0.5, 0.5], [[1.0, 0.0], [0.0, 1.0]]).output
    frame = frames.blend_frame(["x", "y"], [0, 1], now, before, ["east", "north"], np.eye(2))
    east = frame[frame["meaning"] == "east"]
    assert east["part"].sum() == pytest.approx(east["total"].iloc[0])
    assert east["total"].iloc[0] == pytest.approx(0.25 / np.hypot(0.25, 0.75))
    assert east["before"].iloc[0] == pytest.approx(np.sqrt(0.5))


def test_dimensions_are_those_furthest_from_zero():
    now = blend([1.0], [[0.1, -5.0, 0.2, 3.0]])
    frame = frames.dimension_frame(["x"], [0], now, np.zeros(4), count=2)
    assert frame["meaning"].tolist() == ["dim 1", "dim 3"]
    assert frame["part"].tolist() == [-5, 3]


def test_domain_holds_every_stack_and_mark():
    now = blend([0.5, 0.5], [[2.0, -0.2], [-0.6, -0.4]])
    frame = frames.dimension_frame(["x", "y"], [0, 1], now, np.array([0.1, -0.9]), count=2)
    low, high = frames.stack_domain(frame, 0.25)
    assert low <= -0.9
    assert high >= 1.0
    assert low % 0.25 == 0
    assert high % 0.25 == 0


def test_heads_are_numbered_by_layer_and_head():
    frame = frames.head_frame(np.array([[1.0, 2.0], [3.0, 4.0]]), [(1, 0)])
    assert frame[frame["chosen"]][["layer", "head", "value"]].values.tolist() == [[1, 0, 3]]
