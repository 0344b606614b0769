"""Two models beside each other, shared keys and values, rotation."""

import numpy as np
import pytest

from attention import beside, beside_frames, rope, words
from attention.charts.distance import distance_lines
from attention.models.gpt2 import Gpt2
from attention.models.llama import Llama
from attention.sharing import Sharing, divergence, sharing
from attention.words import Unit, View
from tests.models import tiny

TEXT = "the cat sat on the mat it was"


def view(text, weights=None, *, is_causal=False):
    units = tuple(Unit(word, (i,), False) for i, word in enumerate(text.split()))
    size = len(units)
    if weights is None:
        weights = np.full((1, 2, size, size), 1 / max(size, 1))
    return View(units, weights, np.zeros(weights.shape[:-1]), is_causal)


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return Llama.from_folder("tiny", tiny.write(tmp_path_factory.mktemp("l") / "m", "llama"))


@pytest.mark.parametrize(
    ("one", "other", "pairs"),
    [
        ("a b c", "A B C", [(0, 0), (1, 1), (2, 2)]),
        ("[CLS] a b [SEP]", "a b", [(1, 0), (2, 1)]),
        ("a b a c", "a a c", [(0, 0), (2, 1), (3, 2)]),
        ("a b", "c d", []),
        ("a", "", []),
    ],
)
def test_words_are_aligned_in_order(one, other, pairs):
    assert beside.aligned(view(one), view(other)) == pairs


def test_the_share_that_goes_to_later_words_by_hand():
    weights = np.array([[[[0.2, 0.8], [0.5, 0.5]]]])
    np.testing.assert_allclose(beside.later_share(view("a b", weights)), [[[0.8, 0.0]]])


def test_a_decoder_gives_nothing_to_later_words(llama):
    assert not beside.later_share(words.view(llama.trace(TEXT))).any()


def test_masked_cells_of_the_decoder_are_absent_from_the_maps():
    encoder, decoder = view("[CLS] a b"), view("a b", is_causal=True)
    pairs = beside.aligned(encoder, decoder)
    frame = beside_frames.beside_frame((encoder, decoder), [(0, 0), (0, 1)], ("E", "D"), pairs)
    cells = frame.groupby("name")[["q", "k"]].apply(lambda part: part.to_numpy().tolist())
    assert cells["E"] == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert cells["D"] == [[0, 0], [1, 0], [1, 1]]
    assert set(frame["key"]) == {"a", "b"}


def test_sharing_by_hand():
    found = Sharing(heads=6, groups=2, layers=3, width=4)
    assert [found.siblings(head) for head in (0, 2, 5)] == [[0, 1, 2], [0, 1, 2], [3, 4, 5]]
    assert found.token_bytes(2) == 2 * 3 * 2 * 4 * 4
    assert found.token_bytes(6, number_bytes=2) == 2 * 3 * 6 * 4 * 2


def test_sharing_of_a_trace(llama, tmp_path):
    assert sharing(llama.trace(TEXT)) == Sharing(heads=4, groups=2, layers=3, width=4)
    gpt2 = Gpt2.from_folder("tiny", tiny.write(tmp_path / "m", "gpt2"))
    found = sharing(gpt2.trace(TEXT))
    assert found.groups == found.heads


def test_heads_of_a_group_that_read_the_same_are_no_bits_apart():
    first, second = np.eye(2), np.eye(2)[::-1]
    weights = np.stack([first, first, second, second])[None]  # (1, 4, 2, 2)
    assert divergence(view("a b", weights), groups=2) == (0.0, 1.0)
    inside, across = divergence(view("a b", weights[:, :1]), groups=1)
    assert np.isnan(inside)
    assert np.isnan(across)


def test_mean_scores_by_a_slow_loop(llama):
    trace = llama.trace(TEXT)
    found = rope.mean_scores(llama, trace, 1, 3)
    made = llama.unrotated(1, trace.hidden[1])
    for scores, q, k in (
        (found.rotated, trace.query[1, 3], trace.key[1, 1]),
        (found.unrotated, made.query[3], made.key[1]),
    ):
        for distance in range(len(trace.tokens)):
            pairs = [(i, i - distance) for i in range(distance, len(trace.tokens))]
            expected = np.mean([q[i] @ k[j] / 2 for i, j in pairs])  # sqrt(E) is 2
            assert scores[distance] == pytest.approx(expected, abs=1e-5)


def test_one_pair_scores_at_its_own_distance_what_the_trace_says(llama):
    trace = llama.trace(TEXT)
    scores = rope.pair_scores(llama, trace, (2, 0), query=6, key=2, farthest=10)
    assert len(scores) == 11
    assert scores[4] == pytest.approx(trace.scores[2, 0, 6, 2], abs=1e-5)
    made = llama.unrotated(2, trace.hidden[2])
    assert scores[0] == pytest.approx(made.query[0, 6] @ made.key[0, 2] / 2, abs=1e-5)


def test_the_chart_of_distances_reads_columns_that_are_there():
    frame = beside_frames.distance_frame({"a": np.ones(2), "b": np.zeros(1)})
    assert frame.to_numpy().tolist() == [[0, "a", 1.0], [1, "a", 1.0], [0, "b", 0.0]]
    spec = distance_lines(frame, series=("a", "b")).to_dict()
    used = {part["field"] for channel in spec["encoding"].values()
            for part in (channel if isinstance(channel, list) else [channel])}  # fmt: skip
    assert used == set(frame)
