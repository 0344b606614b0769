"""What happens in one layer, step by step: where a model differs from a BERT encoder."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from attention.models.layers import rotate, sine_positions
from attention.models.transformer import Transformer
from attention.pipeline import score_steps
from attention.pipeline import sentences as say
from attention.pipeline.head_state import HeadState
from attention.pipeline.matrix import Matrix
from attention.pipeline.steps import (
    ENCODER_STEPS,
    TD,
    TE,
    TT,
    PipelineStep,
    gap,
    query_by_key,
    visible,
)

_SHARED = {step.key: step for step in ENCODER_STEPS}


def _unturned(p: HeadState) -> list[Matrix]:
    return [
        Matrix("Q", "search terms", TE, p.projected[0], p.query),
        Matrix("K", "titles", TE, p.projected[1], p.key),
        Matrix("V", "contents", TE, p.v, p.key),
    ]


def _with_positions(p: HeadState) -> list[Matrix]:
    x = Matrix("X", "one row for each token", TD, p.x, p.query)
    if p.layer:
        return [x]
    positions = sine_positions(p.sizes["T"], p.sizes["D"])
    words = p.model.word_embeddings[p.trace.input.ids] * np.float32(math.sqrt(p.sizes["D"]))
    return [
        Matrix("√D word", "learned", TD, words, p.query),
        Matrix("P", "sines, cosines", TD, positions, p.query),
        replace(x, meaning="their sum"),
    ]


def _rotated_gap(p: HeadState) -> float:
    angles = p.model.angles(p.sizes["T"], layer=p.layer)
    q, k = (rotate(rows, *angles) for rows in p.unrotated)
    return max(gap(q, p.q), gap(k, p.k))


_STREAM = replace(
    _SHARED["stream"],
    what="Every token enters the layer as one row of numbers, its **representation**: what the "
    "layers before have made of it. It is the sum of the token's learned vector and of all that "
    "these layers have added; nothing is normalised on the way.",
)
_SINES = replace(
    _SHARED["stream"],
    what="Every token enters the layer as one row of numbers, its **representation**: what the "
    "layers before have made of it. In layer 0 it is the learned vector of the token, times the "
    "root of the width, plus the **sines and cosines** of its position: waves of D / 2 lengths, "
    "the same for every text.",
    formulas=(
        r"X = h^{(\ell)}",
        r"h^{(0)} = \sqrt{D}\, \mathrm{word} + P",
        r"P_{p, i} = \sin(p\, r^i)",
        r"P_{p, D/2 + i} = \cos(p\, r^i)",
        r"r = 10000^{-1 / (D/2 - 1)}",
    ),
    matrices=_with_positions,
)
_NORM = PipelineStep(
    "norm",
    "Normalise",
    "→ norm",
    "The heads' input is not the stream itself but a copy in which all rows have a mean square of "
    "1, with a learned gain for each column. The stream goes on unchanged past the layer.",
    (r"\hat X = \mathrm{RMSNorm}(X) = \frac{X}{\sqrt{\mathrm{mean}(X^2) + \epsilon}} \odot g",),
    (("X, X̂", TD),),
    lambda p: [
        Matrix("X", "came in", TD, p.x, p.query),
        Matrix("X̂", "the heads' input", TD, p.normalised, p.query),
    ],
    say.normalised,
)
_LAYER_NORM = replace(
    _NORM,
    what="The heads' input is not the stream itself but a copy in which all rows have a mean of 0 "
    "and the same spread, with a learned gain and shift for each column. The stream goes on "
    "unchanged past the layer.",
    formulas=(r"\hat X = \mathrm{LayerNorm}(X) = \frac{X - \mu}{\sqrt{\sigma^2 + \epsilon}} "
              r"\odot g + b",),
)  # fmt: skip
_SHARING = (
    " Here several query heads **share** one head of keys and values, so that fewer of them have "
    "to be kept while a text is written (grouped-query attention)."
)
_ROTATE = PipelineStep(
    "rotate",
    "Rotate (RoPE)",
    "→ rotate",
    "Nothing so far says where a token stands. Each query and key is cut into pairs of numbers, "
    "and each pair is **turned** by an angle that grows with the position: the first pair fast, "
    "the last hardly. When two of them are multiplied, what counts is the difference of their "
    "angles: how far apart the tokens are. Values are not turned.",
    (
        r"q'_i = q_i \cos t\theta_i - q_{i + E/2} \sin t\theta_i",
        r"q'_{i + E/2} = q_i \sin t\theta_i + q_{i + E/2} \cos t\theta_i",
        r"t = 0, 1, \dots \ \text{the position}",
        r"\theta_i = \theta^{-2i/E}",
    ),
    (("Q, K, Q′, K′", TE),),
    lambda p: [
        Matrix("Q", "before", TE, p.unrotated[0], p.query),
        Matrix("Q′", "turned", TE, p.q, p.query),
        Matrix("K", "before", TE, p.unrotated[1], p.key),
        Matrix("K′", "turned", TE, p.k, p.key),
    ],
    say.rotated,
    one_scale=True,
    gap=_rotated_gap,
)
_MASK = replace(
    _SHARED["mask"],
    what="A mask forbids some pairs by adding −∞ to their score. This model is a decoder: it "
    "learned to predict the next token, so no token may attend to what comes later. Those cells "
    "are not small, they are **absent**.",
    formulas=(
        "S'' = S' + M",
        r"M_{qk} = -\infty \ \text{for}\ k > q",
        r"M_{qk} = 0 \ \text{otherwise}",
    ),
    matrices=lambda p: [
        query_by_key("S′", "every pair", p.adjusted, p, True),
        query_by_key("S″", "what the mask leaves", visible(p.scores), p, True),
    ],
    sentence=say.causal,
    shapes=(("S′", TT), ("M", TT)),
)
_BACK = replace(
    _SHARED["back"],
    what="The output of attention is **added** to the representation that came in. Then a small "
    "network, the MLP, works on a normalised copy, each token by itself, and its result is added. "
    "The next layer starts from there.",
    formulas=("Y = X + O", r"h^{(\ell + 1)} = Y + \mathrm{MLP}(\mathrm{Norm}(Y))"),
)
_ADDED_NORMS = (
    r"Y = X + \mathrm{Norm}(O)",
    r"h^{(\ell + 1)} = Y + \mathrm{Norm}(\mathrm{MLP}(\mathrm{Norm}(Y)))",
)
_PARALLEL = replace(
    _BACK,
    what="The output of attention is **added** to the representation that came in. The small "
    "network, the MLP, does not wait for it: it works on a normalised copy of what came in, too, "
    "each token by itself, and both results are added. The next layer starts from there.",
    formulas=(
        "Y = X + O",
        r"h^{(\ell + 1)} = Y + \mathrm{MLP}(\mathrm{Norm}(X))",
    ),
)
_UNBIASED = replace(_SHARED["w_o"], formulas=(r"O = Z\, W_O = \sum_h Z_h W_O^{(h)}",))
_SCORES = replace(
    _SHARED["scores"],
    what=_SHARED["scores"].what + " Later tokens are scored too: the mask comes after.",
)


def steps_for(model: Transformer) -> tuple[PipelineStep, ...]:
    """Return the steps of a layer of this model, put together from what it says of itself."""
    causal = model.is_causal
    norm = _NORM if model.norm == "RMSNorm" else _LAYER_NORM
    return (
        _stream(model),
        *([norm] if model.norm_first else []),
        _qkv(model),
        *([score_steps.HEAD_NORMS] if model.head_norms else []),
        *([_rotate(model)] if model.rotary else []),
        _SCORES if causal else _SHARED["scores"],
        _SHARED["scale"],
        *score_steps.adjusted_steps(model),
        _mask(model) if causal else _SHARED["mask"],
        *(_SHARED[key] for key in ("softmax", "blend", "concat")),
        _SHARED["w_o"] if model.output_bias else _UNBIASED,
        _back(model),
    )


def _rotate(model: Transformer) -> PipelineStep:
    """Return the rotation, with what this model changes of it."""
    rope, said, formulas = model.rope(), _ROTATE.what, list(_ROTATE.formulas)
    if rope is None:
        raise TypeError(f"{model.name} rotates nothing")
    if rope.width < model.config.head_dim:
        said += f" Only the first R = {rope.width} of the E numbers of a head take part."
        formulas = [formula.replace("E", "R") for formula in formulas]
    if rope.divisors:
        formulas[-1] += " / d_i"
        said += (
            " So that longer texts can be read, the angles are divided, from "
            f"{min(rope.divisors):.3g} for some pairs to {max(rope.divisors):.3g} for others."
        )
    if len({model.rope(layer) for layer in range(model.config.num_hidden_layers)}) > 1:
        said += " Layers with a window turn by other angles than those without."
    if rope.gain != 1:
        said += f" What is turned is also made {rope.gain:.3g} times as long."
    return replace(_ROTATE, what=said, formulas=tuple(formulas))


def _mask(model: Transformer) -> PipelineStep:
    if model.scoring is None or not any(model.scoring.windows):
        return _MASK
    width = next(window for window in model.scoring.windows if window)
    here = sum(window is not None for window in model.scoring.windows)
    said = (
        f" In {here} of the {len(model.scoring.windows)} layers there is a window, too: there a "
        f"token attends to itself and the {width - 1:,} before it only."
    )
    hidden = rf"M_{{qk}} = -\infty \ \text{{for}}\ k \le q - {width}\ \text{{, with a window}}"
    formulas = (*_MASK.formulas[:2], hidden, _MASK.formulas[2])
    return replace(_MASK, what=_MASK.what + said, formulas=formulas)


def _stream(model: Transformer) -> PipelineStep:
    if model.norm_first:
        word = "the token's learned vector"
        said = _STREAM.what
        if getattr(model.config, "embedding_scale", None):
            said = said.replace(word, f"{word}, times the root of the width,")
        if not model.rotary:
            said = said.replace(word, f"{word}, of that of its position")
        return replace(_STREAM, what=said)
    if getattr(model.config, "projects", False):
        step = _SHARED["stream"]
        return replace(step, what=f"{step.what} A matrix makes that as wide as the stream.")
    return _SINES if model.positions == "sines" else _SHARED["stream"]


def _qkv(model: Transformer) -> PipelineStep:
    step = _SHARED["qkv"]
    x, written = ("X̂", r"\hat X") if model.norm_first else ("X", "X")
    biases = model.qkv_bias
    step = replace(
        step,
        formulas=tuple(f"{m} = {written} W_{m}" + f" + b_{m}" * biases for m in "QKV"),
        shapes=((x, TD), *(shape for shape in step.shapes[1:] if biases or shape[0] != "each b")),
    )
    if model.rotary:
        step = replace(step, matrices=_unturned)
    if model.shared_kv:
        step = replace(step, what=step.what + _SHARING, sentence=say.shared_heads)
    return step


def _back(model: Transformer) -> PipelineStep:
    if model.parallel_mlp:
        return _PARALLEL
    step = _BACK if model.norm_first else _SHARED["back"]
    if model.names.added_norm:
        said = step.what + " Both are normalised before they are added."
        step = replace(step, what=said, formulas=_ADDED_NORMS)
    if model.gated_mlp:
        bend = model.activation.name
        gated = rf"\mathrm{{MLP}}(y) = (\mathrm{{{bend}}}(y W_g) \odot y W_u)\, W_d"
        step = replace(step, formulas=(*step.formulas, gated))
    return step
