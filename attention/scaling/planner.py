"""What a transformer would cost at any length: operations, bytes, time and memory, counted.

The products are counted, two operations for each multiplication with its addition; the powers of
the softmax, norms and activations are not. Time is that of a perfect machine: the longer of the
time to compute and the time to move the bytes (Williams et al. 2009, "Roofline").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attention.runtime.timing import check_at_least, clock, in_turn
from attention.scaling.model_shapes import Shape

LONGEST = 10_000_000
CORE, REST = "attention", "the rest"

_PRODUCT_SIDE = 1024
_COPIED_NUMBERS = 16_000_000  # 64 MB: far more than any cache holds
_ROUNDS = 10


@dataclass(frozen=True)
class Rates:
    """What a machine can do: operations and bytes per second."""

    flops: float
    bandwidth: float


@dataclass(frozen=True)
class Part:
    """What one part of the work takes."""

    name: str
    flops: float
    bytes: float

    def seconds(self, rates: Rates) -> float:
        """Return `max(flops / rate, bytes / bandwidth)`.

        >>> Part("a", flops=10.0, bytes=4.0).seconds(Rates(flops=5.0, bandwidth=1.0))
        4.0
        """
        return max(self.compute_seconds(rates), self.move_seconds(rates))

    def compute_seconds(self, rates: Rates) -> float:
        """Return what the operations alone would take."""
        return self.flops / rates.flops

    def move_seconds(self, rates: Rates) -> float:
        """Return what moving the bytes alone would take."""
        return self.bytes / rates.bandwidth


@dataclass(frozen=True)
class Memory:
    """Bytes that must be held at once."""

    parameters: float
    kv_cache: float  # of a decoder: keys and values of all layers
    activations: float  # of one layer, while a text is read in one go
    scores: float  # of one layer, where they are kept whole; nothing when tiled

    @property
    def total(self) -> float:
        """All of it together."""
        return self.parameters + self.kv_cache + self.activations + self.scores


def prefill(shape: Shape, n: int, number_bytes: float, *, tiled: bool = True) -> tuple[Part, Part]:
    """Return attention and the rest for reading n tokens in one go.

    Operations: attention `4 L H E` for each pair of query and key, the rest `2 n` for each
    parameter of the layers, and `2 D V` for one next word. Bytes: the rest reads its parameters
    once and each product reads and writes its rows; attention reads query, key and value and
    writes its output, and where the scores are kept whole it also writes and reads them twice.

    >>> from attention.scaling.model_shapes import shape
    >>> attention, rest = prefill(shape("GPT-2 small"), 1, 4)
    >>> attention.flops == 4 * 12 * 768, rest.flops == 2 * 12 * 12 * 768**2 + 2 * 768 * 50257
    (True, True)
    """
    _check(n, number_bytes)
    head_rows = shape.head_width * (2 * shape.heads + 2 * shape.kv_heads)  # q, output; k, v
    moved = n * head_rows
    if not tiled:
        moved += 4 * shape.heads * n * n  # scores out and in, weights out and in
    attention = Part(
        CORE,
        4.0 * shape.layers * shape.heads * shape.head_width * shape.pairs(n),
        float(shape.layers * moved * number_bytes),
    )
    rows = 4 * shape.width + head_rows + (3 if shape.gated else 2) * shape.mlp_width
    weights = shape.layers * shape.layer_parameters + shape.vocabulary * shape.width
    rest = Part(
        REST,
        2.0 * n * shape.layers * shape.layer_parameters + 2.0 * shape.width * shape.vocabulary,
        float((weights + shape.layers * n * rows) * number_bytes),
    )
    return attention, rest


def next_token_parts(shape: Shape, n: int, number_bytes: float) -> tuple[Part, Part]:
    """Return attention and the rest for one more token after n - 1 others, with a KV cache.

    Operations: attention `4 L H E n`, the rest 2 for each parameter. Bytes: attention reads the
    whole cache, `2 L G E n` numbers, and the rest every parameter, for a single token.

    >>> from attention.scaling.model_shapes import shape
    >>> next_token_parts(shape("Llama 3 8B"), 1000, 2)[0].bytes == 2 * 32 * 8 * 128 * 1000 * 2
    True
    """
    _check(n, number_bytes)
    read = shape.layers * shape.layer_parameters + shape.vocabulary * shape.width
    attention = Part(
        CORE,
        4.0 * shape.layers * shape.heads * shape.head_width * n,
        float(shape.kv_numbers() * n * number_bytes),
    )
    return attention, Part(REST, 2.0 * read, float(read * number_bytes))


def memory(
    shape: Shape, n: int, number_bytes: float, *, tiled: bool = True, queries: int | None = None
) -> Memory:
    """Return what must be held to read n tokens in one go, or only the last `queries` of them.

    The activations are those of the widest moment of one layer: the stream, what is added to it,
    and the inside of the MLP.

    >>> from attention.scaling.model_shapes import shape
    >>> memory(shape("Llama 3 8B"), 131_072, 2).kv_cache / 2**30
    16.0
    """
    _check(n, number_bytes)
    inside = (2 if shape.gated else 1) * shape.mlp_width
    rows = n if queries is None else queries
    return Memory(
        parameters=shape.parameters * number_bytes,
        kv_cache=shape.kv_numbers() * n * number_bytes if shape.is_causal else 0.0,
        activations=rows * (2 * shape.width + inside) * number_bytes,
        scores=0.0 if tiled else float(shape.heads * rows * n * number_bytes),
    )


def measured_rates() -> Rates:
    """Measure this machine, about half a second: a float32 matrix product and a copy of 64 MB.

    The fastest of ten rounds counts: a plan is about what the machine can do.
    """
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, _PRODUCT_SIDE, _PRODUCT_SIDE), dtype=np.float32)
    product, source = np.empty_like(a), np.ones(_COPIED_NUMBERS, np.float32)
    target = np.empty_like(source)

    multiply, copy = in_turn(
        [
            clock(lambda: np.matmul(a, b, out=product)),
            clock(lambda: np.copyto(target, source)),
        ],
        _ROUNDS,
    )
    return Rates(2 * _PRODUCT_SIDE**3 / multiply.low, 2 * source.nbytes / copy.low)


def _check(n: int, number_bytes: float) -> None:
    check_at_least(1, length=n)
    if n > LONGEST:
        raise ValueError(f"plans go up to {LONGEST:,} tokens, got {n:,}")
    if number_bytes <= 0:
        raise ValueError(f"bytes per number must be positive, got {number_bytes}")
