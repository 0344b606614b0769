"""Time tiled attention against PyTorch's fused kernel and against the plain NumPy path.

    pip install -e ".[benchmark]"
    python tests/benchmarks/tiled.py [--heads 1 12] [--lengths 2048 4096 8192 16384]

All sides get the same standard normal float32 inputs of head width 64 and as many threads. They
alternate A B A B in one process, after a warm-up and with a short pause before each run; the tables
have medians and ratios (below 1: the tiled path is faster). Beside each stands what share of the
processors' measured product peak (the best of large matrix products) the tiled path reaches,
counting 4 n² E operations a head, half of it for a causal one.
"""

import argparse
import tracemalloc
from collections.abc import Callable
from statistics import median
from time import perf_counter, sleep

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention as fused

from attention.core.plain import plain_attention
from attention.core.tiled import tiled_attention
from attention.runtime.threads import processors

WIDTH = 64
PAUSE = 0.2  # seconds: threads of the side before go on spinning for a while
BUDGET = 8.0  # seconds of one row; at least 3 runs of each side, at most 15
PLAIN_LENGTH, MEMORY_LENGTH = 4096, 16384


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--heads", type=int, nargs="+", default=[1, 12])
    parser.add_argument("--lengths", type=int, nargs="+", default=[2048, 4096, 8192, 16384])
    arguments = parser.parse_args()
    torch.set_num_threads(processors())
    peak = product_peak()
    print(f"{processors()} threads; measured product peak {peak / 1e9:.0f} GFLOP/s")
    print(f"{'n':>6} {'heads':>5} {'causal':>6} {'tiled':>10} {'torch':>10} {'ratio':>6}  of peak")
    for heads in arguments.heads:
        for n in arguments.lengths:
            for is_causal in (False, True):
                against_torch(heads, n, is_causal, peak)
    print()
    for heads in arguments.heads:
        against_plain(heads)
    extra_memory()


def against_torch(heads: int, n: int, is_causal: bool, peak: float) -> None:
    """Print one row against PyTorch's kernel."""
    arrays = inputs(heads, n)
    tensors = [torch.from_numpy(array)[None] for array in arrays]
    tiled, torchs = alternate(
        lambda: tiled_attention(*arrays, is_causal=is_causal),
        lambda: fused(*tensors, is_causal=is_causal),
    )
    operations = 4 * heads * n * n * WIDTH / (2 if is_causal else 1)
    print(
        f"{n:>6} {heads:>5} {'yes' if is_causal else 'no':>6} {tiled * 1e3:>7.1f} ms "
        f"{torchs * 1e3:>7.1f} ms {tiled / torchs:>6.2f}  {operations / tiled / peak:>7.0%}",
        flush=True,
    )


def against_plain(heads: int) -> None:
    """Print the ratio to the readable path."""
    arrays = inputs(heads, PLAIN_LENGTH)
    tiled, plain = alternate(lambda: tiled_attention(*arrays), lambda: plain_attention(*arrays))
    print(
        f"n = {PLAIN_LENGTH}, heads = {heads}: plain {plain * 1e3:.1f} ms, "
        f"tiled {tiled * 1e3:.1f} ms: {plain / tiled:.1f} times as fast"
    )


def extra_memory() -> None:
    """Print what one call allocates beyond its output, at its peak."""
    arrays = inputs(1, MEMORY_LENGTH)
    output = tiled_attention(*arrays)  # what later calls find ready is there
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tiled_attention(*arrays)
    extra = tracemalloc.get_traced_memory()[1] - before - output.nbytes
    tracemalloc.stop()
    print(
        f"n = {MEMORY_LENGTH}: {extra / 1e6:.1f} MB beyond the output; all weights of one head "
        f"would be {4 * MEMORY_LENGTH**2 / 1e6:,.0f} MB"
    )


def inputs(heads: int, n: int) -> list[np.ndarray]:
    """Return query, key and value `(H, n, E)`."""
    return list(np.random.default_rng(n).standard_normal((3, heads, n, WIDTH), dtype=np.float32))


def product_peak() -> float:
    """Return the operations per second of the best of some large matrix products."""
    a, b = np.random.default_rng(0).standard_normal((2, 2048, 2048), dtype=np.float32)
    return 2 * 2048**3 / min(seconds(lambda: a @ b) for _ in range(8))


def alternate(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Return the median seconds of both, taking turns; the first round is warm-up."""
    once = seconds(ours) + seconds(theirs)
    repeats = max(3, min(15, int(BUDGET / once)))
    rounds = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    tiled, other = (median(times) for times in zip(*rounds, strict=True))
    return tiled, other


def seconds(call: Callable[[], object]) -> float:
    """Return how long one call takes after a pause."""
    sleep(PAUSE)
    start = perf_counter()
    call()
    return perf_counter() - start


if __name__ == "__main__":
    main()
