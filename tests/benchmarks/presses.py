"""What the heaviest presses cost a server: time, memory, and what goes on when the reader leaves.

    python tests/benchmarks/presses.py [container | default] [NAME ...]

Each press is made over the real websocket, on a server of its own whose caches are empty, at the
limits of `.github/serve/Containerfile` with MiniLM, or at those of the package itself with SmolLM2:
the longest text and the largest settings that an address can ask for. Some of the work is done
unasked when a page is opened; then that is the press. The columns:

- seconds of a processor, and of the clock: until there is something new to see (a chart, a text,
  how far it is), and until the end
- megabytes that the server holds before, and at most meanwhile (Linux: VmHWM)
- left: seconds of a processor that it goes on for when the connection is closed after a second
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import NamedTuple
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit

import psutil
from streamlit.proto.Delta_pb2 import Delta

sys.path.insert(0, str(Path(__file__).parents[2]))
from attention.runtime import limits
from tests.benchmarks.visit import Visit, websocket
from tests.e2e.live import serve

PATIENCE = 900.0  # seconds for one press
LEFT_AFTER = 1.0
SEEN = {"vega_lite_chart", "arrow_vega_lite_chart", "progress", "text", "arrow_data_frame"}
CONTAINER = {
    limits.OFFERED: "minilm", limits.TOKENS_ALLOWED: "128", limits.READERS_ALLOWED: "40",
    limits.MEGABYTES_ALLOWED: "500",
}  # fmt: skip


class Press(NamedTuple):
    """What a reader does."""

    page: str
    query: dict[str, str | int]
    button: str = ""  # none: opening the page is all
    texts: Sequence[str] = ()  # that are uploaded


class Cost(NamedTuple):
    """What it took."""

    processor: float
    seen: float
    end: float
    before: float  # MB
    most: float


def of_model(model: str, words: int, edits: int, surveyed: Sequence[str]) -> dict[str, Press]:
    """Return the heaviest presses in a model, where it can do them.

    Parameters
    ----------
    words : of the longest text that is read
    edits : of all its weights, as many as are made
    surveyed : texts, as many and as long as are taken
    """
    text = {"model": model, "q": _text(words)}
    added = {"do": "cut", "edits": "~".join(["add_a1"] * edits)}
    written = {"q": _text(words - 100), "do": "write", "count": 100}
    found = {
        "any page, the text read": Press("visualizer", text),
        "lesson, more heads": Press("lesson", text | {"claim": "heads"}),
        "heads, map of heads": Press("heads", text | {"more": "map"}),
        "heads, shared keys": Press("heads", text | {"more": "shared"}),
        "cut, many edits": Press("interventions", text | added),
        "steer, the curve": Press("interventions", text | {"do": "steer"}),
        "which heads matter": Press("interventions", text | {"do": "matter"}, "Measure"),
        "patch, weights": _patch(text, "weights"),
        "patch, hidden states": _patch(text | {"q": _text(23)}, "states"),
        "what heads write": Press("interventions", text | {"do": "direct"}),
        "write on": Press("interventions", text | written, "Write"),
        "survey": Press("survey", {"survey_model": model}, "Survey", surveyed),
    }
    decoders = {"heads, shared keys", "what heads write", "write on"}
    return {
        name: press for name, press in found.items() if model != "minilm" or name not in decoders
    }


def of_lengths(core: int, layers: int) -> dict[str, Press]:
    """Return the heaviest presses of the page Scaling, for the most tokens that it measures."""
    every = {"n": core, "methods_n": core, "held_n": core, "cross_n": layers, "repeats": 15}
    tabs = "core", "methods", "crossover", "memory"
    return {f"scaling, {tab}": Press("scaling", every | {"lab": tab}, "Measure") for tab in tabs}


def _text(words: int) -> str:
    return " ".join(("the cat sat on the mat " * (words // 6 + 1)).split()[:words])


def _patch(query: dict[str, str | int], what: str) -> Press:
    put = {"do": "patch", "patch_what": what, "patch_text": _text(40).replace("cat", "dog")}
    return Press("interventions", query | put, "" if query["model"] == "minilm" else "Patch each")


TRAINED = {"books": 32, "steps": 960, "learn_width": 64, "learn_heads": 8}
COMPARED = {"trial_books": 8, "trial_seeds": 5, "trial_steps": 1000}
LIMITS = {
    "container": (
        CONTAINER,
        of_model("minilm", 126, 256, [_text(120)] * 166)
        | of_lengths(core=8192, layers=2048)
        | {
            "translation": Press("translation", {"q": _text(60), "see": "carry"}),
            "learning, train": Press("learning", TRAINED, "Train"),
            "learning, by books": Press("learning", COMPARED, "Measure"),
        },
    ),
    "default": (
        {},
        of_model("smollm2", 510, 7, [_text(300)] * 66) | of_lengths(core=16_384, layers=16_384),
    ),
}


def main() -> None:
    """Print the tables."""
    said = sys.argv[1:]
    for name in [one for one in LIMITS if one in said] or LIMITS:
        allowed, every = LIMITS[name]
        print(f"{name}: processor s, seen s, end s, MB before, MB at most, left s", flush=True)
        for told in [one for one in every if one in said] or every:
            with patch.dict(os.environ, allowed):
                print(f"   {told:<26}{_row(every[told])}", flush=True)


def _row(press: Press) -> str:
    try:
        with server() as (url, process):
            cost = measured(url, process, press)
        with server() as (url, process):
            left = after_leaving(url, process, press)
    except (LookupError, RuntimeError, TimeoutError) as error:
        return f"{type(error).__name__}: {error}"
    return (
        f"{cost.processor:7.1f}{cost.seen:7.1f}{cost.end:7.1f}{cost.before:8.0f}{cost.most:8.0f}"
        f"{left:7.1f}   load {os.getloadavg()[0]:.1f}"
    )


@contextmanager
def server() -> Iterator[tuple[str, psutil.Process]]:
    """Run a server; give its address and its process."""
    with TemporaryDirectory() as folder, serve(Path(folder) / "log.txt") as url:
        option = f"--server.port={urlsplit(url).port}"
        children = psutil.Process().children()
        yield url, next(child for child in children if option in child.cmdline())


def measured(url: str, process: psutil.Process, press: Press) -> Cost:
    """Make a press, and wait for its end."""
    with websocket(url) as connection:
        visit, known = opened(connection, press)
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # forget what was held at most
        held, before, start = process.memory_info().rss, _processor(process), perf_counter()
        seen = 0.0
        for delta in begun(visit, press):
            element = delta.new_element
            if not seen and element.WhichOneof("type") in SEEN:
                seen = 0.0 if element.SerializeToString() in known else perf_counter() - start
        while press.texts and not _is_done(visit):
            sleep(0.5)
        end = perf_counter() - start
        return Cost(_processor(process) - before, seen, end, held / 1e6, _most(process) / 1e6)


def after_leaving(url: str, process: psutil.Process, press: Press) -> float:
    """Make a press and close the connection; return how much work was done after that."""
    with websocket(url) as connection:
        visit, _ = opened(connection, press)
        start, answers = perf_counter(), begun(visit, press)
        visit.patience = LEFT_AFTER
        try:
            while perf_counter() - start < LEFT_AFTER and next(answers, None):
                pass
        except TimeoutError:
            pass
        sleep(max(0.0, start + LEFT_AFTER - perf_counter()))
        before = last = _processor(process)
    while True:
        sleep(1.0)
        now = _processor(process)
        if now - last < 0.05:
            return now - before
        last = now


def opened(connection: object, press: Press) -> tuple[Visit, set[bytes]]:
    """Return a visit to the page where the button is, if there is one, and what is seen there."""
    visit = Visit(connection, press.page, urlencode(press.query))
    visit.patience = PATIENCE
    if not press.button:
        return visit, set()
    visit.open()
    if press.texts:
        visit.upload("Texts", "texts.txt", "\n".join(press.texts).encode())
    return visit, {delta.new_element.SerializeToString() for delta in visit.deltas}


def begun(visit: Visit, press: Press) -> Iterable[Delta]:
    """Make the press; give what comes."""
    return visit.pressing(press.button) if press.button else visit.answers()


def _is_done(visit: Visit) -> bool:
    visit.open()
    return any(delta.new_element.HasField("download_button") for delta in visit.deltas)


def _processor(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _most(process: psutil.Process) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
