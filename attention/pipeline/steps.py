"""What happens in one layer of an encoder, step by step, as data.

A `Step` holds a formula, the shapes in it, and functions from a `Place` to its matrices and to the
one sentence that says what changed. A model whose layers differ gets a tuple of steps of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from attention.arrays import Array
from attention.core import causal_mask
from attention.models.architecture import Projected
from attention.models.layers import rotate
from attention.pipeline import sentences as say
from attention.pipeline.head_state import HeadState
from attention.pipeline.matrix import HEADS, TOKENS, Matrix
from attention.question import Question


@dataclass(frozen=True)
class PipelineStep:
    """One step of the pipeline."""

    key: str  # short and stable
    name: str
    sign: str  # what it does to what comes in, as short as can be
    what: str  # in plain words, Markdown
    formulas: tuple[str, ...]  # LaTeX
    shapes: tuple[tuple[str, tuple[str, ...]], ...]  # symbol, letters
    matrices: Callable[[HeadState], list[Matrix]]
    sentence: Callable[[HeadState], str]
    one_scale: bool = False  # the matrices are compared with each other
    gap: Callable[[HeadState], float] | None = None  # between what is computed here and the trace
    question: Callable[[HeadState], Question | None] | None = None  # about the step that comes next


def shown_tokens(place: HeadState, most: int) -> list[int]:
    """Return the tokens to draw, in order: the chosen two and those with the largest weights."""
    ranked = np.argsort(-place.weights[place.query], kind="stable").tolist()
    return sorted(list(dict.fromkeys([place.query, place.key, *ranked]))[:most])


def shapes_text(step: PipelineStep, place: HeadState) -> str:
    """Return the shapes of a step with letters and numbers, as `Q (T × E) 14 × 32`."""
    return " · ".join(_shape(symbol, letters, place) for symbol, letters in step.shapes)


def _shape(symbol: str, letters: tuple[str, ...], place: HeadState) -> str:
    numbers = " × ".join(str(place.sizes[letter]) for letter in letters)
    return f"{symbol} ({' × '.join(letters)}) {numbers}"


def gap(computed: Array, held: Array) -> float:
    """Return the largest difference between what is computed again and what the trace holds."""
    return float(np.abs(computed - held).max())


def _projection_gap(p: HeadState) -> float:
    """Compare what the head's own matrices make, normalised and turned, with the trace."""
    w, x = p.model.projections(p.layer, p.head), p.normalised
    made = Projected(x @ w.w_q + w.b_q, x @ w.w_k + w.b_k, x @ w.w_v + w.b_v)
    q, k, v = p.model.with_head_norms(p.layer, made)
    if p.model.rotary:
        angles = p.model.angles(p.sizes["T"], layer=p.layer)
        q, k = rotate(q, *angles), rotate(k, *angles)
    return max(map(gap, (q, k, v), (p.q, p.k, p.v)))


def query_by_key(name: str, meaning: str, values: Array, p: HeadState, signed: bool) -> Matrix:
    """Return a matrix whose rows are queries and whose columns are keys, the chosen cell marked."""
    return Matrix(name, meaning, ("T", "T"), values, p.query, p.key, columns=TOKENS, signed=signed)


def _only_earlier(p: HeadState) -> Array:
    return np.where(causal_mask(len(p.scaled)), p.scaled, np.nan)


def visible(values: Array) -> Array:
    """Return values with no cell where a mask has put -inf."""
    return np.where(np.isneginf(values), np.nan, values)


def _terms(p: HeadState) -> Array:
    return np.exp(visible(p.scores) - p.scores.max(axis=1, keepdims=True))


def _shown_weights(p: HeadState) -> Array:
    return np.where(np.isneginf(p.scores), np.nan, p.weights)


ILLUSTRATION = "Illustration"  # a matrix that is not the model's
TE, TD, TT = ("T", "E"), ("T", "D"), ("T", "T")

ENCODER_STEPS = (
    PipelineStep(
        "stream",
        "Representation",
        "X",
        "Every token enters the layer as one row of numbers, its **representation**: what the "
        "layers before have made of it. In layer 0 it is the learned vector of the token plus that "
        "of its position, in BERT also that of its segment: which of two texts it is in.",
        (r"X = h^{(\ell)}",),
        (("X", TD),),
        lambda p: [Matrix("X", "one row for each token", TD, p.x, p.query)],
        say.representation,
    ),
    PipelineStep(
        "qkv",
        "Query, key, value",
        "→ Q, K, V",
        "Three learned matrices make three short vectors from each row. As in a library: the "
        "**query** is the search term, the **key** is the title on a book's spine, and the "
        "**value** is what is inside. Search terms are compared with titles; what is taken home "
        "is contents.",
        ("Q = X W_Q + b_Q", "K = X W_K + b_K", "V = X W_V + b_V"),
        (("X", TD), ("each W", ("D", "E")), ("each b", ("E",)), ("Q, K, V", TE)),
        lambda p: [
            Matrix("Q", "search terms", TE, p.q, p.query),
            Matrix("K", "titles", TE, p.k, p.key),
            Matrix("V", "contents", TE, p.v, p.key),
        ],
        say.projections,
        gap=_projection_gap,
    ),
    PipelineStep(
        "scores",
        "Scores",
        "Q Kᵀ",
        "The query of one token is multiplied with the key of every token, number by "
        "number; the sum of the products is the **score**. It is high where both point the same "
        "way. Every pair of tokens gets one: that is the part whose cost grows with the square of "
        "the length.",
        (r"S = Q K^\top", r"s_{qk} = \sum_e q_{qe}\, k_{ke}"),
        (("Q", TE), ("Kᵀ", ("E", "T")), ("S", TT)),
        lambda p: [
            Matrix("q × K", "products for the query token", TE, p.q[p.query] * p.k, p.key),
            query_by_key("S", "their sums, for every pair", p.dots, p, True),
        ],
        say.scores,
        question=say.scale_question,
    ),
    PipelineStep(
        "scale",
        "Scale",
        "÷ √E",
        "The longer the vectors, the larger their dot products. Dividing by the root of the width "
        "keeps softmax from giving nearly everything to one token.",
        (r"S' = \frac{Q K^\top}{\sqrt{E}}",),
        (("S", TT), ("S′", TT)),
        lambda p: [
            query_by_key("S", "before", p.dots, p, True),
            query_by_key("S′", "after, on the same colours", p.scaled, p, True),
        ],
        say.scale,
        one_scale=True,
    ),
    PipelineStep(
        "mask",
        "Mask",
        "+ mask",
        "A mask forbids some pairs by adding −∞ to their score. This model is an encoder and **has "
        "no mask**: every token attends to every other, later ones too. A decoder, which predicts "
        "the next token, hides whatever comes later. The second chart is an illustration of that: "
        "it takes the later scores of this head away, which this model never does.",
        (
            "S'' = S' + M",
            r"M_{qk} = 0 \ \text{here}",
            r"M_{qk} = -\infty \ \text{for}\ k > q\ \text{in a decoder}",
        ),
        (("S′", TT), ("M", TT)),
        lambda p: [
            query_by_key("S′", "this model: nothing is hidden", p.scores, p, True),
            query_by_key(ILLUSTRATION, "what a causal mask would leave", _only_earlier(p), p, True),
        ],
        say.mask,
        one_scale=True,
    ),
    PipelineStep(
        "softmax",
        "Softmax",
        "→ softmax",
        "Each score becomes a positive number by exponentiation, and each is divided by the sum "
        "of its row. The results are the **weights**: none negative, each row sums to 1. The "
        "largest score of a row is subtracted first, which changes no weight.",
        (
            r"A = \mathrm{softmax}(S'')",
            r"a_{qk} = \frac{e^{s''_{qk} - m_q}}{\sum_j e^{s''_{qj} - m_q}}",
            r"m_q = \max_j s''_{qj}",
        ),
        (("S″", TT), ("A", TT)),
        lambda p: [
            query_by_key("S″", "scores", visible(p.scores), p, True),
            query_by_key("exp(S″ − m)", "terms", _terms(p), p, False),
            query_by_key("A", "weights: each row sums to 1", _shown_weights(p), p, False),
        ],
        say.softmax_row,
        gap=lambda p: gap(p.weights, p.trace.weights[p.layer, p.head]),
        question=say.largest_part_question,
    ),
    PipelineStep(
        "blend",
        "Weighted sum",
        "× V",
        "The contents are mixed: each value is multiplied with its weight, and the products are "
        "added up. A small weight on a long value can put in more than a large one on a short "
        "value.",
        ("Z = A V", r"z_{qe} = \sum_k a_{qk}\, v_{ke}"),
        (("A", TT), ("V", TE), ("Z", TE)),
        lambda p: [
            Matrix("V", "contents of each token", TE, p.v, p.key),
            Matrix("a × V", "weighted, for the query token", TE, p.parts, p.key),
            Matrix("Z", "sums: the head's output", TE, p.output, p.query),
        ],
        say.head_output,
        gap=lambda p: gap(p.output, p.trace.head_output[p.layer, p.head]),
    ),
    PipelineStep(
        "concat",
        "Concatenate",
        "→ concat",
        "Every head of the layer has done the same with matrices of its own. Their outputs are "
        "put side by side; nothing is computed.",
        (r"Z = [\, Z_0 \mid Z_1 \mid \dots \mid Z_{H-1} \,]",),
        (("each Z", TE), ("Z", ("T", "H·E"))),
        lambda p: [
            Matrix(
                "z",
                "the query token, a row for each head",
                ("H", "E"),
                p.trace.head_output[p.layer, :, p.query],
                p.head,
                rows=HEADS,
            ),
            Matrix(
                "Z",
                "every token, at this head's columns",
                ("T", "H·E"),
                p.joined,
                p.query,
                first=p.head * p.sizes["E"],
            ),
        ],
        say.concatenate,
    ),
    PipelineStep(
        "w_o",
        "Output W_O",
        "× W_O",
        "One more learned matrix mixes the heads and brings them back to the width of the model. "
        "It is a sum again: each head writes through the rows of the matrix that are its own.",
        (r"O = Z\, W_O + b_O = \sum_h Z_h W_O^{(h)} + b_O",),
        (("Z", ("T", "H·E")), ("W_O", ("H·E", "D")), ("O", TD)),
        lambda p: [
            Matrix(
                "z W_O",
                "what each head writes for the query token",
                ("H", "D"),
                p.written,
                p.head,
                rows=HEADS,
            ),
            Matrix("O", "sum over the heads, every token", TD, p.attended, p.query),
        ],
        say.output_projection,
    ),
    PipelineStep(
        "back",
        "Back to the stream",
        "+ X",
        "The output of attention is **added** to the representation that came in, and the sum is "
        "normalised. Then a small network, the MLP, works on each token by itself, and its result "
        "is added and normalised in the same way. The next layer starts from there.",
        (
            r"Y = \mathrm{LayerNorm}(X + O)",
            r"h^{(\ell + 1)} = \mathrm{LayerNorm}(Y + \mathrm{MLP}(Y))",
        ),
        (("X, O, Y", TD), ("h", TD)),
        lambda p: [
            Matrix("X", "came in", TD, p.x, p.query),
            Matrix("Y", "after attention", TD, p.mixed, p.query),
            Matrix("h", "after the MLP: goes to the next layer", TD, p.leaves, p.query),
        ],
        say.back,
        one_scale=True,
        gap=lambda p: gap(p.leaves, p.trace.hidden[p.layer + 1]),
    ),
)
