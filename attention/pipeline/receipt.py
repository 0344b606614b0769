"""The receipt of one attention weight and of one output number: every product and every sum.

Computed in float64 from the queries, keys and values of a trace, by the very lines of NumPy that
`weight_code` and `output_code` write out: what they print is what the receipt says. BLAS adds up
float32 numbers in an order that depends on its threads, so the code holds it to one thread, as
the dashboard does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from attention.arrays import Array
from attention.models.layers import kv_head
from attention.models.trace import Trace


@dataclass(frozen=True)
class ReceiptCell:
    """One weight, query by key of one head, and one column of that head's output."""

    layer: int
    head: int
    query: int
    key: int
    column: int = 0


@dataclass(frozen=True, eq=False)
class Receipt:
    """All figures between a query, the keys and values, and one number of the output."""

    cell: ReceiptCell
    query: Array  # (E,)
    key: Array  # (E,) of the chosen key
    products: Array  # (E,) query * key
    dots: Array  # (K,) the sum of the products, for every key
    scaled: Array  # (K,) dots / sqrt(E)
    scores: Array  # (K,) the same, or what the model makes of them: see `models.scoring`
    terms: Array  # (K,) exp(scores - largest score)
    weights: Array  # (K,) terms / their sum
    values: Array  # (K,) the chosen column of every value
    parts: Array  # (K,) weights * values
    output: float  # the sum of the parts

    @property
    def weight(self) -> float:
        """The weight of the chosen key."""
        return float(self.weights[self.cell.key])


def receipt_of(trace: Trace, cell: ReceiptCell) -> Receipt:
    """Return everything that leads to one weight and to one number of the output.

    `w_k = exp(s_k - max s) / sum_j exp(s_j - max s)` with `s_k = sum_e q_e k_e / sqrt(E)`, then
    `z_e = sum_k w_k v_ke`. Subtracting the largest score changes no weight: it divides every term
    and their sum by the same number. K counts the keys that the query may attend to: in a
    decoder itself and those before it. Outside of a window a score is -inf, the weight 0.

    Raises
    ------
    ValueError : the mask hides the key from the query.
    """
    layer, head = cell.layer, cell.head
    seen = cell.query + 1 if trace.is_causal else len(trace.tokens)
    if cell.key >= seen:
        raise ValueError(f"key {cell.key} comes after query {cell.query}: the mask hides it")
    shared = kv_head(head, trace.query.shape[1], trace.key.shape[1])
    q = trace.query[layer, head, cell.query].astype(np.float64)  # (E,)
    k = trace.key[layer, shared, :seen].astype(np.float64)  # (K, E)
    v = trace.value[layer, shared, :seen].astype(np.float64)  # (K, E)
    dots = k @ q  # (K,)
    scaled = dots / np.sqrt(len(q))
    scores = _finished(trace, cell, scaled)
    terms = np.exp(scores - scores.max())
    weights = terms / terms.sum()
    values = v[:, cell.column]
    output = float(weights @ values)
    key, parts = k[cell.key], weights * values
    return Receipt(
        cell, q, key, q * key, dots, scaled, scores, terms, weights, values, parts, output
    )


def _finished(trace: Trace, cell: ReceiptCell, scaled: Array) -> Array:
    """Return what softmax gets for one row of scaled scores: in few models they are changed."""
    if trace.scoring is None:
        return scaled
    row = scaled.copy()[None, None]
    return trace.scoring.in_place(row, cell.layer, cell.head, cell.query)[0, 0]


def six_digits(value: float) -> str:
    """Return a number to six digits, as the receipt and its code print it.

    >>> six_digits(2 / 3), six_digits(12345678.9), six_digits(1e-9)
    ('0.666667', '1.23457e+07', '1e-09')
    """
    return f"{value:.6g}"


def weight_steps(receipt: Receipt) -> str:
    """Return the way from the products to the weight, a line per step."""
    cell, width, keys = receipt.cell, len(receipt.query), len(receipt.scores)
    total, term = float(receipt.terms.sum()), float(receipt.terms[cell.key])
    scaled, score = (float(row[cell.key]) for row in (receipt.scaled, receipt.scores))
    top, divided = (
        float(receipt.scores.max()),
        f"divided by √{width} = {six_digits(math.sqrt(width))}",
    )
    changed = receipt.scores is not receipt.scaled
    return _aligned(
        (f"q · k, the sum of the {width} products", six_digits(receipt.dots[cell.key])),
        (divided if changed else f"score s: {divided}", six_digits(scaled)),
        *([("score s: what the model makes of that", six_digits(score))] if changed else []),
        ("m: the largest score of the row", six_digits(top)),
        ("term: exp(s − m)", six_digits(term)),
        (f"the sum of the {keys} terms", six_digits(total)),
        ("weight: the term divided by that sum", six_digits(receipt.weight)),
    )


def output_steps(receipt: Receipt) -> str:
    """Return what the products of weight and value add up to, a line per step."""
    cell, keys = receipt.cell, len(receipt.weights)
    others = receipt.output - receipt.parts[cell.key]
    return _aligned(
        ("weight of the chosen key", six_digits(receipt.weight)),
        (f"its value in column {cell.column}", six_digits(receipt.values[cell.key])),
        ("weight × value", six_digits(receipt.parts[cell.key])),
        (f"the {keys - 1} other products summed", six_digits(others)),
        ("output: both added", six_digits(receipt.output)),
    )


def weight_code(trace: Trace, cell: ReceiptCell) -> str:
    """Return Python code that prints the weight of `cell`, to the digits of the receipt.

    The text goes in as a Python literal, so whatever it holds stays text.

    >>> import attention
    >>> trace = attention.load_model("minilm").trace("It's")
    >>> print(weight_code(trace, ReceiptCell(5, 11, 1, 2, 0)))
    import numpy as np
    import attention
    from attention.runtime.threads import one_blas_thread
    <BLANKLINE>
    with one_blas_thread():  # the same sums in the same order, whatever else is running
        trace = attention.load_model('minilm').trace("It's")
    layer, head, query, key = 5, 11, 1, 2
    q = trace.query[layer, head, query].astype(np.float64)  # (E,)
    k = trace.key[layer, head].astype(np.float64)  # (K, E)
    scores = k @ q / np.sqrt(len(q))  # (K,)
    terms = np.exp(scores - scores.max())  # (K,)
    weights = terms / terms.sum()  # (K,) they sum to 1
    print(f"{weights[key]:.6g}")
    """
    place = f"layer, head, query, key = {cell.layer}, {cell.head}, {cell.query}, {cell.key}"
    return "\n".join([*_weights_lines(trace, place), 'print(f"{weights[key]:.6g}")'])


def output_code(trace: Trace, cell: ReceiptCell) -> str:
    """Return Python code that prints one number of the head's output for the query of `cell`."""
    place = f"layer, head, query, column = {cell.layer}, {cell.head}, {cell.query}, {cell.column}"
    return "\n".join(
        [
            *_weights_lines(trace, place),
            f"v = trace.value[{_keys(trace)}].astype(np.float64)  # (K, E)",
            'print(f"{weights @ v[:, column]:.6g}")',
        ]
    )


def _keys(trace: Trace) -> str:
    """Return the index of a head's keys or values, as code."""
    heads, groups = trace.query.shape[1], trace.key.shape[1]
    head = "head" if heads == groups else f"head // {heads // groups}"
    return f"layer, {head}, : query + 1" if trace.is_causal else f"layer, {head}"


def _weights_lines(trace: Trace, place: str) -> list[str]:
    return [
        "import numpy as np",
        "import attention",
        "from attention.runtime.threads import one_blas_thread",
        "",
        "with one_blas_thread():  # the same sums in the same order, whatever else is running",
        f"    trace = attention.load_model({trace.model!r}).trace({trace.input.as_code})",
        place,
        "q = trace.query[layer, head, query].astype(np.float64)  # (E,)",
        f"k = trace.key[{_keys(trace)}].astype(np.float64)  # (K, E)",
        "scores = k @ q / np.sqrt(len(q))  # (K,)",
        *([_SCORING] if trace.scoring is not None else []),
        "terms = np.exp(scores - scores.max())  # (K,)",
        "weights = terms / terms.sum()  # (K,) they sum to 1",
    ]


_SCORING = (
    "scores = trace.scoring.in_place(scores[None, None], layer, head, query)[0, 0]  # cap, bias ..."
)


def _aligned(*rows: tuple[str, str]) -> str:
    width = max(len(text) for text, _ in rows)
    return "\n".join(f"{text:<{width}} = {result}" for text, result in rows)
