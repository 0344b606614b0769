"""The lesson's tables."""

import numpy as np
import pytest

from attention.lesson import frames as lesson_frames
from attention.lesson.minimal_pairs import FIRST, SECOND, TURNS, WRONG

# sentence, candidate, layer, head: turns, always first, always second, turns against
WEIGHTS = np.array([[[[3, 3, 1, 1]], [[1, 1, 3, 3]]], [[[1, 3, 1, 3]], [[3, 1, 3, 1]]]]) / 10


def test_pair_frame():
    frame = lesson_frames.candidate_frame(WEIGHTS, (0, 1), ["cat", "mat"])
    assert frame["word"].tolist() == ["cat", "mat", "cat", "mat"]
    assert frame["sentence"].tolist() == [1, 1, 2, 2]
    assert frame["meant"].tolist() == [True, False, False, True]
    assert frame["weight"].tolist() == [0.3, 0.1, 0.3, 0.1]
    assert frame["mean"].tolist() == pytest.approx([0.2] * 4)


def test_outcome_frame():
    frame = lesson_frames.outcome_frame(WEIGHTS, (0, 2))
    assert frame["outcome"].tolist() == [TURNS, FIRST, SECOND, WRONG]
    assert frame["chosen"].tolist() == [False, False, True, False]
    assert frame.loc[3, ["w11", "w12", "w21", "w22"]].tolist() == [0.1, 0.3, 0.3, 0.1]


def test_removal_frame():
    orders = [("a", 0, [(0, 0)]), ("b", 1, [(0, 0)])]
    frame = lesson_frames.removal_frame(orders, (0, 1), np.array([[0.0, 0.1], [0.2, 0.3]]))
    assert frame.to_numpy().tolist() == [
        ["a", 0, 0, 0.0], ["a", 0, 1, 0.1], ["b", 1, 0, 0.2], ["b", 1, 1, 0.3]
    ]  # fmt: skip


def test_alike_frame_has_each_pair_once():
    frame = lesson_frames.alike_frame(np.array([[0, 1, 2], [1, 0, 3], [2, 3, 0.0]]), 2)
    assert frame[["one", "other", "bits"]].to_numpy().tolist() == [
        ["L0 H1", "L0 H0", 1.0], ["L1 H0", "L0 H0", 2.0], ["L1 H0", "L0 H1", 3.0]
    ]  # fmt: skip


def test_score_frame():
    scores = lesson_frames.score_frame({"coin": (0.5, 0.25)})
    assert scores.iloc[0].tolist() == ["coin", 50.0, 25.0]
