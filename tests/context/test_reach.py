"""What the context page measures on the model, by hand and on the lesson's words."""

import numpy as np
import pytest

from attention.analysis import embeddings, telling, words
from attention.analysis.words import Unit, View
from attention.context import reach

MONEY, RIVER = "I deposited money at the bank", "We fished by the bank of the river"


def look(model, sentences, word=reach.READS):
    trace = model.trace(reach.far_text(sentences, word))
    return trace, reach.far_look(trace, words.whole_words(trace.input), reach.ASKS, word)


@pytest.fixture(scope="module")
def two_texts(model):
    traces = [model.trace(text) for text in (MONEY, RIVER)]
    return [(trace, words.view(trace)) for trace in traces]


def view(labels, weights):
    units = tuple(Unit(label, (k,), label[0] == "[") for k, label in enumerate(labels))
    weights = np.array(weights, dtype=float)
    return View(units, weights, np.zeros(weights.shape[:-1]))


def test_the_far_look_is_a_cell_of_the_models_weights(model):
    trace, found = look(model, 3)
    asks, reads = trace.tokens.index("deposit"), trace.tokens.index("bank")
    assert (found.tokens, found.distance) == (len(trace.tokens), asks - reads)
    np.testing.assert_array_equal(found.weight, trace.weights[:, :, asks, reads])
    assert found.rank[2, 5] == 1 + sum(trace.weights[2, 5, asks] > found.weight[2, 5])


def test_deposit_finds_bank_across_196_tokens(model):
    """The lesson's claim: 195 tokens earlier L2 H5 still has it among its three strongest."""
    _, found = look(model, 17)
    assert found.distance == 196
    assert found.rank[2, 5] <= 3
    assert found.weight[2, 5] == pytest.approx(0.05, abs=0.015)
    assert found.weight[2, 5] > 5 / found.tokens  # many times an even share


def test_all_of_the_text_fits_and_nothing_in_it_is_about_banks(model):
    text = reach.far_text(len(reach.FILLER))
    assert 350 < len(model.tokenize(text)) <= 400
    filler = " ".join(reach.FILLER).lower()
    for word in ("bank", "money", "deposit", "cash", "account", "river", "pay", "coin", "park"):
        assert word not in filler.split()


def test_the_head_that_keeps_best_is_the_one_with_the_best_worst_weight(model):
    looks = [look(model, count)[1] for count in (0, 4)]
    layer, head = reach.keeps_best(looks)
    worst = np.minimum(looks[0].weight, looks[1].weight)
    assert worst[layer, head] == worst.max()


def test_a_text_without_the_words_is_refused(model):
    trace = model.trace("Nothing here")
    with pytest.raises(ValueError, match="'deposit' and 'bank'"):
        reach.far_look(trace, words.whole_words(trace.input), "deposit", "bank")


def test_shared_words_are_found_whatever_their_case_longest_first():
    one = view(["[CLS]", "The", "old", "bank", "The"], np.zeros((1, 1, 5, 5)))
    other = view(["[CLS]", "bank", "the"], np.zeros((1, 1, 3, 3)))
    assert reach.shared_words(one, other) == ("bank", "the")
    assert reach.shared_words(one, view(["x"], np.zeros((1, 1, 1, 1)))) == ()


def test_the_telling_head_reads_what_only_its_own_text_has():
    """Head 0 reads the shared word in both, head 1 the other word in both because "bank" asks.

    Head 2 does so in one text only; in head 3 both words read the other word, whichever asks.
    """
    even = [0.5, 0.5]
    first = np.array(
        [[[0.9, 0.1], even], [[0.2, 0.8], even], [[0, 1], even], [[0.1, 0.9], [0.1, 0.9]]]
    )
    second = first.copy()
    second[2, 0] = [1.0, 0.0]
    one, other = view(["bank", "money"], first[None]), view(["bank", "river"], second[None])
    assert reach.changing_head(one, other, (0, 0)) == (0, 1)


def test_the_telling_head_is_not_one_that_reads_the_word_before(model):
    texts = "My bank account is empty", "The bank by the river was steep"
    one, other = (words.view(model.trace(text)) for text in texts)
    places = one.find("bank"), other.find("bank")
    head = reach.changing_head(one, other, places)
    for view, query in zip((one, other), places, strict=True):
        before = [view.weights[head][q, q - 1] for q in range(2, len(view.units) - 1)]
        key = telling.telling_link(view.head(*head), 1, query=query)[1]
        assert view.weights[head][query, key] > np.mean(before) + 0.1


def test_the_telling_head_of_equal_texts_is_a_head():
    same = view(["a", "b"], np.full((1, 2, 2, 2), 0.5))
    assert reach.changing_head(same, same, (0, 0)) == (0, 0)


def test_bank_reads_deposited_here_and_river_there(two_texts):
    (_, one), (_, other) = two_texts
    queries = one.find("bank"), other.find("bank")
    layer, head = reach.changing_head(one, other, queries)
    for shown, query, word in ((one, queries[0], "deposited"), (other, queries[1], "river")):
        row = shown.weights[layer, head, query]
        assert shown.labels[int(row.argmax())] == word


def test_the_vectors_of_bank_start_equal_and_come_apart(model, two_texts):
    vectors, bare = [], []
    for trace, shown in two_texts:
        unit = shown.units[shown.find("bank")]
        vectors.append(reach.contextual(trace, unit))
        bare.append(embeddings.unit_vectors(model, trace.input, [unit])[0])
    assert reach.cosine(*bare) == pytest.approx(1.0)
    cosines = reach.cosine(*vectors)
    assert cosines[0] == pytest.approx(0.99, abs=0.005)  # another position in each text
    assert cosines[-1] == pytest.approx(0.79, abs=0.005)  # as DESIGN.md has it
    assert (np.diff(cosines[:4]) < 0).all()


@pytest.mark.slow
def test_at_the_same_position_the_inputs_are_equal(model):
    traces = [model.trace(text) for text in ("The bank by the river", "The bank has money")]
    vectors = [reach.contextual(t, words.whole_words(t.input)[2]) for t in traces]
    assert reach.cosine(*vectors)[0] == pytest.approx(1.0, abs=1e-6)


def test_different_words_are_averaged_over_every_pair(two_texts):
    expected = []
    (one, first), (other, second) = two_texts
    for unit in first.units:
        for against in second.units:
            pair = {unit.label.casefold(), against.label.casefold()}
            if len(pair) == 2 and not unit.special and not against.special:
                vectors = reach.contextual(one, unit), reach.contextual(other, against)
                expected.append(reach.cosine(*vectors))
    found = reach.unlike_cosine(*two_texts)
    np.testing.assert_allclose(found, np.mean(expected, axis=0), atol=1e-6)


def test_without_different_words_there_is_no_average(model):
    text = model.trace("bank"), words.view(model.trace("bank"))
    assert np.isnan(reach.unlike_cosine(text, text)).all()


def test_a_kernel_weighs_every_offset_by_its_norm():
    shares = reach.kernel_shares(np.array([[[3.0]], [[4.0]], [[3.0]]]), side=1)
    np.testing.assert_allclose(shares, [0.3, 0.4, 0.3])


def test_offsets_end_where_the_text_does():
    found = reach.offset_weights(np.array([0.25, 0.75], np.float32), query=0, side=1)
    np.testing.assert_array_equal(found, [np.nan, 0.25, 0.75])
