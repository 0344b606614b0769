"""Patches against a pass of loops that knows nothing of edits, and what is known of them."""

import numpy as np
import pytest

import attention
from attention.analysis import words
from attention.edits import Cut, CutHeads, Patch
from attention.interventions.effects import log_odds
from attention.interventions.patching import Patching
from attention.interventions.steering import interests
from attention.interventions.wording import edit_text
from tests.models import tiny
from tests.optional import with_smollm2

MARY = "When Mary and John went to the store, John gave a drink to"
JOHN = "When Mary and John went to the store, Mary gave a drink to"
CAT, OLD = "The cat sat on the mat because it was tired", "The cat sat on the old mat, it was soft"
GAVE_TWICE = 9  # the token of the second name


def loops(model, text, put=None):
    """Run every layer with loops over heads and queries; `put` changes what it is handed.

    It is called as put("stream", layer, x (T, D)), put("weights", (layer, head), w (T, T)) and
    put("head", (layer, head), z (T, E)), and returns what takes its place.
    """
    put = put or (lambda part, at, array: array)
    x = model.embed(model.tokenize(text).ids)
    kept = {}
    for layer in range(model.config.num_hidden_layers):
        x = kept["stream", layer] = put("stream", layer, np.array(x))
        query, key, value = model.project(layer, x)
        heads, groups = len(query), len(key)
        outputs = []
        for head in range(heads):
            own = head * groups // heads
            weights = np.zeros((len(x), len(x)))
            for q in range(len(x)):
                seen = q + 1 if model.is_causal else len(x)
                scores = key[own, :seen] @ query[head, q] / np.sqrt(query.shape[-1])
                powers = np.exp(scores - scores.max())
                weights[q, :seen] = powers / powers.sum()
            at = layer, head
            weights = kept["weights", at] = put("weights", at, weights)
            z = kept["head", at] = put("head", at, weights @ value[own])
            outputs.append(z)
        w_o, bias = model.output_projection(layer)
        attended = np.concatenate(outputs, axis=-1).astype(np.float32) @ w_o + bias
        x = model.after_attention(layer, x, attended)
    kept["last"] = x
    return kept


def taken(other, part, place, rows=None, from_rows=None):
    """Return a `put` that takes rows of one part, at one place, from another pass."""

    def put(kind, at, array):
        if kind == part and at == place:
            array[slice(None) if rows is None else rows] = other[part, at][
                slice(None) if from_rows is None else from_rows
            ]
        return array

    return put


@pytest.mark.parametrize(("part", "place"), [("head", (3, 1)), ("weights", (2, 4)), ("stream", 3)])
def test_an_encoder_patched_with_a_text_of_other_length(model, part, place):
    """Rows side by side; whole rows of weights from a text of the same length only."""
    same = CAT.replace("cat", "dog"), None, None
    for other, rows, from_rows in (same, (OLD, [2, 3, 8], [2, 3, 10])):
        if part == "weights" and rows:
            continue  # whole rows are of other keys there: tested below
        theirs = loops(model, other)
        expected = loops(model, CAT, taken(theirs, part, place, rows, from_rows))["last"]
        layer, head = (place, None) if part == "stream" else (place[0], (place[1],))
        sides = (None, None) if rows is None else (tuple(rows), tuple(from_rows))
        edit = Patch(other, part, (layer,), head, *sides)
        found = model.trace(CAT, (edit,))
        assert found.hidden[-1] == pytest.approx(expected, abs=2e-5)
        assert np.abs(found.hidden[-1] - model.trace(CAT).hidden[-1]).max() > 1e-3
        again = model.edited(model.trace(CAT), (edit,)).hidden[-1]
        assert again == pytest.approx(found.hidden[-1], abs=2e-6)
        streams = model.last_streams(model.trace(CAT), [(), (edit,)])
        assert streams[1] == pytest.approx(found.hidden[-1], abs=2e-5)


def test_one_cell_keeps_the_proportions_of_the_rest(model):
    before, other = model.trace(CAT), model.trace(OLD)
    edit = Patch(OLD, "weights", (3,), (1,), (8,), (9,), (2,), (2,))
    row = model.trace(CAT, (edit,)).weights[3, 1, 8]
    new = other.weights[3, 1, 9, 2]
    expected = before.weights[3, 1, 8] * (1 - new) / (1 - before.weights[3, 1, 8, 2])
    expected[2] = new
    assert row == pytest.approx(expected, abs=1e-6)
    assert row.sum() == pytest.approx(1, abs=1e-6)


def test_a_row_that_keeps_nothing_else_is_scaled_itself(model):
    """Only [CLS] and "cat" are put in, after a cut of all other keys."""
    others = tuple(k for k in range(12) if k not in (0, 2))
    put = Patch(OLD, "weights", (3,), (1,), (8,), (9,), (0, 2), (0, 2))
    row = model.trace(CAT, (Cut((8,), others, (3,), (1,)), put)).weights[3, 1, 8]
    theirs = model.trace(OLD).weights[3, 1, 9, [0, 2]]
    assert row[[0, 2]] == pytest.approx(theirs / theirs.sum(), abs=1e-6)
    assert row[list(others)].max() == 0


def test_patching_a_text_with_itself_changes_nothing(model):
    before = model.trace(CAT)
    for part in ("head", "weights", "stream"):
        after = model.trace(CAT, (Patch(CAT, part),))
        assert after.hidden == pytest.approx(before.hidden, abs=2e-6)


def test_an_output_is_put_in_even_where_the_head_is_ablated(model):
    edits = CutHeads(((3, 1),)), Patch(CAT, "head", (3,), (1,))
    assert model.trace(CAT, edits).hidden == pytest.approx(model.trace(CAT).hidden, abs=2e-6)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Patch(OLD, "head"), "12 and 13 tokens: name those that stand side by side"),
        (Patch(OLD, "weights", queries=(1,), from_queries=(1,)), "12 and 13 tokens"),
        (Patch(CAT, "head", queries=(12,), from_queries=(1,)), "no position 12: the text has 12"),
        (Patch(CAT, "head", queries=(1,), from_queries=(12,)), "no position 12: the other text"),
        (Patch("word " * 600, "head"), "tokens"),
        (Patch(CAT, "head", heads=(12,)), "no head 12"),
    ],
)
def test_patches_that_do_not_fit(model, edit, message):
    with pytest.raises(ValueError, match=message):
        model.trace(CAT, (edit,))


def test_a_translation_takes_no_patch_and_its_encoder_does():
    pair = attention.load_translator("en-pt")
    with pytest.raises(ValueError, match="cannot be patched"):
        pair.translate("The bank", cross_edits=(Patch("The bank", "head"),))
    patched = pair.translate("I went to the bank.", (Patch("I went to the shop.", "stream", (0,)),))
    assert patched.text == pair.translate("I went to the shop.").text


def test_the_edit_in_words(model):
    tokens = model.tokenize(CAT)
    shown = words.whole_words(tokens)
    edit = Patch("Two words", "head", (3,), (1,), (8,), (2,))
    assert edit_text(edit, shown, tokens) == "outputs of 8 it, in L3 H1, as in “Two words”"
    cell = Patch("Two words", "weights", (3,), (1,), (8,), (2,), (2,), (1,))
    assert edit_text(cell, shown, tokens).startswith("weights of 8 it to 2 cat, in L3 H1, as in")
    state = Patch("Two words", "stream", (3,))
    assert edit_text(state, shown, tokens).startswith("hidden states of every token, that enter l")


# how much comes back


def last(steps):
    *_, found = steps
    return found


def test_encoder_heads_and_states_against_edits(model):
    patching = Patching(model, model.trace(CAT), model.trace(OLD))
    grid = last(patching.heads())
    for head in ((0, 3), (3, 1), (5, 11)):
        after = model.trace(CAT, patching.patch("head", *head)).hidden[None, -1]
        assert grid[head] == pytest.approx(float(patching.come_back(after)[0]), abs=1e-5)
    weights = last(patching.weights())
    after = model.trace(CAT, patching.patch("weights", 3, 1)).hidden[None, -1]
    assert weights[3, 1] == pytest.approx(float(patching.come_back(after)[0]), abs=1e-5)
    groups = [[i] for i in range(12)]
    states = last(patching.states(groups))
    after = model.trace(CAT, patching.patch("stream", 4, tokens=[8])).hidden[None, -1]
    assert states[4, 8] == pytest.approx(float(patching.come_back(after)[0]), abs=1e-5)


def test_nothing_and_everything_are_0_and_1(model):
    own, other = model.trace(CAT), model.trace(CAT.replace("tired", "soft"))
    patching = Patching(model, own, other)
    assert patching.come_back(np.stack([own.hidden[-1], other.hidden[-1]])) == pytest.approx(
        [0, 1], abs=1e-5
    )
    whole = model.trace(CAT, patching.patch("stream", 0)).hidden[None, -1]
    assert patching.come_back(whole)[0] == pytest.approx(1, abs=1e-5)


def test_equal_texts_leave_nothing_to_come_back(model):
    same = Patching(model, model.trace(CAT), model.trace(CAT))
    assert not same.apart
    assert np.isnan(same.come_back(model.trace(CAT).hidden[None, -1])).all()


# two names change places in SmolLM2


@pytest.fixture(scope="module")
def names():
    model = attention.load_model("smollm2")
    answer = interests(model, "Mary | John").ids
    return Patching(model, model.trace(MARY), model.trace(JOHN), answer)


@with_smollm2
@pytest.mark.slow
def test_against_a_pass_of_loops(names):
    model, answer = names.model, names.answer
    theirs = loops(model, JOHN)
    own, other = (
        float(log_odds(model.logits(loops(model, text)["last"][-1]), answer))
        for text in (MARY, JOHN)
    )
    assert names.ends == pytest.approx((own, other), abs=1e-3)
    grid = last(names.heads())
    for head in ((23, 3), (24, 4), (0, 0)):
        after = loops(model, MARY, taken(theirs, "head", head))["last"][-1]
        expected = (float(log_odds(model.logits(after), answer)) - own) / (other - own)
        assert grid[head] == pytest.approx(expected, abs=1e-3)


@with_smollm2
@pytest.mark.slow
def test_the_head_that_writes_the_name_brings_most_back(names):
    grid = last(names.heads())
    assert np.unravel_index(grid.argmax(), grid.shape) == (23, 3)
    assert grid[23, 3] == pytest.approx(0.61, abs=0.01)
    assert grid[24, 4] == pytest.approx(-0.18, abs=0.01)  # attends to the name, writes against
    assert abs(np.median(grid)) < 0.01


@with_smollm2
@pytest.mark.slow
def test_the_name_is_at_its_own_place_in_low_layers_and_at_the_last_one_in_high_ones(names):
    tokens = len(names.trace.tokens)
    states = last(names.states([[GAVE_TWICE], [tokens - 1]]))
    assert states[0, 0] == pytest.approx(1, abs=1e-3)
    assert states[15, 0] > 0.9
    assert states[25, 0] < 0.1
    assert np.abs(states[:12, 1]).max() < 0.05
    assert states[25, 1] > 0.9


@pytest.mark.parametrize("kind", ["mistral", "gemma3_text"])
def test_weights_of_a_shorter_text_are_not_put_outside_of_a_window(tmp_path, kind):
    """“it was” stands near “the cat” there, and far from it here."""
    model = tiny.loader(kind).from_folder("tiny", tiny.write(tmp_path / "m", kind))
    text, other = "the cat sat on the mat it was", "the cat it was"
    plain = model.trace(text)
    for layer in range(3):
        edit = Patch(other, "weights", (layer,), None, (6, 7), (2, 3), (0, 1, 6, 7), (0, 1, 2, 3))
        found = model.trace(text, (edit,)).weights[layer]
        hidden = np.isneginf(plain.scores[layer])
        assert not found[hidden].any()
        assert found.sum(axis=-1) == pytest.approx(1, abs=1e-5)
        theirs = model.trace(other).weights[layer, :, 2:, 2:]
        if not hidden[0, 7, 1]:  # no window in this layer: all of the four keys are as there
            assert found[:, 6:, 6:] == pytest.approx(theirs, abs=1e-6)
