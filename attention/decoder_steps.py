"""What happens in one layer of a decoder, step by step: where it differs from an encoder's."""

from __future__ import annotations

from dataclasses import replace

from attention import step_sentences as say
from attention.core import Array
from attention.matrix import Matrix
from attention.models.decoder import CausalModel
from attention.models.layers import rotate
from attention.models.llama import Llama
from attention.models.model import Model
from attention.place import Place
from attention.steps import ENCODER_STEPS, TD, TE, TT, Step, asks_and_reads, gap, visible

_SHARED = {step.key: step for step in ENCODER_STEPS}


def steps_for(model: Model) -> tuple[Step, ...]:
    """Return the steps of a layer of this model."""
    if isinstance(model, Llama):
        c = model.config
        shared = c.num_key_value_heads < c.num_attention_heads
        return SHARED_LLAMA_STEPS if shared else LLAMA_STEPS
    return GPT2_STEPS if isinstance(model, CausalModel) else ENCODER_STEPS


def _heads(p: Place) -> tuple[Array, Array, Array]:
    """Return the head's queries, keys and values as the projections make them."""
    assert isinstance(p.model, CausalModel)
    made = p.model.project(p.layer, p.x)
    return made.query[p.head], made.key[p.group], made.value[p.group]


def _trace_gap(p: Place) -> float:
    return max(gap(made, kept) for made, kept in zip(_heads(p), (p.q, p.k, p.v), strict=True))


def _turned_back_gap(p: Place) -> float:
    """Compare with the trace's queries and keys, turned back to where they were made."""
    assert isinstance(p.model, Llama)
    cos, sin = p.model.angles(p.sizes["T"])
    q, k = (rotate(rows, cos, -sin) for rows in (p.q, p.k))
    made = p.model.unrotated(p.layer, p.x)
    pairs = (q, made.query[p.head]), (k, made.key[p.group]), (p.v, made.value[p.group])
    return max(gap(computed, kept) for kept, computed in pairs)


def _rotated_gap(p: Place) -> float:
    assert isinstance(p.model, Llama)
    angles = p.model.angles(p.sizes["T"])
    q, k = (rotate(rows, *angles) for rows in p.unrotated)
    return max(gap(q, p.q), gap(k, p.k))


_STREAM = replace(
    _SHARED["stream"],
    what="Every token enters the layer as one row of numbers, its **representation**: what the "
    "layers before have made of it. It is the sum of the token's learned vector and of all that "
    "these layers have added; nothing is normalised on the way.",
)
_NORM = Step(
    "norm",
    "Normalise",
    "The heads do not read the stream itself but a copy whose rows have all a mean square of 1, "
    "with a learned gain for each column. The stream goes on unchanged past the layer.",
    (r"\hat X = \mathrm{RMSNorm}(X) = \frac{X}{\sqrt{\mathrm{mean}(X^2) + \epsilon}} \odot g",),
    (("X, X̂", TD),),
    lambda p: [
        Matrix("X", "came in", TD, p.x, p.query),
        Matrix("X̂", "what the heads read", TD, p.normalised, p.query),
    ],
    say.normalised,
)
_LAYER_NORM = replace(
    _NORM,
    what="The heads do not read the stream itself but a copy whose rows have all a mean of 0 and "
    "the same spread, with a learned gain and shift for each column. The stream goes on unchanged "
    "past the layer.",
    formulas=(r"\hat X = \mathrm{LayerNorm}(X) = \frac{X - \mu}{\sqrt{\sigma^2 + \epsilon}} "
              r"\odot g + b",),
)  # fmt: skip
_QKV = replace(
    _SHARED["qkv"],
    formulas=(r"Q = \hat X W_Q + b_Q", r"K = \hat X W_K + b_K", r"V = \hat X W_V + b_V"),
    shapes=(("X̂", TD), ("each W", ("D", "E")), ("each b", ("E",)), ("Q, K, V", TE)),
    gap=_trace_gap,
)
_QKV_UNTURNED = replace(
    _QKV,
    formulas=(r"Q = \hat X W_Q", r"K = \hat X W_K", r"V = \hat X W_V"),
    shapes=(("X̂", TD), ("each W", ("D", "E")), ("Q, K, V", TE)),
    sentence=say.shared,
    matrices=lambda p: [
        Matrix("Q", "search terms", TE, p.unrotated[0], p.query),
        Matrix("K", "titles", TE, p.unrotated[1], p.key),
        Matrix("V", "contents", TE, p.v, p.key),
    ],
    gap=_turned_back_gap,
)
_QKV_SHARED = replace(
    _QKV_UNTURNED,
    what=_QKV.what + " Here several query heads **share** one head of keys and values, so that "
    "fewer of them have to be kept while a text is written (grouped-query attention).",
)
_ROTATE = Step(
    "rotate",
    "Rotate (RoPE)",
    "Nothing so far says where a token stands. Each query and key is cut into pairs of numbers, "
    "and each pair is **turned** by an angle that grows with the position: the first pair fast, "
    "the last hardly. When two of them are multiplied, what counts is the difference of their "
    "angles: how far apart the tokens are. Values are not turned.",
    (
        r"\begin{pmatrix} q'_i \\ q'_{i + E/2} \end{pmatrix} = \begin{pmatrix} \cos t\theta_i & "
        r"-\sin t\theta_i \\ \sin t\theta_i & \cos t\theta_i \end{pmatrix} "
        r"\begin{pmatrix} q_i \\ q_{i + E/2} \end{pmatrix}",
        r"t = 0, 1, \dots \ \text{the position} \qquad \theta_i = \theta^{-2i/E}",
    ),
    (("Q, K, Q′, K′", TE),),
    lambda p: [
        Matrix("Q", "before", TE, p.unrotated[0], p.query),
        Matrix("Q′", "turned", TE, p.q, p.query),
        Matrix("K", "before", TE, p.unrotated[1], p.key),
        Matrix("K′", "turned", TE, p.k, p.key),
    ],
    say.rotation,
    one_scale=True,
    gap=_rotated_gap,
)
_MASK = replace(
    _SHARED["mask"],
    what="A mask forbids some pairs by adding −∞ to their score. This model is a decoder: it "
    "learned to foretell the next token, so no token may read what comes later. Those cells are "
    "not small, they are **absent**.",
    formulas=(
        "S'' = S' + M",
        r"M_{qk} = -\infty \ \text{for}\ k > q",
        r"M_{qk} = 0 \ \text{otherwise}",
    ),
    matrices=lambda p: [
        asks_and_reads("S′", "every pair", p.scaled, p, True),
        asks_and_reads("S″", "what the mask leaves", visible(p.scores), p, True),
    ],
    sentence=say.causal_mask,
    shapes=(("S′", TT), ("M", TT)),
)
_BACK = replace(
    _SHARED["back"],
    what="What attention found is **added** to the representation that came in. Then a small "
    "network, the MLP, reads a normalised copy, each token by itself, and its result is added too. "
    "The next layer starts from there.",
    formulas=("Y = X + O", r"h^{(\ell + 1)} = Y + \mathrm{MLP}(\mathrm{Norm}(Y))"),
)
_GATED_BACK = replace(
    _BACK,
    formulas=(
        *_BACK.formulas,
        r"\mathrm{MLP}(y) = (\mathrm{silu}(y W_g) \odot y W_u)\, W_d",
    ),
)


def _unbiased(step: Step) -> Step:
    return replace(step, formulas=(r"O = Z\, W_O = \sum_h Z_h W_O^{(h)}",))


_SCORES = replace(
    _SHARED["scores"],
    what=_SHARED["scores"].what + " Later tokens are scored too: the mask comes after.",
)
_MIDDLE = (_SCORES, _SHARED["scale"])
_AFTER = tuple(_SHARED[key] for key in ("softmax", "blend", "concat"))

LLAMA_STEPS = (
    _STREAM, _NORM, _QKV_UNTURNED, _ROTATE, *_MIDDLE, _MASK, *_AFTER, _unbiased(_SHARED["w_o"]),
    _GATED_BACK,
)  # fmt: skip
SHARED_LLAMA_STEPS = tuple(_QKV_SHARED if step is _QKV_UNTURNED else step for step in LLAMA_STEPS)
GPT2_STEPS = (
    _STREAM, _LAYER_NORM, _QKV, *_MIDDLE, _MASK, *_AFTER, _SHARED["w_o"], _BACK,
)  # fmt: skip
