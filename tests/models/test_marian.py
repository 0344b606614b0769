"""Translators: the pass against slow loops, cross-attention and its edits, what comes out."""

import math

import numpy as np
import pytest

from attention.edits import Add, Cut, CutHeads, SetRow
from attention.models.marian import Marian
from attention.models.marian_header import FLOAT32
from tests.models import tiny_marian
from tests.models.tiny_marian import TWO, UNTIED

TEXT = "the cat sat on the mat"
KINDS = {
    "one table": {},
    "two tables": TWO | {"dim-vocabs": [16, 20]},
    "untied": UNTIED | {"dim-vocabs": [16, 20]},
    "other sizes": {
        "dim-emb": 12, "transformer-heads": 2, "transformer-dim-ffn": 20, "enc-depth": 3,
        "dec-depth": 4,
    },
}  # fmt: skip


@pytest.fixture(scope="module", params=KINDS)
def pair(request, tmp_path_factory):
    """Return a translator, and the numbers that it was made of."""
    changes = KINDS[request.param]
    folder = tmp_path_factory.mktemp("pair") / "m"
    made = Marian.from_folder("m", tiny_marian.write(folder, kind=FLOAT32, **changes))
    return made, tiny_marian.tensors(**changes)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return Marian.from_folder("tiny", tiny_marian.write(tmp_path_factory.mktemp("tiny") / "m"))


class Slow:
    """The whole pass with one number after the other, in float64."""

    def __init__(self, weights, config):
        self.depths = config.num_hidden_layers, config.decoder_layers
        heads = config.num_attention_heads
        self.w, self.heads = {name: w.astype(float) for name, w in weights.items()}, heads

    def linear(self, name, x):
        matrix = self.w[f"{name}.weight"]
        bias = self.w.get(f"{name}.bias", np.zeros(len(matrix)))
        return np.array([sum(m * v for m, v in zip(row, x, strict=True)) for row in matrix]) + bias

    def norm(self, name, x):
        spread = math.sqrt(sum((v - x.mean()) ** 2 for v in x) / len(x) + 1e-9)
        return (x - x.mean()) / spread * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def word(self, table, token, position):
        width = self.w[table].shape[1]
        found = np.zeros(width) if token is None else self.w[table][token] * math.sqrt(width)
        for i in range(width // 2):
            angle = position * math.exp(-i * math.log(10_000) / (width // 2 - 1))
            found[i] += math.sin(angle)
            found[width // 2 + i] += math.cos(angle)
        return found

    def attend(self, name, asker, rows):
        """Return the weights of each head and the stream after them."""
        query = np.split(self.linear(f"{name}.query", asker), self.heads)
        keys = [np.split(self.linear(f"{name}.key", row), self.heads) for row in rows]
        values = [np.split(self.linear(f"{name}.value", row), self.heads) for row in rows]
        weights, joined = [], []
        for head in range(self.heads):
            scores = [query[head] @ key[head] / math.sqrt(len(query[head])) for key in keys]
            terms = [math.exp(score) for score in scores]
            weights.append([term / sum(terms) for term in terms])
            joined.append(sum(w * v[head] for w, v in zip(weights[-1], values, strict=True)))
        added = self.linear(f"{name}.output", np.concatenate(joined))
        return weights, self.norm(f"{name}.norm", asker + added)

    def mlp(self, name, x):
        inner = np.array([max(0.0, v) for v in self.linear(f"{name}.inner", x)])
        return self.norm(f"{name}.norm", x + self.linear(f"{name}.outer", inner))

    def encode(self, ids):
        x = [self.word("words.weight", token, at) for at, token in enumerate(ids)]
        for layer in range(self.depths[0]):
            x = [self.attend(f"encoder.{layer}.attention", row, x)[1] for row in x]
            x = [self.mlp(f"encoder.{layer}.mlp", row) for row in x]
        return x

    def decode(self, encoded, steps):
        """Return the tokens of a translation, its cross-attention and how every word scored."""
        table = "decoder.words.weight" if "decoder.words.weight" in self.w else "words.weight"
        head = self.w.get("decoder.output.weight", self.w[table])
        cells, ids, weights, scores = [np.zeros(head.shape[1])] * self.depths[1], [], [], []
        for step in range(steps):
            y = self.word(table, ids[-1] if ids else None, step)
            looked = []
            for layer in range(self.depths[1]):
                here = f"decoder.{layer}"
                forget = 1 / (1 + np.exp(-self.linear(f"{here}.recurrent.forget", y)))
                new = self.linear(f"{here}.recurrent.candidate", y)
                cells[layer] = forget * cells[layer] + (1 - forget) * new
                y = self.norm(f"{here}.recurrent.norm", y + np.maximum(cells[layer], 0))
                found, y = self.attend(f"{here}.attention", y, encoded)
                looked.append(found)
                y = self.mlp(f"{here}.mlp", y)
            weights.append(looked)
            scores.append(head @ y + self.w["decoder.output.bias"])
            scores[-1][1] = -math.inf
            ids.append(int(scores[-1].argmax()))
            if ids[-1] == 0:
                break
        return ids, np.moveaxis(np.array(weights), 0, 2), np.array(scores)


def test_the_pass_is_that_of_slow_loops(pair):
    model, weights = pair
    slow, done = Slow(weights, model.config), model.translate(TEXT)
    encoded = slow.encode(done.source.ids)
    np.testing.assert_allclose(done.encoder.hidden[-1], encoded, atol=2e-5)
    ids, looked, scores = slow.decode(encoded, int(2.5 * len(done.source)))
    assert len(ids) > 2
    assert done.target.ids.tolist() == ids
    np.testing.assert_allclose(done.cross_weights, looked, atol=2e-5)
    chances = np.exp(scores[-1] - scores[-1].max())
    np.testing.assert_allclose(done.chances(len(ids) - 1), chances / chances.sum(), atol=2e-5)


def test_the_encoder_is_a_model_like_the_others(tiny):
    trace = tiny.trace(TEXT)
    assert trace.tokens[-1] == "</s>"
    assert trace.input.special == (False,) * 6 + (True,)
    assert trace.weights.shape == (2, 4, 7, 7)
    np.testing.assert_allclose(trace.weights.sum(-1), 1, atol=1e-6)
    np.testing.assert_allclose(tiny.resume(trace.hidden[1], 1), trace.hidden[2], atol=1e-6)
    assert not tiny.predicts
    assert repr(tiny) == "Marian tiny: 2 x 4 heads, 16 wide, 16 words"


def test_a_translation_says_what_it_looked_at(tiny):
    done = tiny.translate(TEXT)
    steps = len(done.target)
    assert done.cross_weights.shape == (2, 4, steps, 7)
    np.testing.assert_allclose(done.cross_weights.sum(-1), 1, atol=1e-6)
    assert not done.cross_weights.flags.writeable
    assert repr(done).startswith(f"Translation by tiny: 7 tokens -> {steps}, ")
    for step in range(steps):
        (text, chance), *others = done.next_token(step, k=3)
        assert text == tiny.spell_target(int(done.target.ids[step]))
        assert chance == max(done.chances(step)) >= max(p for _, p in others)
    assert done.chances(0).sum() == pytest.approx(1)
    assert done.chances(0)[1] == 0  # <unk>


def test_it_stops_at_two_and_a_half_times_the_source(tiny):
    decoder = tiny.decoder
    before = decoder.end
    try:
        decoder.end = -1  # as if it never came to an end
        done = tiny.translate("the cat")
    finally:
        decoder.end = before
    assert len(done.target) == 7  # of 3 tokens
    assert not done.ended


def test_an_empty_text_has_an_empty_translation(tiny):
    done = tiny.translate("")
    assert done.text == ""
    assert done.cross_weights.shape == (2, 4, 0, 1)
    assert done.ended


def test_a_word_of_the_translation_stands_where_its_span_says(tiny):
    done = tiny.translate(TEXT)
    target = done.target
    for at, (start, end) in enumerate(target.spans):
        said = "" if target.special[at] else target.texts[at]
        assert done.text[start:end].strip() == said.strip()


def test_a_beginning_that_is_given_is_gone_on_from(tiny):
    cut = (Cut(queries=(1,), keys=(2,)),)
    for edits in ((), cut):
        done = tiny.translate(TEXT, edits, edits)
        for step in range(len(done.target)):
            near = [edit for edit in edits if step]  # before step 1 the edit names no step there is
            found = tiny.chances_after(TEXT, done.target.ids[:step], edits, tuple(near))
            np.testing.assert_allclose(found, done.chances(step), atol=1e-6)
    other = tiny.chances_after(TEXT, [5, 6, 7])
    assert other.sum() == pytest.approx(1)
    assert not np.allclose(other, tiny.chances_after(TEXT, [7, 6, 5]))


@pytest.mark.parametrize("token", [0, -1, 16])
def test_a_beginning_that_cannot_be_is_refused(tiny, token):
    with pytest.raises(ValueError, match=f"cannot begin with token {token} of 16"):
        tiny.chances_after(TEXT, [5, token])


def test_cut_cross_attention_is_not_looked_at(tiny):
    done = tiny.translate(TEXT, cross_edits=(Cut(keys=(1, 3)),))
    assert done.cross_weights[..., [1, 3]].max() == 0
    np.testing.assert_allclose(done.cross_weights.sum(-1), 1, atol=1e-6)
    assert done.cross_edits == (Cut(keys=(1, 3)),)


def test_an_edit_of_a_step_changes_nothing_before_it(tiny):
    plain = tiny.translate(TEXT)
    edited = tiny.translate(
        TEXT, cross_edits=(Cut(queries=(2,), keys=(1,), layers=(1,), heads=(3,)),)
    )
    both = plain.cross_weights, edited.cross_weights
    np.testing.assert_array_equal(*(w[:, :, :2] for w in both))
    np.testing.assert_array_equal(*(w[0, :, 2] for w in both))
    assert edited.cross_weights[1, 3, 2, 1] == 0
    assert plain.cross_weights[1, 3, 2, 1] > 0


def test_added_scores_rows_and_ablated_heads_act_on_cross_attention(tiny):
    row = (0.25, 0.75, 0, 0, 0, 0, 0)
    edits = (Add(1.0, keys=(0,), heads=(0,)), SetRow(row, heads=(1,)), CutHeads(((0, 2),)))
    plain, edited = (tiny.translate(TEXT, cross_edits=e).cross_weights for e in ((), edits))
    before = plain[0, 0, 0, 0]
    more = before * math.e / (1 - before + before * math.e)
    assert edited[0, 0, 0, 0] == pytest.approx(more, abs=1e-6)
    np.testing.assert_array_equal(
        edited[0, 1], np.broadcast_to(np.float32(row), edited[0, 1].shape)
    )
    assert not edited[0, 2].any()
    assert edited[1, 2].any()


def test_edits_of_the_encoder_are_those_of_its_trace(tiny):
    edits = (Cut(queries=(1,), keys=(2,)),)
    done = tiny.translate(TEXT, edits)
    np.testing.assert_array_equal(done.encoder.weights, tiny.trace(TEXT, edits).weights)
    assert done.encoder.edits == edits


@pytest.mark.parametrize(
    ("edits", "cross", "told"),
    [
        ((Cut(keys=(7,)),), (), "no position 7: the text has 7 tokens"),
        ((), (Cut(keys=(7,)),), "no position 7: the text has 7 tokens"),
        ((), (Cut(queries=(17,)),), "no step 17: a translation of it has at most 17 steps"),
        ((), (Cut(layers=(2,)),), "no layer 2: the decoder of tiny has layers 0 to 1 and heads 0"),
        ((), (CutHeads(((0, 4),)),), "no head 4: the decoder of tiny has"),
        ((), (SetRow((1.0,)),), "a row of 1 weights for a text of 7 tokens"),
        ((), Cut(keys=(1,)), "edits are a tuple of Cut"),
    ],
)
def test_edits_of_what_is_not_there_are_refused(tiny, edits, cross, told):
    with pytest.raises(ValueError, match=told):
        tiny.translate(TEXT, edits, cross)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda done: done.next_token(len(done.target)), "no step"),
        (lambda done: done.next_token(-1), "no step -1: the translation has"),
        (lambda done: done.next_token(0, k=0), "k must be at least 1, got 0"),
    ],
)
def test_a_step_that_is_not_there_is_refused(tiny, ask, told):
    with pytest.raises(ValueError, match=told):
        ask(tiny.translate(TEXT))


def test_a_text_that_is_too_long_is_refused_with_both_numbers(tiny):
    with pytest.raises(ValueError, match="has 602 tokens; the model reads at most 512"):
        tiny.translate("cat " * 600)
