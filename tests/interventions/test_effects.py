"""How far a change moves vectors and next words."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import attention
from attention import presets
from attention.analysis import words
from attention.edits import Cut, CutHeads
from attention.interventions import effects, steering, study
from tests.optional import with_smollm2
from tests.toy_decoder import VOCABULARY, ToyDecoder

TEXT, LAYERS = "The cat sat on the mat because it was tired", 6
NUMBERS = "3 1 4 1 5 9 2 6"


@pytest.fixture(scope="module")
def toy():
    return ToyDecoder()


# vectors


def test_the_vector_is_pooled_over_all_tokens(cat_trace):
    vector = effects.sentence_vector(cat_trace.hidden)
    assert vector == pytest.approx(sum(cat_trace.hidden[6]) / 12, abs=1e-6)


@pytest.mark.parametrize(
    ("one", "other", "expected"), [([1, 0], [5, 0], 0), ([1, 0], [0, 3], 1), ([1, 0], [-2, 0], 2)]
)
def test_cosine_distance(one, other, expected):
    assert effects.cosine_distance(np.array(one), np.array(other)) == pytest.approx(expected)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_cosine_distance_knows_no_order_and_no_length(seed, factor):
    one, other = np.random.default_rng(seed).normal(size=(2, 5, 7))
    found = effects.cosine_distance(one, other)
    assert found.shape == (5,)
    assert (found >= 0).all()
    assert found == pytest.approx(effects.cosine_distance(other, one), abs=1e-12)
    assert found == pytest.approx(effects.cosine_distance(factor * one, other), abs=1e-12)


def test_nothing_moves_between_a_trace_and_itself(cat_trace):
    moved = effects.movement(cat_trace, cat_trace, words.whole_words(cat_trace.input))
    assert not moved.words.any()
    assert not moved.sentence.any()


def test_only_layers_above_a_change_move(model, cat_trace):
    changed = model.trace(TEXT, (CutHeads(((3, 1), (4, 0))),))
    units = words.whole_words(cat_trace.input)
    moved = effects.movement(cat_trace, changed, units)
    assert moved.words.shape == (7, len(units))
    assert moved.words[:4] == pytest.approx(0, abs=1e-12)
    assert (moved.words[4:] > 1e-6).all()
    assert (moved.sentence[4:] > 1e-6).all()


def test_a_word_is_the_mean_of_its_pieces(model):
    text = "The trophy wouldn't fit"
    before, after = model.trace(text), model.trace(text, (Cut(keys=(0,)),))
    units = words.whole_words(before.input)
    long = next(i for i, unit in enumerate(units) if len(unit.positions) > 1)
    one, other = (
        sum(trace.hidden[6, at].astype(float) for at in units[long].positions)
        for trace in (before, after)
    )
    expected = 1 - one @ other / math.sqrt((one @ one) * (other @ other))
    moved = effects.movement(before, after, units)
    assert moved.words[6, long] == pytest.approx(expected, rel=1e-4)
    one, other = (effects.sentence_vector(trace.hidden) for trace in (before, after))
    assert moved.sentence[6] == pytest.approx(effects.cosine_distance(one, other))


def test_no_words_are_no_columns(cat_trace):
    assert effects.movement(cat_trace, cat_trace, ()).words.shape == (7, 0)


def test_two_texts_cannot_be_compared(model, cat_trace):
    with pytest.raises(ValueError, match="12 tokens in minilm and 4 in minilm"):
        effects.movement(cat_trace, model.trace("A dog"), ())


# next words


def test_a_decoder_that_knows_nothing_is_surprised_by_log_of_the_vocabulary():
    assert effects.surprise(np.zeros((2, 8)), np.array([3, 0])) == pytest.approx(math.log(8))


def test_surprise_keeps_large_scores_in_range():
    logits = np.array([[1000.0, 0.0], [-1000.0, -1000.0]], np.float32)
    assert effects.surprise(logits, np.array([1, 0])) == pytest.approx([1000, math.log(2)])


def slow_loss(model, stream, ids):
    total = 0.0
    for asks, told in zip(stream[:-1], ids[1:], strict=True):
        terms = [math.exp(float(logit)) for logit in asks @ model.words.T]
        total -= math.log(terms[told] / sum(terms))
    return total / (len(ids) - 1)


@pytest.mark.parametrize("at_once", [1, 3 * VOCABULARY, 10**6])
def test_loss_against_a_slow_loop(toy, monkeypatch, at_once):
    monkeypatch.setattr(effects, "_LOGITS_AT_ONCE", at_once)
    trace = toy.trace(NUMBERS)
    expected = slow_loss(toy, trace.hidden[-1], trace.input.ids)
    assert effects.text_loss(toy, trace.hidden[-1], trace.input.ids) == pytest.approx(expected)


def test_one_token_foretells_nothing(toy):
    trace = toy.trace("3")
    with pytest.raises(ValueError, match="1 tokens has no next word; at least 2"):
        effects.text_loss(toy, trace.hidden[-1], trace.input.ids)


def test_the_effect_on_a_decoder_is_how_much_the_loss_rises(toy):
    before, after = toy.trace(NUMBERS), toy.trace(NUMBERS, (Cut(keys=(0,)),))
    ids = before.input.ids
    rise = slow_loss(toy, after.hidden[-1], ids) - slow_loss(toy, before.hidden[-1], ids)
    effect = effects.effect_on(toy, before)
    streams = np.stack([before.hidden[-1], after.hidden[-1]])
    # A loss is computed from float32 logits, sums of products: the two losses are the difference.
    largest = float((np.abs(streams) @ np.abs(toy.words.T)).max())
    rounding = 4 * float(np.finfo(np.float32).eps) * largest
    assert effect(streams) == pytest.approx([0, rise], abs=rounding)


def test_the_effect_on_an_encoder_is_how_far_the_sentence_vector_turns(model, cat_trace):
    changed = model.hidden(TEXT, (Cut(keys=(0,)),))
    effect = effects.effect_on(model, cat_trace)
    one, other = (effects.sentence_vector(hidden) for hidden in (cat_trace.hidden, changed))
    expected = [0, effects.cosine_distance(one, other)]
    streams = np.stack([cat_trace.hidden[-1], changed[-1]])
    assert effect(streams) == pytest.approx(expected, abs=1e-9)


def test_the_effect_on_a_decoder_without_a_head_is_that_on_vectors(toy, monkeypatch):
    monkeypatch.setattr(toy, "predicts", False)
    before, after = toy.trace(NUMBERS), toy.trace(NUMBERS, (Cut(keys=(0,)),))
    one, other = (effects.sentence_vector(trace.hidden) for trace in (before, after))
    effect = effects.effect_on(toy, before)(np.stack([before.hidden[-1], after.hidden[-1]]))
    assert effect == pytest.approx([0, effects.cosine_distance(one, other)], abs=1e-9)


@pytest.mark.parametrize("answer", [[[3], [5, 1]], [[3, 5, 3]]])
def test_the_effect_on_an_answer_is_how_much_its_odds_fall(toy, answer):
    before, after = toy.trace(NUMBERS), toy.trace(NUMBERS, (Cut(keys=(0,)),))
    those = answer[1] if len(answer) > 1 else set(range(VOCABULARY)) - set(answer[0])

    def slow(stream):
        powers = [math.exp(float(logit)) for logit in stream[-1] @ toy.words.T]
        return math.log(sum(powers[i] for i in set(answer[0])) / sum(powers[i] for i in those))

    own, other = slow(before.hidden[-1]), slow(after.hidden[-1])
    found = effects.effect_on(toy, before, answer)(np.stack([before.hidden[-1], after.hidden[-1]]))
    assert found == pytest.approx([0, own - other], abs=1e-4)
    assert abs(own - other) > 0.01
    assert study.limit_for(toy, before, answer).note == f"untouched: {own:.3f} nats"


@with_smollm2
@pytest.mark.slow
def test_the_head_that_mary_against_john_rests_on():
    smollm2 = attention.load_model("smollm2")
    trace = smollm2.trace(presets.GIFT.text)
    answer = steering.interests(smollm2, "Mary | John").ids
    effect = effects.effect_on(smollm2, trace, answer)
    without = smollm2.hidden(trace.text, (CutHeads(((23, 3),)),))
    assert effects.log_odds(trace.next_logits, answer) == pytest.approx(6.12, abs=0.01)
    assert effect(without[None, -1]) == pytest.approx([6.12 - 3.08], abs=0.01)


def test_pinned_tokens_come_first_then_those_likely_in_either_pass():
    before, after = np.log([0.5, 0.3, 0.15, 0.05]), np.log([0.1, 0.2, 0.3, 0.4])
    found = effects.next_token_changes(before, after, 2, pinned=[1])
    assert [token.id for token in found] == [1, 0, 3]
    assert found[2].before == pytest.approx(0.05)
    assert found[2].after == pytest.approx(0.4)


@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.lists(st.integers(0, 9), unique=True))
def test_every_token_is_shown_once(seed, count, pinned):
    before, after = np.random.default_rng(seed).normal(size=(2, 10))
    found = effects.next_token_changes(before, after, count, pinned)
    ids = [token.id for token in found]
    assert ids[: len(pinned)] == pinned
    assert len(ids) == len(set(ids)) == len(pinned) + min(count, 10 - len(pinned))
    assert all(0 < token.before < 1 and 0 < token.after < 1 for token in found)


def test_odds():
    logits = np.log([0.1, 0.2, 0.3, 0.4])
    assert effects.odds(logits, [3], [0, 1]) == pytest.approx(0.4 / 0.3)
    assert effects.odds(logits + 50, [3], [0, 1]) == pytest.approx(0.4 / 0.3)
