"""Time removing every head alone against one whole forward pass per head.

    pip install -e .
    python tests/benchmarks/heads.py [--model NAME] [--words N ...] [--repeats N]

Both sides start from the same trace of a text and end with the same grid of effects; they
alternate A B A B in one process, after a warm-up, with a short pause before each run. The table
has the median of each and the ratio (above 1: the layers below and the other heads, which stay as
they are, need not be run again). `bound` is the ratio of the layers run: what is saved where all
arithmetic is equally quick; the rest comes from running heads side by side.
"""

import argparse
from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter, sleep

import numpy as np

import attention
from attention.arrays import Array
from attention.interventions.ablation import ablate, head_effects
from attention.interventions.effects import effect_on
from attention.models.model import Model
from attention.models.trace import Trace
from attention.runtime.threads import processors

PAUSE = 0.1  # seconds: threads of the side before go on spinning for a while
SENTENCE = "The trophy did not fit in the suitcase because it was too big , she said to him . "


def main() -> None:
    """Print one row per length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--words", type=int, nargs="+", default=[10, 20, 40, 100])
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    model = attention.load_model(arguments.model)
    layers, heads = model.config.num_hidden_layers, model.config.num_attention_heads
    bound = layers**2 / sum(above + 2 / 3 for above in range(layers))
    print(f"{model.name}, {layers} x {heads} heads, {processors()} threads, bound {bound:.2f}")
    print(f"{'tokens':>6} {'one pass each':>14} {'reused':>11} {'ratio':>6}  differ by")
    for count in arguments.words:
        trace = model.trace(" ".join((SENTENCE * count).split()[:count]))
        sides = partial(whole_passes, model, trace), partial(reused, model, trace)
        whole, quick = alternate(sides, arguments.repeats)
        error = np.abs(sides[0]() - sides[1]()).max()
        print(
            f"{len(trace.tokens):>6} {whole * 1e3:>11.0f} ms {quick * 1e3:>8.0f} ms "
            f"{whole / quick:>6.2f}  {error:.0e}",
            flush=True,
        )


def whole_passes(model: Model, trace: Trace) -> Array:
    """Return the grid of effects `(L, H)`, a whole forward pass for each head."""
    effect = effect_on(model, trace)
    effects = np.zeros(trace.weights.shape[:2])
    for head in np.ndindex(effects.shape):
        effects[head] = effect(model.hidden(trace.text, ablate({head}))[None, -1])[0]
    return effects


def reused(model: Model, trace: Trace) -> Array:
    """Return the same grid by `head_effects`."""
    *_, last = head_effects(model, trace)
    return last


def alternate(sides: tuple[Callable[[], Array], ...], repeats: int) -> list[float]:
    """Return the median seconds of each side, taking turns; the first run is a warm-up."""
    times: list[list[float]] = [[] for _ in sides]
    for _ in range(repeats + 1):
        for side, own in zip(sides, times, strict=True):
            sleep(PAUSE)
            start = perf_counter()
            side()
            own.append(perf_counter() - start)
    return [median(own[1:]) for own in times]


if __name__ == "__main__":
    main()
