"""Two models beside each other, shared keys and values, rotation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attention.analysis import alignment, alignment_frames, rope, words
from attention.analysis.alignment import Span, aligned, counterpart, places
from attention.analysis.frames import head_frame
from attention.analysis.grouped_heads import Apart, Sharing, divergence, pairwise, sharing
from attention.analysis.metrics import jensen_shannon
from attention.analysis.words import Unit, View
from attention.charts.distance import distance_lines
from attention.charts.maps import head_grid, shared_map
from attention.models.gpt2 import Gpt2
from attention.models.llama import Llama
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


def spelled(text, *words):
    """Return where these words stand, one after the other; None for those in brackets."""
    found, at = [], 0
    for word in words:
        start = text.find(word, at)
        found.append(None if word[0] == "[" else Span(start, start + len(word), word))
        at = at if word[0] == "[" else start + len(word)
    return found


@pytest.mark.parametrize(
    ("one", "other", "pairs"),
    [
        ("a b c", "a b c", [(0, 0), (1, 1), (2, 2)]),
        ("[CLS] a b [SEP]", "a b", [(1, 0), (2, 1)]),
        ("b c", "a b c", [(0, 1), (1, 2)]),
        ("a b", "c", []),
        ("a", "", []),
    ],
)
def test_words_are_aligned_in_order(one, other, pairs):
    text = "a b c"
    assert aligned(spelled(text, *one.split()), spelled(text, *other.split())) == pairs


def test_the_same_word_twice_is_aligned_by_where_it_stands():
    text = "the cat the mat"
    second = [Span(8, 11, "the"), Span(12, 15, "mat")]
    assert aligned(spelled(text, *text.split()), second) == [(2, 0), (3, 1)]
    assert counterpart(Span(8, 11, "the"), spelled(text, *text.split())) == 2


def test_a_piece_is_found_in_the_word_that_holds_it():
    others = [None, Span(0, 2, "so"), Span(3, 8, "tired")]
    assert counterpart(Span(6, 8, "##ed"), others) == 2
    assert counterpart(Span(2, 3, " "), others) is None
    assert counterpart(None, others) is None


@pytest.mark.slow
@given(st.text("ab é\u0301'’.,\t\n12 猫😀", min_size=1, max_size=19))
@settings(deadline=None)
def test_two_tokenizers_agree_on_every_word_that_they_align(model, llama, text):
    """The tiny tokenizer knows no letter of these, and splits at spaces and marks."""
    traces = model.trace(text), llama.tokenize(text)
    views = words.view(traces[0]), view_of(traces[1])
    found = [places(v, t) for v, t in zip(views, (traces[0].input, traces[1]), strict=True)]
    pairs = aligned(*found)
    assert pairs == sorted(pairs)
    assert all(len({pair[side] for pair in pairs}) == len(pairs) for side in (0, 1))
    for i, j in pairs:
        assert views[0].words[i] == views[1].words[j]
    for i, unit in enumerate(views[0].units):
        assert (found[0][i] is None) == (not unit.ordinary)


def view_of(tokens):
    return View(words.whole_words(tokens), np.zeros(0), np.zeros(0))


def test_the_share_that_goes_to_later_words_by_hand():
    weights = np.array([[[[0.2, 0.8], [0.5, 0.5]]]])
    np.testing.assert_allclose(alignment.later_share(view("a b", weights)), [[[0.8, 0.0]]])


def test_a_decoder_gives_nothing_to_later_words(llama):
    assert not alignment.later_share(words.view(llama.trace(TEXT))).any()


def test_masked_cells_of_the_decoder_are_absent_from_the_maps():
    encoder, decoder = view("[CLS] a b"), view("a b", is_causal=True)
    pairs = [(1, 0), (2, 1)]
    frame = alignment_frames.beside_frame((encoder, decoder), [(0, 0), (0, 1)], ("E", "D"), pairs)
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
    apart = pairwise(view("a b", np.stack([first, first, second, second])[None]))
    np.testing.assert_allclose(apart[0], [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]])
    near = divergence(apart, groups=2)
    assert near.inside.tolist() == [[0.0] * 4]
    assert near.across.tolist() == [[1.0] * 4]


def test_without_siblings_or_without_others_there_is_nothing_to_compare():
    apart = np.full((2, 3, 3), 0.25) * ~np.eye(3, dtype=bool)
    assert np.isnan(divergence(apart, groups=3).inside).all()
    assert np.isnan(divergence(apart, groups=1).across).all()
    np.testing.assert_allclose(divergence(apart, groups=1).inside, 0.25)


def test_pairs_of_heads_by_a_slow_loop(model):
    found, shares = words.view(model.trace("it was tired")), []
    apart = pairwise(found, shares.append)
    for layer, one, other in ((0, 0, 1), (3, 7, 2), (5, 11, 4)):
        rows = [jensen_shannon(*found.weights[layer, [one, other], q]) for q in (1, 2, 3)]
        assert apart[layer, one, other] == pytest.approx(np.mean(rows), abs=1e-5)
    np.testing.assert_array_equal(apart, apart.swapaxes(1, 2))
    assert shares[-1] == 1
    assert shares == sorted(shares)


def test_the_mean_over_heads_is_the_mean_over_pairs():
    apart = np.random.default_rng(0).random((2, 6, 6))
    apart = apart + apart.swapaxes(1, 2)
    pairs = [(i, j) for i in range(6) for j in range(i)]
    near = divergence(apart, groups=2)
    for layer in range(2):
        inside = [apart[layer, i, j] for i, j in pairs if i // 3 == j // 3]
        across = [apart[layer, i, j] for i, j in pairs if i // 3 != j // 3]
        assert near.inside[layer].mean() == pytest.approx(np.mean(inside))
        assert near.across[layer].mean() == pytest.approx(np.mean(across))


def test_tables_of_shared_heads():
    apart = np.arange(16.0).reshape(4, 4)
    frame = alignment_frames.apart_frame(apart, 2, layer=7)
    assert len(frame) == 4 * 3
    cell = frame.query("head == 2 and other == 3").iloc[0]
    assert cell[["one", "two", "shares", "bits"]].tolist() == ["L7 H2", "L7 H3", "shared", 11.0]
    assert frame.query("head == 1 and other == 2")["shares"].item() == "of their own"
    near = Apart(np.array([[0.1, 0.2]]), np.array([[0.3, 0.4]]))
    rows = alignment_frames.siblings_frame([(0, 1)], Sharing(2, 1, 1, 8), near)
    assert rows.to_numpy().tolist() == [["L0 H1", "H0", 0.2, 0.4]]


def test_charts_of_shared_heads_read_columns_that_are_there():
    frame = alignment_frames.apart_frame(np.zeros((6, 6)), 2, layer=0)
    spec = shared_map(frame, heads=6, sharing=3, highest=0.5).to_dict()
    filters = [layer["transform"][0]["filter"] for layer in spec["layer"][1:]]
    assert filters == [
        "datum.other % 3 == 0 && datum.other > 0 && datum.head == 0",
        "datum.head % 3 == 0 && datum.head > 0 && datum.other == 0",
    ]
    grid = {"title": "Entropy", "domain": (0.0, 1.0), "layers": 2}
    figures = head_frame(np.zeros((2, 6)), [])
    layers = [len(head_grid(figures, sharing=n, **grid).to_dict()["layer"]) for n in (1, 3)]
    assert layers == [2, 3]  # no lines where nothing is shared


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


@pytest.mark.parametrize(
    "told",
    [
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64},
        {"rope_type": "linear", "factor": 4.0},
    ],
)
def test_scaled_rotations_score_what_the_trace_says_too(tmp_path, told):
    changes = {"rope_parameters": {"rope_theta": 100.0, **told}}
    scaled = tiny.loader("llama").from_folder("m", tiny.write(tmp_path / "m", "llama", **changes))
    trace = scaled.trace("the cat sat on the mat it was")
    scores = rope.pair_scores(scaled, trace, (2, 0), query=6, key=2, farthest=10)
    assert scores[4] == pytest.approx(trace.scores[2, 0, 6, 2], abs=1e-5)


def test_the_chart_of_distances_reads_columns_that_are_there():
    frame = alignment_frames.distance_frame({"a": np.ones(2), "b": np.zeros(1)})
    assert frame.to_numpy().tolist() == [[0, "a", 1.0], [1, "a", 1.0], [0, "b", 0.0]]
    spec = distance_lines(frame, series=("a", "b")).to_dict()
    used = {part["field"] for channel in spec["encoding"].values()
            for part in (channel if isinstance(channel, list) else [channel])}  # fmt: skip
    assert used == set(frame)
