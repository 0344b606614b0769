"""The steps of a decoder's layer: each computed again, and said of any place."""

import dataclasses

import numpy as np
import pytest

from attention.models.gpt2 import Gpt2
from attention.models.llama import Llama
from attention.models.marian import Marian
from attention.pipeline import decoder_steps, receipt, steps
from attention.pipeline.head_state import HeadState
from tests.models import tiny, tiny_marian

TEXT = "the cat sat on the mat"
KINDS = {"llama": (Llama, {}), "unshared": (Llama, {"num_key_value_heads": 4}), "gpt2": (Gpt2, {})}


@pytest.fixture(params=tiny.CONFIGS)
def any_place(request, tmp_path):
    folder = tiny.write(tmp_path / "tiny", request.param)
    model = tiny.loader(request.param).from_folder("tiny", folder)
    return HeadState(model, model.trace(f"{TEXT} it was"), layer=1, head=3, query=6, key=2)


@pytest.fixture(params=KINDS)
def place(request, tmp_path):
    loader, changes = KINDS[request.param]
    kind = "gpt2" if loader is Gpt2 else "llama"
    model = loader.from_folder("tiny", tiny.write(tmp_path / "tiny", kind, **changes))
    return HeadState(model, model.trace(TEXT), layer=1, head=3, query=4, key=2)


def keys(place):
    return [step.key for step in decoder_steps.steps_for(place.model)]


def test_rotation_is_a_step_of_llama_only(place):
    assert ("rotate" in keys(place)) == isinstance(place.model, Llama)
    assert keys(place)[:3] == ["stream", "norm", "qkv"]
    assert keys(place)[-1] == "back"


def test_every_step_is_what_the_model_computes(any_place):
    place = any_place
    for step in decoder_steps.steps_for(place.model):
        assert step.gap is None or step.gap(place) < 1e-5, step.key
        assert step.sentence(place)
        for matrix in step.matrices(place):
            assert matrix.values.shape[1] > 0
            assert not np.isinf(matrix.values).any()  # hidden cells are absent


def test_steps_with_a_gap(place):
    checked = {s.key for s in decoder_steps.steps_for(place.model) if s.gap}
    assert checked >= {"softmax", "blend", "back"}
    assert ("rotate" if isinstance(place.model, Llama) else "qkv") in checked


def test_shared_heads_are_named(place):
    assert place.group == (1 if place.sizes["G"] == 2 else 3)
    assert place.sharers == ([2, 3] if place.sizes["G"] == 2 else [3])
    qkv = next(s for s in decoder_steps.steps_for(place.model) if s.key == "qkv")
    assert ("share" in qkv.what) == (place.sizes["G"] == 2)
    # two heads saved, keys and values, 4 numbers of 4 bytes, 3 layers
    assert ("192 bytes" in qkv.sentence(place)) == (place.sizes["G"] == 2)


def test_the_mask_hides_later_cells(place):
    mask = next(s for s in decoder_steps.steps_for(place.model) if s.key == "mask")
    before, after = mask.matrices(place)
    assert not np.isnan(before.values).any()
    hidden = np.isnan(after.values)
    np.testing.assert_array_equal(hidden, ~np.tri(6, dtype=bool))
    assert "15 of all 36" in mask.sentence(place)


def test_an_encoder_keeps_its_own_steps(model):
    assert decoder_steps.steps_for(model) == steps.ENCODER_STEPS


def step(place, key):
    return next(s for s in decoder_steps.steps_for(place.model) if s.key == key)


def test_biases_stand_in_the_formulas_of_the_model_that_has_them(place):
    gpt2 = isinstance(place.model, Gpt2)
    assert ("b_Q" in step(place, "qkv").formulas[0]) == gpt2
    assert ("b_O" in step(place, "w_o").formulas[0]) == gpt2
    assert ("bias" in step(place, "w_o").sentence(place)) == gpt2
    assert ("LayerNorm" in step(place, "norm").formulas[0]) == gpt2


def test_the_norm_is_what_its_words_say(place):
    """The gain g, and the shift b, are taken off again: see `formulas`."""
    model, x = place.model, place.x
    if isinstance(model, Gpt2):
        gain, shift = (model._weights[f"h.1.ln_1.{part}"] for part in ("weight", "bias"))
        plain = (place.normalised - shift) / gain
        np.testing.assert_allclose(plain.mean(-1), 0, atol=1e-5)
        np.testing.assert_allclose(plain.std(-1), 1, atol=1e-3)
    else:
        plain = place.normalised / model._weights["layers.1.input_layernorm.weight"]
        np.testing.assert_allclose((plain**2).mean(-1), 1, atol=1e-3)
        np.testing.assert_allclose(x / np.sqrt((x**2).mean(-1, keepdims=True)), plain, atol=1e-3)


def test_rotation_turns_each_pair_by_its_own_angle(place):
    if not isinstance(place.model, Llama):
        with pytest.raises(TypeError, match="rotates nothing"):
            _ = place.turns
        return
    assert place.turns == pytest.approx((1, 100 ** (-2 / 4)))  # base 100, heads 4 wide
    assert "turns by 4 and 2 radians, the last by 0.4 and 0.2" in step(place, "rotate").sentence(
        place
    )
    (before, after) = (m.values for m in step(place, "rotate").matrices(place)[:2])
    for i, slower in enumerate((1.0, 0.1)):
        pair = before[:, i] + 1j * before[:, i + 2]
        turned = pair * np.exp(1j * slower * np.arange(len(pair)))
        np.testing.assert_allclose(after[:, i] + 1j * after[:, i + 2], turned, atol=1e-5)


def test_a_wrong_trace_shows_in_the_gap(place):
    """What a step says of its gap depends on the trace, not on itself alone."""
    for key in ("qkv", "rotate", "softmax", "blend", "back"):
        if key not in keys(place) or step(place, key).gap is None:
            continue
        for name in ("query", "key", "value", "weights", "head_output", "hidden"):
            array = getattr(place.trace, name)
            changed = dataclasses.replace(place.trace, **{name: array + np.float32(0.1)})
            other = dataclasses.replace(place, trace=changed)
            if step(place, key).gap(other) > 0.01:
                break
        else:
            pytest.fail(f"{key} is blind")


def test_the_first_token_can_read_itself_only(place):
    first = dataclasses.replace(place, query=0, key=0)
    for one in decoder_steps.steps_for(place.model):
        assert one.sentence(first)
        assert one.question is None or one.question(first) is None
    assert "only one" in step(place, "scale").sentence(first)
    assert "The one score" in step(place, "softmax").sentence(first)
    assert "its own value" in step(place, "blend").sentence(first)


def test_positions_that_are_sines_are_shown_where_they_come_in(tmp_path):
    model = Marian.from_folder("tiny", tiny_marian.write(tmp_path / "m"))
    trace = model.trace(TEXT)
    below, above = (HeadState(model, trace, layer, head=1, query=4, key=2) for layer in (0, 1))
    shown = {step.key: step for step in decoder_steps.steps_for(model)}
    words, positions, x = (matrix.values for matrix in shown["stream"].matrices(below))
    np.testing.assert_allclose(words + positions, x, atol=1e-6)
    np.testing.assert_array_equal(positions[0], [0] * 8 + [1] * 8)
    assert len(shown["stream"].matrices(above)) == 1
    assert "norm" not in shown
    for step in shown.values():
        assert step.gap is None or max(step.gap(below), step.gap(above)) < 1e-5


def test_steps_between_the_matrices_and_the_mask_are_there_for_those_that_have_them(any_place):
    model, here = any_place.model, keys(any_place)
    kind = type(model).__name__, model.family
    assert ("head_norms" in here) == (kind[1] in ("Qwen3", "Gemma 3"))
    assert ("adjust" in here) == (kind[1] in ("MPNet", "Gemma 2"))
    assert ("rotate" in here) == model.rotary
    back = step(any_place, "back")
    assert ("does not wait" in back.what) == (kind[0] == "GptNeoX")
    assert ("Both are normalised" in back.what) == (kind[1] in ("Gemma 2", "Gemma 3"))
    gated = r"\mathrm{GELU}(y W_g)" if "Gemma" in kind[1] else r"\mathrm{silu}(y W_g)"
    assert model.gated_mlp == any(gated in formula for formula in back.formulas)


def test_a_window_hides_what_is_too_far_back(any_place):
    place, mask = any_place, step(any_place, "mask")
    assert ("window" in mask.what) == (place.model.family in ("Mistral", "Gemma 2", "Gemma 3"))
    if place.window:
        assert place.window == 5
        assert place.seen == slice(2, 7)
        assert "keeps 5 of 8 scores; 34 of all 64 are hidden" in mask.sentence(place)
        assert "5 and more before it" in mask.sentence(place)


def test_the_receipt_of_any_model_is_what_its_trace_has(any_place):
    p = any_place
    for head in range(4):
        made = receipt.receipt_of(p.trace, receipt.ReceiptCell(1, head, 6, 3, 1))
        assert made.weight == pytest.approx(p.trace.weights[1, head, 6, 3], abs=1e-6)
        assert made.output == pytest.approx(p.trace.head_output[1, head, 6, 1], abs=1e-5)
        extra = "what the model makes of that" in receipt.weight_steps(made)
        assert extra == (p.trace.scoring is not None)


def test_a_rotation_that_is_scaled_or_partial_says_so(tmp_path):
    told = {"rope_type": "linear", "rope_theta": 100.0, "factor": 4.0}
    changes = {"rope_parameters": told, "partial_rotary_factor": 0.5, "head_dim": 8}
    model = Llama.from_folder("tiny", tiny.write(tmp_path / "m", "llama", **changes))
    place = HeadState(model, model.trace(TEXT), layer=1, head=3, query=4, key=2)
    turned = step(place, "rotate")
    assert "Only the first R = 4 of the E numbers" in turned.what
    assert "divided, from 4 for some pairs to 4 for others" in turned.what
    assert turned.formulas[-1] == r"\theta_i = \theta^{-2i/R} / d_i"
    assert "turns by 1 and 0.5 radians, the last by 0.1 and 0.05" in turned.sentence(place)
    assert turned.gap(place) < 1e-5


def test_what_enters_the_first_layer_is_what_the_words_say(any_place):
    model, said = any_place.model, step(any_place, "stream").what
    ids = model.tokenize(TEXT).ids
    words = model.word_embeddings[ids]
    if "times the root of the width" in said and model.norm_first:
        words = words * np.sqrt(np.float32(model.config.hidden_size))
    if "of that of its position" in said:
        other = ids[::-1]  # the same positions of other words
        words = words + model.embed(other) - model.word_embeddings[other]
    assert ("as wide as the stream" in said) == (model.family == "ELECTRA")
    if model.norm_first:
        assert model.rotary != ("of that of its position" in said)
        np.testing.assert_allclose(model.embed(ids), words, atol=1e-6)
