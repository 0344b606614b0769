"""The context page's tables."""

import numpy as np
import pytest

from attention.analysis.words import Unit, View
from attention.context import frames as context_frames
from attention.context import rnn_cnn
from attention.context.far_words import FarAttention
from attention.context.layer_costs import LayerTime, prices


def test_every_line_of_reach_sums_to_one_and_keeps_the_value():
    frame = context_frames.reach_frame(
        ("a", "b"), {"x": np.array([1.0, 3.0]), "y": np.array([0.0, 0.5])}
    )
    assert frame.groupby("series")["share"].sum().tolist() == [1, 1]
    assert frame["share"].tolist() == [0.25, 0.75, pytest.approx(0), 1]
    assert frame["value"].tolist() == [1, 3, 0, 0.5]
    assert frame["back"].tolist() == [1, 0, 1, 0]
    assert (frame["share"] > 0).all()  # for a logarithmic axis


def test_reach_of_nothing_at_all_is_finite():
    frame = context_frames.reach_frame(("a",), {"x": np.zeros(1)})
    assert np.isfinite(frame["share"]).all()


def test_the_cone_has_a_node_per_word_and_layer_and_only_links_that_count():
    dilated = (1, 2)
    reached = rnn_cnn.cone(3, dilated, 7, 3)
    frame = context_frames.cone_frame(reached, dilated, 3, range(7), list("abcdefg"))
    nodes, links = (frame[frame["kind"] == kind] for kind in ("node", "link"))
    assert len(nodes) == 21
    assert nodes["inside"].sum() == 7 + 3 + 1
    assert len(links) == 3 * 3 + 3  # three words of the layer below for each of 3, and for 1
    assert set(links.loc[links["layer"] == 1, "k"]) == {1, 3, 5}
    assert (links["above"] == links["layer"] + 1).all()


def test_a_window_of_the_cone_leaves_out_what_lies_beyond():
    reached = rnn_cnn.cone(3, (4,), 9, 4)
    frame = context_frames.cone_frame(reached, (4,), 3, range(2, 7), list("abcdefghi"))
    links = frame[frame["kind"] == "link"]
    assert links[["k", "to"]].values.tolist() == [[4, 4]]


def test_offsets_leave_out_what_the_text_does_not_have():
    row = np.array([np.nan, 0.4, 0.6])
    frame = context_frames.offset_frame(1, [[row]], [("", "a", "b")])
    assert frame[["offset", "word", "weight"]].values.tolist() == [[0, "a", 0.4], [1, "b", 0.6]]


def far(tokens, distance, weight, rank):
    row = np.array([[[0.1, 0.7, 0.2]]])
    return FarAttention(tokens, distance, np.array([[weight]]), np.array([[rank]]), row)


def test_far_looks_become_a_row_for_each_distance():
    looks = [far(10, 4, 0.5, 1), far(20, 14, 0.25, 2)]
    frame = context_frames.far_frame({"one": (looks, (0, 0))})
    assert frame["distance"].tolist() == [4, 14]
    assert frame["weight"].tolist() == [0.5, 0.25]
    assert frame["rank"].tolist() == [1, 2]
    assert frame["even"].tolist() == [0.1, 0.05]


def test_what_is_read_most_comes_first():
    frame = context_frames.most_attended_frame(far(3, 1, 0.1, 3), (0, 0), ("a", "b", "c"), 2)
    assert frame["Token"].tolist() == ["b", "c"]
    assert frame["Weight"].tolist() == [0.7, 0.2]
    assert frame["Number"].tolist() == [1, 2]


def test_the_row_of_a_word_marks_the_word():
    units = tuple(Unit(label, (k,), False) for k, label in enumerate("ab"))
    view = View(units, np.array([[[[0.25, 0.75], [1.0, 0.0]]]]), np.zeros((1, 1, 2)))
    frame = context_frames.pair_row_frame(view, 0, (0, 0))
    assert frame["weight"].tolist() == [0.25, 0.75]
    assert frame["is_query"].tolist() == [True, False]


def test_only_the_first_line_has_the_bare_word():
    series = {"same": np.array([0.9, 0.8]), "other": np.array([0.1, np.nan])}
    frame = context_frames.similarity_frame(1.0, series)
    assert frame[["stage", "series", "cosine"]].values.tolist() == [
        [0, "same", 1.0],
        [1, "same", 0.9],
        [2, "same", 0.8],
        [1, "other", 0.1],
    ]


def test_the_table_of_prices_has_the_readers_numbers_and_times():
    times = [LayerTime("recurrent", 100, 2e-3, 1e-3, 3e-3, 3)]
    frame = context_frames.price_frame(prices(100, 64, 3), times, 100).set_index("Layer")
    assert frame.loc["recurrent"].tolist() == [
        "O(n)", "99", "O(n)", "100", "O(n · d²)", "409,600", "2 ms",
    ]  # fmt: skip
    assert frame.loc["self-attention", "Measured"] == "not measured"


def test_times_are_shown_in_words_too():
    frame = context_frames.layer_time_frame([LayerTime("recurrent", 16, 2e-3, 1e-3, 3e-3, 3)])
    assert frame.loc[0, ["median_text", "low_text", "high_text"]].tolist() == [
        "2 ms",
        "1 ms",
        "3 ms",
    ]
