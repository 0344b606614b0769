"""One word in two texts, by hand and on the lesson's words."""

import numpy as np
import pytest

from attention.analysis import embeddings, telling, words
from attention.analysis.embeddings import cosine
from attention.analysis.words import Unit, View
from attention.context.two_texts import (
    WordInTwoTexts,
    changing_head,
    contextual,
    refusal_of_text,
    shared_words,
    unlike_cosine,
)
from attention.runtime import limits

MONEY, RIVER = "I deposited money at the bank", "We fished by the bank of the river"


@pytest.fixture(scope="module")
def two_texts(model):
    traces = [model.trace(text) for text in (MONEY, RIVER)]
    return [(trace, words.view(trace)) for trace in traces]


def view(labels, weights):
    units = tuple(Unit(label, (k,), label[0] == "[") for k, label in enumerate(labels))
    weights = np.array(weights, dtype=float)
    return View(units, weights, np.zeros(weights.shape[:-1]))


def test_shared_words_are_found_whatever_their_case_longest_first():
    one = view(["[CLS]", "The", "old", "bank", "The"], np.zeros((1, 1, 5, 5)))
    other = view(["[CLS]", "bank", "the"], np.zeros((1, 1, 3, 3)))
    assert shared_words(one, other) == ("bank", "the")
    assert shared_words(one, view(["x"], np.zeros((1, 1, 1, 1)))) == ()


def test_the_telling_head_reads_what_only_its_own_text_has():
    """Head 0 attends to the shared word, head 1 to the other word where "bank" is the query.

    Head 2 does so in one text only; in head 3 both words attend to the other word.
    """
    even = [0.5, 0.5]
    first = np.array(
        [[[0.9, 0.1], even], [[0.2, 0.8], even], [[0, 1], even], [[0.1, 0.9], [0.1, 0.9]]]
    )
    second = first.copy()
    second[2, 0] = [1.0, 0.0]
    one, other = view(["bank", "money"], first[None]), view(["bank", "river"], second[None])
    assert changing_head(one, other, (0, 0)) == (0, 1)


def test_the_telling_head_is_not_one_that_reads_the_word_before(model):
    texts = "My bank account is empty", "The bank by the river was steep"
    one, other = (words.view(model.trace(text)) for text in texts)
    places = one.find("bank"), other.find("bank")
    head = changing_head(one, other, places)
    for view, query in zip((one, other), places, strict=True):
        before = [view.weights[head][q, q - 1] for q in range(2, len(view.units) - 1)]
        key = telling.telling_link(view.head(*head), 1, query=query)[1]
        assert view.weights[head][query, key] > np.mean(before) + 0.1


def test_the_telling_head_of_equal_texts_is_a_head():
    same = view(["a", "b"], np.full((1, 2, 2, 2), 0.5))
    assert changing_head(same, same, (0, 0)) == (0, 0)


def test_bank_reads_deposited_here_and_river_there(two_texts):
    (_, one), (_, other) = two_texts
    queries = one.find("bank"), other.find("bank")
    layer, head = changing_head(one, other, queries)
    for shown, query, word in ((one, queries[0], "deposited"), (other, queries[1], "river")):
        row = shown.weights[layer, head, query]
        assert shown.labels[int(row.argmax())] == word


def test_the_vectors_of_bank_start_equal_and_come_apart(model, two_texts):
    vectors, bare = [], []
    for trace, shown in two_texts:
        unit = shown.units[shown.find("bank")]
        vectors.append(contextual(trace, unit))
        bare.append(embeddings.unit_vectors(model, trace.input, [unit])[0])
    assert cosine(*bare) == pytest.approx(1.0)
    cosines = cosine(*vectors)
    assert cosines[0] == pytest.approx(0.99, abs=0.005)  # another position in each text
    assert cosines[-1] == pytest.approx(0.79, abs=0.005)  # as DESIGN.md has it
    assert (np.diff(cosines[:4]) < 0).all()


def test_at_the_same_position_the_inputs_are_equal(model):
    traces = [model.trace(text) for text in ("The bank by the river", "The bank has money")]
    vectors = [contextual(t, words.whole_words(t.input)[2]) for t in traces]
    assert cosine(*vectors)[0] == pytest.approx(1.0, abs=1e-6)


def test_different_words_are_averaged_over_every_pair(two_texts):
    expected = []
    (one, first), (other, second) = two_texts
    for unit in first.units:
        for against in second.units:
            labels = {unit.label.casefold(), against.label.casefold()}
            if len(labels) == 2 and not unit.special and not against.special:
                vectors = contextual(one, unit), contextual(other, against)
                expected.append(cosine(*vectors))
    found = unlike_cosine(*two_texts)
    np.testing.assert_allclose(found, np.mean(expected, axis=0), atol=1e-6)


def test_without_different_words_there_is_no_average(model):
    text = model.trace("bank"), words.view(model.trace("bank"))
    assert np.isnan(unlike_cosine(text, text)).all()


def test_the_word_is_followed_in_both_texts(model, two_texts):
    (one, first), (other, second) = two_texts
    both = WordInTwoTexts("bank", (one, other), (first, second))
    assert both.queries == (first.find("bank"), second.find("bank"))
    assert both.bare(model) == pytest.approx(1)
    told = both.sentence(both.telling_head)
    assert "for “deposited”" in told
    assert "and for “river”" in told
    assert "0.99 at the input and 0.79 after" in told
    origin = both.origin(model)
    assert "token 6 of the first text and token 5 of the second: another position" in origin
    assert "same in both texts: cosine 1.00" in origin


@pytest.mark.parametrize(
    ("text", "why"), [("two words", None), ("", "no word"), ("word " * 41, "41 words")]
)
def test_a_text_that_cannot_be_compared(model, text, why):
    refusal = refusal_of_text(model, text)
    assert refusal is None if why is None else why in refusal


def test_the_limits_of_a_server_hold_for_a_second_text_too(model, monkeypatch):
    assert "100,000 characters" in refusal_of_text(model, "x" * 100_000)
    monkeypatch.setenv(limits.TOKENS_ALLOWED, "5")
    assert refusal_of_text(model, "two words") is None
    assert "at most 5" in refusal_of_text(model, "these are four words")
