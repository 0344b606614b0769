"""Time the embedded translator: loading it, a sentence of ten words, one of fifty.

    python tests/benchmarks/translation.py [--repeats N]

Texts are translated alternately, after a warm-up; the table has the least and the median of each.
Each loading is one of a process of its own, as a reader's first is.
"""

import argparse
import subprocess
import sys
from statistics import median
from time import perf_counter

import attention
from attention.runtime.threads import processors

TEN = "The children built a castle out of sand and shells."
FIFTY = (
    "The young woman who had won the race was born in a small village near the sea, where her "
    "father repaired boats in winter and her mother taught the children of the fishermen to read, "
    "to write and to count, and nobody there had ever thought that she would leave."
)
LOADING = (
    "import attention; from time import perf_counter as now; start = now(); "
    "attention.load_translator(); print(now() - start)"
)


def main() -> None:
    """Print a row for loading and one for each text."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    print(f"{processors()} processors, {repeats} runs, seconds: least, median")
    show("loading, imports of what it needs included", [loading() for _ in range(repeats)])
    pair = attention.load_translator()
    times = {text: [] for text in (TEN, FIFTY)}
    for text in [TEN, FIFTY] * (repeats + 1):
        start = perf_counter()
        pair.translate(text)
        times[text].append(perf_counter() - start)
    for text, found in times.items():
        show(f"{len(text.split())} words, {len(pair.tokenize(text))} tokens", found[1:])


def loading() -> float:
    """Return how long it takes in a new process, in seconds."""
    done = subprocess.run(
        [sys.executable, "-c", LOADING], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def show(what: str, times: list[float]) -> None:
    """Print a row."""
    print(f"{what:<44} {min(times):.3f}  {median(times):.3f}")


if __name__ == "__main__":
    main()
