"""What heads write for an answer: exact sums, a slow loop, and the facts of one sentence."""

from dataclasses import replace

import numpy as np
import pytest

import attention
from attention import presets
from attention.analysis import words
from attention.analysis.logit_lens import logit_lens
from attention.interventions import attribution, steering
from attention.interventions.ablation import removal_effects
from attention.interventions.effects import answer_slope, log_odds
from attention.interventions.writing_frames import lens_frame, writing_frame
from attention.models import registry
from tests.models import tiny
from tests.models.offered import offered
from tests.optional import with_smollm2


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def small(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    tiny.write(folder / f"small-{request.param}", request.param)
    with offered(folder):
        return attention.load_model(f"small-{request.param}")


ANSWER = ((3,), (5,))


def test_all_parts_sum_to_the_difference_of_the_logits(small):
    trace = small.trace("the cat sat on the mat")
    found = attribution.written_for(small, trace, ANSWER)
    exact = float(trace.next_logits[3]) - float(trace.next_logits[5])
    assert found.total == pytest.approx(exact, abs=1e-5)
    assert found.keys.sum(axis=-1) == pytest.approx(found.heads)
    assert (found.constant != 0) == (small.norm == "LayerNorm")


@pytest.mark.parametrize("kind", tiny.DECODERS)
def test_every_architecture_is_added_up_or_refused(kind, tmp_path):
    tiny.write(tmp_path / kind, kind)
    with offered(tmp_path):
        model = attention.load_model(kind)
    trace = model.trace("the cat sat on the mat")
    if not model.sums_parts:
        assert kind.startswith("gemma")
        with pytest.raises(ValueError, match="no sum of parts"):
            attribution.written_for(model, trace, ANSWER)
        return
    found = attribution.written_for(model, trace, ANSWER)
    exact = float(trace.next_logits[3]) - float(trace.next_logits[5])
    assert found.total == pytest.approx(exact, abs=1e-5)
    for layer in range(len(found.heads)):  # the attention of a layer, run by itself
        z = trace.head_output[layer, :, -1].reshape(-1)
        w_o, bias = model.output_projection(layer)
        u, _ = model.readout(trace.hidden[-1, -1], answer_slope(trace.next_logits, ANSWER))
        attended = float((z @ w_o + bias) @ u)
        assert found.heads[layer].sum() + found.biases[layer] == pytest.approx(attended, abs=1e-5)


def test_where_norms_or_caps_stand_between_there_is_no_sum(small, monkeypatch):
    trace = small.trace("the cat sat on the mat")
    assert small.sums_parts
    monkeypatch.setattr(small, "config", replace(small.config, logit_cap=30.0))
    with pytest.raises(ValueError, match="no sum of parts"):
        attribution.written_for(small, trace, ANSWER)


def test_a_head_against_a_slow_loop(small):
    trace = small.trace("the cat sat on the mat")
    found = attribution.written_for(small, trace, ANSWER)
    # the last norm is linear while its scale is held: what it makes of x + part less x, rescaled
    x = trace.hidden[-1, -1].astype(float)
    u, _ = small.readout(trace.hidden[-1, -1], answer_slope(trace.next_logits, ANSWER))
    for layer, head in np.ndindex(found.heads.shape):
        w_o, _ = small.output_projection(layer)
        width = trace.head_output.shape[-1]
        part = [
            sum(float(trace.head_output[layer, head, -1, e]) * float(w_o[head * width + e, d])
                for e in range(width))
            for d in range(len(x))
        ]  # fmt: skip
        assert found.heads[layer, head] == pytest.approx(np.dot(part, u), abs=1e-6)


def test_the_readout_is_what_the_logits_do_while_the_scale_is_held(small):
    trace = small.trace("the cat sat on the mat")
    x = trace.hidden[-1, -1].astype(np.float64)
    slope = answer_slope(trace.next_logits, ANSWER)
    u, _ = small.readout(trace.hidden[-1, -1], slope)
    # twice the stream has twice the scale: the same logits, so held they are twice as far from 0
    doubled = small.logits((2 * x).astype(np.float32)).astype(np.float64) @ slope
    once = small.logits(x.astype(np.float32)).astype(np.float64) @ slope
    assert doubled == pytest.approx(once, rel=1e-3)
    step = np.random.default_rng(0).normal(size=len(x)) * 1e-3 * np.linalg.norm(x)
    own = x - x.mean() if small.norm == "LayerNorm" else x  # what the scale is measured of
    step -= step.mean() if small.norm == "LayerNorm" else 0
    step -= own * (step @ own) / (own @ own)  # to the side, which leaves the length as it is
    after = small.logits((x + step).astype(np.float32)).astype(np.float64) @ slope
    assert after - once == pytest.approx(step @ u, abs=2e-3 * abs(step @ u) + 1e-5)


def test_an_answer_of_several_tokens_counts_each_by_its_share():
    slope = answer_slope(np.log([0.5, 0.3, 0.15, 0.05]), [[0, 1], [2]])
    assert slope.tolist() == pytest.approx([0.625, 0.375, -1, 0])
    rest = answer_slope(np.log([0.5, 0.3, 0.2]), [[0]])
    assert rest.tolist() == pytest.approx([1, -0.6, -0.4])


def test_an_encoder_writes_for_no_answer(model, cat_trace):
    with pytest.raises(ValueError, match="no sum of parts"):
        attribution.written_for(model, cat_trace, ANSWER)


@pytest.fixture(scope="module")
def gift():
    model = attention.load_model(registry.SMOLLM2)
    trace = model.trace(presets.GIFT.text)
    return model, trace, steering.interests(model, "Mary | John")


@with_smollm2
def test_the_head_that_looks_at_mary_writes_against_her(gift):
    model, trace, answer = gift
    found = attribution.written_for(model, trace, answer.ids)
    view = words.view(trace)
    mary = view.find("Mary")
    looks = np.unravel_index(view.weights[:, :, -1, mary].argmax(), found.heads.shape)
    assert tuple(looks) == (24, 4)
    assert view.weights[24, 4, -1, mary] == pytest.approx(0.81, abs=0.005)
    assert found.heads[24, 4] == pytest.approx(-1.07, abs=0.005)
    assert found.ranked(1) == [(23, 3)]
    assert found.heads[23, 3] == pytest.approx(2.86, abs=0.005)
    assert found.total == pytest.approx(float(log_odds(trace.next_logits, answer.ids)), abs=1e-4)
    said = attribution.direct_sentence(
        found, view.weights[:, :, -1], view.labels, "“Mary” against “John”", mary
    )
    assert said.startswith("L23 H3 writes most for “Mary” against “John”: +2.86 of +6.12 nats")
    assert "L24 H4 (0.81), writes -1.07, against it" in said


@with_smollm2
def test_its_removal_halves_the_answer(gift):
    model, trace, answer = gift
    *_, fall = removal_effects(model, trace, [[(23, 3)]], answer=answer.ids)
    assert fall[0] == pytest.approx(6.12 - 3.08, abs=0.01)
    assert fall[0] / log_odds(trace.next_logits, answer.ids) == pytest.approx(0.5, abs=0.01)


@with_smollm2
def test_the_lens_ends_in_what_the_model_predicts(gift):
    model, trace, answer = gift
    lens = logit_lens(model, trace, (0, len(trace.tokens) - 1), answer.ids[0])
    (best, chance), *_ = trace.next_token(1)
    assert model.spell(int(lens.ids[-1, -1])) == best
    assert lens.chances[-1, -1] == pytest.approx(chance, rel=1e-4)
    assert lens.ids.shape == (31, 2)
    assert (lens.ids[lens.settled :, -1] == lens.ids[-1, -1]).all()
    assert lens.ids[lens.settled - 1, -1] != lens.ids[-1, -1]
    table = lens_frame(lens, {0: "When", len(trace.tokens) - 1: "to"}, model.label)
    assert len(table) == 62
    assert table["followed"].max() <= 1
    with pytest.raises(ValueError, match="no position 99: the text has 14 tokens"):
        logit_lens(model, trace, (99,))


def test_the_table_of_heads(small):
    trace = small.trace("the cat sat on the mat")
    view = words.view(trace)
    found = attribution.written_for(small, trace, ANSWER)
    heads = found.ranked(3)
    table = writing_frame(found, heads, view.weights[:, :, -1], view.labels, np.zeros(3))
    assert table["Writes"].abs().is_monotonic_decreasing
    assert table["Weight"].tolist() == [view.weights[head][-1].max() for head in heads]
