"""Word pieces and whole words: what is merged, how it is spelled, and what becomes of the sums."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attention
from attention.models.llama import Llama
from attention.words import Unit, merge, pieces, row_scores, seen_by, view, whole_words
from tests.models import tiny


@pytest.fixture(scope="module")
def minilm():
    return attention.load_model("minilm")


@pytest.fixture(scope="module")
def trophy(minilm):
    return minilm.trace("The trophy wouldn't fit")


def words_of(model, text):
    return [unit.label for unit in whole_words(model.tokenize(text))[1:-1]]


# the rule


def test_merging_by_hand():
    # "ab" is two pieces. Its row is the mean of theirs; its column is their sum.
    weights = np.array([[0.1, 0.3, 0.6], [0.5, 0.3, 0.2], [0.2, 0.7, 0.1]])
    units = (Unit("ab", (0, 1), False), Unit("c", (2,), False))
    merged = [[(0.1 + 0.3 + 0.5 + 0.3) / 2, (0.6 + 0.2) / 2], [0.2 + 0.7, 0.1]]
    np.testing.assert_allclose(merge(weights, units), merged)


def test_single_pieces_are_left_as_they_are():
    weights = np.array([[0.25, 0.75], [1.0, 0.0]])
    units = (Unit("a", (0,), False), Unit("b", (1,), False))
    np.testing.assert_array_equal(merge(weights, units), weights)


def slow_merge(weights, units):
    merged = np.zeros((len(units), len(units)))
    for row, asks in enumerate(units):
        for column, read in enumerate(units):
            total = sum(weights[q, k] for q in asks.positions for k in read.positions)
            merged[row, column] = total / len(asks.positions)
    return merged


@settings(deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_row_sums_are_kept(sizes, seed):
    starts = np.cumsum([0, *sizes])
    units = tuple(
        Unit("", tuple(range(start, start + size)), False)
        for start, size in zip(starts, sizes, strict=False)
    )
    weights = np.random.default_rng(seed).dirichlet(np.ones(sum(sizes)), (2, 3, sum(sizes)))
    merged = merge(weights, units)
    np.testing.assert_allclose(merged.sum(axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose(merged[1, 2], slow_merge(weights[1, 2], units), rtol=1e-12)


# which pieces make a word


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("wouldn't", ["wouldn't"]),
        ("wouldn’t", ["wouldn’t"]),
        ("I wouldn't've", ["I", "wouldn't've"]),
        ("the dogs' bowl", ["the", "dogs", "'", "bowl"]),
        ("rock 'n' roll", ["rock", "'", "n", "'", "roll"]),
        ("Antidisestablishmentarianism!", ["Antidisestablishmentarianism", "!"]),
        ("snake_case 3.14", ["snake_case", "3", ".", "14"]),
        ("well-known", ["well", "-", "known"]),
        ("日本語 テスト", ["日", "本", "語", "テ", "ス", "ト"]),
        ("한국어", ["한", "국", "어"]),
        ("Python入門", ["Python", "入", "門"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("Généralisation naïve", ["Généralisation", "naïve"]),
        ("Ge\u0301ne\u0301ralisation cafe\u0301", ["Ge\u0301ne\u0301ralisation", "cafe\u0301"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("good 👍 ❤️", ["good", "👍", "❤️"]),
        ("a [SEP] b [MASK]", ["a", "[SEP]", "b", "[MASK]"]),
        ("  two   spaces ", ["two", "spaces"]),
        ("", []),
    ],
)
def test_words_are_spelled_as_in_the_text(minilm, text, words):
    assert words_of(minilm, text) == words


def test_the_pieces_of_a_word(trophy):
    assert trophy.tokens == ("[CLS]", "the", "trophy", "wouldn", "'", "t", "fit", "[SEP]")
    units = whole_words(trophy.input)
    assert units == (
        Unit("[CLS]", (0,), True),
        Unit("The", (1,), False),
        Unit("trophy", (2,), False),
        Unit("wouldn't", (3, 4, 5), False),
        Unit("fit", (6,), False),
        Unit("[SEP]", (7,), True),
    )


def test_pieces_are_spelled_as_the_tokenizer_does(minilm):
    units = pieces(minilm.tokenize("Antidis"))
    assert units == (
        Unit("[CLS]", (0,), True),
        Unit("anti", (1,), False),
        Unit("##dis", (2,), False),
        Unit("[SEP]", (3,), True),
    )


def test_a_separator_typed_by_the_reader_is_text(minilm):
    typed, added = whole_words(minilm.tokenize("[SEP]"))[1:]
    assert (typed.label, typed.special) == ("[SEP]", False)
    assert (added.label, added.special) == ("[SEP]", True)


@settings(deadline=None)
@given(text=st.text(max_size=60))
def test_every_token_is_in_exactly_one_unit_whatever_the_text(text):
    tokens = attention.load_model("minilm").tokenize(text)
    for units in (whole_words(tokens), pieces(tokens)):
        positions = [position for unit in units for position in unit.positions]
        assert positions == list(range(len(tokens)))
        assert all(unit.label for unit in units)
        assert all(len(unit.positions) == 1 for unit in units if unit.special)


# what is shown


def test_a_view_of_pieces_is_the_trace_itself(trophy):
    shown = view(trophy, words=False)
    assert shown.labels == trophy.tokens
    np.testing.assert_array_equal(shown.weights, trophy.weights)
    assert not shown.removed.any()


def test_a_view_of_words_merges_every_head(trophy):
    shown = view(trophy)
    assert shown.labels == ("[CLS]", "The", "trophy", "wouldn't", "fit", "[SEP]")
    for layer, head in ((0, 0), (3, 1), (5, 11)):
        slow = slow_merge(trophy.weights[layer, head], shown.units)
        np.testing.assert_allclose(shown.weights[layer, head], slow, atol=1e-6)


@pytest.mark.parametrize("words", [True, False])
def test_removing_special_tokens_renormalises_and_says_how_much(trophy, words):
    everything, shown = view(trophy, words=words), view(trophy, words=words, special=False)
    assert shown.labels == everything.labels[1:-1]
    lost = everything.weights[:, :, 1:-1, [0, -1]].sum(axis=-1)
    kept = everything.weights[:, :, 1:-1, 1:-1]
    np.testing.assert_allclose(shown.removed, lost, atol=1e-6)
    np.testing.assert_allclose(shown.removed + kept.sum(axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose(shown.weights.sum(axis=-1), 1, atol=1e-5)
    np.testing.assert_allclose(shown.weights * (1 - shown.removed)[..., None], kept, atol=1e-6)


def test_a_view_of_nothing_but_special_tokens(minilm):
    shown = view(minilm.trace(""), special=False)
    assert shown.units == ()
    assert shown.weights.shape == (6, 12, 0, 0)
    assert shown.removed.shape == (6, 12, 0)


def test_a_view_is_read_only_and_leaves_the_trace_alone(trophy):
    before = trophy.weights.copy()
    for words in (True, False):
        for special in (True, False):
            shown = view(trophy, words=words, special=special)
            assert not shown.weights.flags.writeable
            assert not shown.removed.flags.writeable
    np.testing.assert_array_equal(trophy.weights, before)


def test_find_gives_the_first_of_that_spelling_in_any_case(minilm):
    shown = view(minilm.trace("The cat and the Straße [SEP]"))
    assert shown.find("the") == 1
    assert shown.find("THE") == 1
    assert shown.find("strasse") == 5
    assert shown.find("[SEP]") == 6
    assert shown.find("dog") is None


@pytest.mark.parametrize("special", [True, False])
def test_row_scores_give_the_row_back_and_are_the_models_own_for_single_tokens(trophy, special):
    shown = view(trophy, special=special)
    layer, head, word = 3, 1, shown.find("trophy")
    scores = row_scores(trophy, shown, layer, head, word)
    row = shown.weights[layer, head, word]
    np.testing.assert_allclose(attention.softmax(scores), row, atol=1e-6)
    for score, unit in zip(scores, shown.units, strict=True):
        read = np.exp(trophy.scores[layer, head, 2, list(unit.positions)].astype(float))
        assert score == pytest.approx(np.log(read.sum()), abs=1e-5)


def test_a_decoders_word_sees_itself_and_what_came_before(tmp_path):
    llama = Llama.from_folder("tiny", tiny.write(tmp_path / "tiny", "llama"))
    trace = llama.trace("the cat sat on the mat")
    whole = view(trace)
    seen = seen_by(whole, 2)
    assert seen.labels == ("the", "cat", "sat")
    scores = row_scores(trace, seen, 1, 3, 2)
    np.testing.assert_allclose(scores, trace.scores[1, 3, 2, :3], atol=1e-5)
    np.testing.assert_allclose(attention.softmax(scores), whole.weights[1, 3, 2, :3], atol=1e-6)
    assert seen_by(dataclasses.replace(whole, is_causal=False), 2).labels == whole.labels
