"""How many texts a second a survey measures with 1, 2, ... processes; what a million would take.

    python -m tests.benchmarks.survey [MODEL]

On a machine that does nothing else: processes that wait for others' work say nothing. The rate is
that after the processes have started; each number of them runs twice, in turn, and the faster
counts.
"""

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
    """Return texts a second between the first part and the last, and the bytes of the file."""
    marks = []
    with TemporaryDirectory() as folder:
        out = run(
            texts, model, Path(folder) / "survey.parquet", workers=workers, part=8,
            on_progress=lambda pace: marks.append((perf_counter(), pace.done)),
        )  # fmt: skip
        size = out.stat().st_size
    (start, first), (end, last) = marks[workers], marks[-1]  # each has had its first part
    return (last - first) / (end - start), size


def main(model="minilm"):
    """Print a line for each number of processes."""
    texts = list(TextFiles(sorted(TEXTS.glob("*.txt"))))
    counts = sorted({1, 2, processors()})
    found = {workers: [] for workers in counts}
    for _ in range(2):
        for workers in counts:
            found[workers].append(rate(texts, model, workers))
    alone = max(found[1])[0]
    for workers, rates in found.items():
        best, size = max(rates)
        seconds, more = larger_survey(best, size, len(texts), MILLION)
        print(
            f"{model}, {workers} processes: {best:.1f} texts a second, {best / alone:.2f} times "
            f"one; a million in {human_seconds(seconds)}, {human_bytes(more)}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
