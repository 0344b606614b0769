"""How many texts a second a survey measures with 1, 2, ... processes; what a million would take.

    python -m tests.benchmarks.survey [MODEL]

The rate is that after the processes have started; each number of them runs twice, in turn, and the
faster counts. On a machine that does other things, too, it says little: the load is printed beside
it, and the time that processors have worked for a text, start-up included, which others' work
changes less. What a million texts take is said of both.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from attention.runtime.threads import processors
from attention.survey import run
from attention.survey.running import TextFiles, larger_survey
from attention.wording import human_bytes, human_seconds

TEXTS = Path(__file__).parents[2] / "attention" / "survey" / "texts"
MILLION = 1_000_000


def rate(texts, model, workers):
    """Return texts a second between the first part and the last, processor seconds, bytes."""
    marks, before = [], sum(os.times()[:4])
    with TemporaryDirectory() as folder:
        out = run(
            texts, model, Path(folder) / "survey.parquet", workers=workers, part=8,
            on_progress=lambda pace: marks.append((perf_counter(), pace.done)),
        )  # fmt: skip
        size = out.stat().st_size
    (start, first), (end, last) = marks[workers], marks[-1]  # each has had its first part
    worked = sum(os.times()[:4]) - before  # of this process and of those that have ended
    return (last - first) / (end - start), worked, size


def main(model="minilm"):
    """Print the load, and a line for each number of processes."""
    texts = list(TextFiles(sorted(TEXTS.glob("*.txt"))))
    counts = sorted({1, 2, processors()})
    found = {workers: [] for workers in counts}
    for _ in range(2):
        for workers in counts:
            found[workers].append(rate(texts, model, workers))
    alone = max(found[1])[0]
    print(f"load {os.getloadavg()[0]:.1f} on {processors()} processors, this among it")
    for workers, rates in found.items():
        best, _, size = max(rates)
        worked = min(each[1] for each in rates) / len(texts)
        seconds, more = larger_survey(best, size, len(texts), MILLION)
        idle, _ = larger_survey(1 / worked, size, len(texts), MILLION, workers)
        print(
            f"{model}, {workers} processes: {best:.1f} texts a second, {best / alone:.2f} times "
            f"one; a million in {human_seconds(seconds)}, {human_bytes(more)}. {worked:.3f} "
            f"processor seconds a text: a million in {human_seconds(idle)} on {workers} idle "
            "processors"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
