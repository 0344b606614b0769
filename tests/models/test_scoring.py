"""Caps, biases by distance and windows: by pencil, by slow loops, and in blocks of long texts."""

import math

import numpy as np
import pytest

from attention.core import softmax
from attention.edits import Add, Cut
from attention.models.scoring import Scoring, bias_by_distance
from tests.models import tiny

POSITIONS = 260
WORDS = " ".join(tiny.WORDS[i % 10] for i in range(230))


def test_a_window_of_two_leaves_a_key_and_the_one_before_it():
    seen = Scoring(windows=(None, 2)).in_place(np.zeros((1, 4, 4)), layer=1)
    below = np.tri(4, dtype=bool)
    assert np.isneginf(seen[0][below]).tolist() == [
        False, False, False, True, False, False, True, True, False, False,
    ]  # fmt: skip
    assert not np.isneginf(Scoring(windows=(None, 2)).in_place(np.zeros((1, 4, 4)), 0)).any()


def test_a_cap_bends_large_scores_and_leaves_small_ones():
    scores = np.array([[[0.01, -0.01, 500.0, -500.0]]])
    capped = Scoring(cap=50.0).in_place(scores, 0)
    np.testing.assert_allclose(capped, [[[0.01, -0.01, 50, -50]]], rtol=1e-6)


def slow_bucket(apart, buckets=32, farthest=128):
    half = buckets // 2
    start, distance = (half if apart > 0 else 0), abs(apart)
    if distance < half // 2:
        return start + distance
    growth = math.log(distance / (half // 2)) / math.log(farthest / (half // 2))
    return start + min(half // 2 + int(growth * (half - half // 2)), half - 1)


def test_distances_share_biases_as_a_slow_loop_says():
    learned = np.arange(64, dtype="f4").reshape(32, 2)
    bias = bias_by_distance(learned)
    assert bias.shape == (2, 257)
    for apart in range(-128, 129):
        assert bias[:, apart + 128].tolist() == learned[slow_bucket(apart)].tolist(), apart
    far = Scoring(bias=bias).in_place(np.zeros((2, 1, 300)), 0)
    assert (far[:, 0, 128:] == far[:, :, 128]).all()


@pytest.fixture(scope="module", params=["mpnet", "gemma2", "gemma3_text", "mistral"])
def long_model(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("long") / "m"
    sizes = {"max_position_embeddings": POSITIONS}
    if request.param != "mpnet":
        sizes["sliding_window"] = 70
    return tiny.loader(request.param).from_folder("m", tiny.write(folder, request.param, **sizes))


@pytest.mark.parametrize("edits", [(), (Add(1.0, queries=(150,), keys=(100,)), Cut(keys=(120,)))])
def test_long_texts_in_blocks_and_threads_have_the_same_scores(long_model, edits):
    trace = long_model.trace(WORDS, edits)
    assert len(trace.tokens) == 230
    np.testing.assert_allclose(softmax(trace.scores), trace.weights, rtol=0, atol=2e-6)
    for layer, window in enumerate(trace.scoring.windows):
        if window is not None:
            assert not trace.weights[layer, :, 200, : 201 - window].any()
            assert trace.weights[layer, :, 200, 201 - window].all()


def test_a_table_of_a_head_has_what_the_window_leaves_only(long_model):
    trace = long_model.trace(WORDS)
    table = trace.to_frame(0, 1)
    window = trace.scoring.window(0)
    if window is None:
        assert len(table) == 230**2
    else:
        assert len(table) == sum(min(q + 1, window) for q in range(230))
    assert np.isfinite(table["score"]).all()
