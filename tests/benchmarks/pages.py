"""Time the pages: on the server, from key press to picture, and when they are first opened.

    pip install -e ".[test]"
    python tests/benchmarks/pages.py [TABLE ...] [--repeats N] [--cold]

Six tables (server, keys, loads, drag, readers, training), medians throughout, models and traces
cached:

1. One rerun on the server after a widget moves: from the message that the browser would send to
   the last one that it would get, over the real websocket, without a browser.
2. From a key press on a slider until every chart of the page has changed, in headless Chromium,
   against a bare page with one slider and one chart, in turn.
3. From the start of the navigation until every chart is drawn, against the same bare page, in
   turn. Each time in a new browser context that has opened the page once before, so that its HTTP
   cache is warm (`--cold`: has not, so that it is empty). The third in turn is a page that computes
   nothing: it sends what ours has sent.
4. How many pictures of the explorer's blend appear in a second while the pointer holds a slider and
   moves it, with the load of the machine.
5. Many readers at once, over websockets, each page and the bare one in turn: until one that each
   moves a control of every second is complete, until one that all open in the same moment is, and
   the memory that the server then holds. Streamlit's own settings collect garbage after every run,
   ours do not: the third in turn is the bare page without that.
6. How many different pictures of the map appear in a second while attention is trained, from the
   first to the last, and when the first comes after "Train" is pressed, with the machine's load.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import chain, cycle, islice
from pathlib import Path
from pickle import dumps
from shutil import copytree
from statistics import median
from tempfile import TemporaryDirectory
from threading import Barrier
from time import perf_counter, sleep

from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks.visit import Visit, websocket
from tests.e2e.live import FLAGS, ROOT, chromium, serve, server_of
from tests.e2e.training import changes, press_train, trained

WARM_UP = 3
SERVER_TARGET, KEY_TARGET, LOAD_TARGET = 60, 1.3, 1.3  # ms, and two ratios
DRAG_TARGET = 6  # a second
BOOKS, PICTURES_TARGET, FIRST_TARGET = (8, 16, 32), 8, 2000  # a second; ms
TABLES = ("server", "keys", "loads", "drag", "readers", "training")
READERS, OPEN_TARGET, MOVE_TARGET, MEMORY_TARGET = 50, 1.5, 0.7, 500e6
MOVES, SECONDS_APART = 8, 1.0
ALIKE = "to the bare page without collection"
CHARTS = {"lesson": 9, "explorer": 2, "heads": 3, "scaling": 2}  # on each page when it is opened
PAGES = (
    "lesson", "explorer", "pipeline", "translation", "learning", "context", "visualizer", "heads",
    "interventions", "scaling", "survey",
)  # fmt: skip
HELD = {  # of each page, what its readers move
    "explorer": ("bidi_component", "deposit"),
    "visualizer": ("selectbox", "Query"),
    "heads": ("selectbox", "Query whose row"),
}
BARE = """
import altair as alt
import pandas as pd
import streamlit as st

st.title("Bare")
x = st.slider("x", 0.0, 1.0, 0.5, 0.01)
data = pd.DataFrame({"k": range(8), "v": [x * k for k in range(8)]})
st.altair_chart(alt.Chart(data).mark_bar().encode(x="v:Q", y="k:O"))
"""

# What a page of ours has sent, sent again: how much of a load is Streamlit's own.
AGAIN = """
import pickle
from pathlib import Path

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner_utils.script_run_context import enqueue_message

st.set_page_config(layout="wide")
for raw in pickle.loads((Path(__file__).parent / st.query_params["page"]).read_bytes()):
    enqueue_message(ForwardMsg.FromString(raw))
"""

BLEND = '[data-testid=stVegaLiteChart][aria-label^="The blended output"]'
COUNT = """
(chart) => {
  window.seen = new Set();
  let last = '';
  const look = () => {
    const marks = [...document.querySelectorAll(`${chart} path[aria-label]`)];
    const now = marks.map((e) => e.ariaLabel).join();
    if (now && now !== last) seen.add(performance.now());
    last = now || last;
    requestAnimationFrame(look);
  };
  look();
}
"""

# What a chart shows: the labels of its marks, which hold their values.
WATCH = """
window.pictures = () => [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].map(
  (chart) => [...chart.querySelectorAll('path[aria-label]')].map((e) => e.ariaLabel).join());
window.whenever = (check) => new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error('nothing was drawn for 30 s')), 30000);
  const observer = new MutationObserver(() => check() && done());
  const done = () => {
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.now()));
  };
  const everything = {subtree: true, childList: true, attributes: true, characterData: true};
  observer.observe(document, everything);
});
window.keyPress = () => {
  const before = pictures();
  let start = 0;
  addEventListener('keydown', () => { start = performance.now(); }, {capture: true, once: true});
  window.changed = whenever(() => pictures().every((now, i) => now && now !== before[i]))
    .then((end) => end - start);
};
"""
OPENED = """
window.drawn = () => [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].filter(
  (chart) => chart.querySelector('path[aria-label]')).length;
window.opened = whenever(() => document.querySelector('h1') && drawn() >= COUNT);
"""


def main() -> None:
    """Print the tables."""
    arguments = parse()
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        for kind, script in {"bare": BARE, "same/bare": BARE, "same/again": AGAIN}.items():
            (folder / kind).parent.mkdir(exist_ok=True)
            (folder / f"{kind}.py").write_text(script)
        same = folder / "same"  # with our settings
        copytree(ROOT / ".streamlit", same / ".streamlit")
        with (
            serve(folder / "ours.txt") as ours,
            serve(folder / "bare.txt", folder / "bare.py") as bare,
            serve(folder / "alike.txt", same / "bare.py") as alike,
            serve(folder / "again.txt", same / "again.py") as again,
        ):
            if "server" in arguments.tables:
                print_server(ours, bare, arguments.repeats)
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            if "keys" in arguments.tables:
                print_keys(browser, ours, bare, arguments.repeats)
            if "loads" in arguments.tables:
                for name in CHARTS:
                    (same / name).write_bytes(dumps(messages(ours, name)))
                print_loads(browser, ours, bare, again, arguments.repeats, warm=not arguments.cold)
            if "drag" in arguments.tables:
                print_drag(browser, ours)
            if "training" in arguments.tables:
                print_training(browser, ours)
            browser.close()
            if "readers" in arguments.tables:
                print_readers(ours, bare, alike)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", default=[*TABLES])
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--cold", action="store_true", help="load with an empty HTTP cache")
    return parser.parse_args()


def print_server(ours: str, bare: str, repeats: int) -> None:
    """Print the server's time of one rerun of each page; that of the bare page is the floor."""
    print(f"1. one rerun on the server, target {SERVER_TARGET} ms")
    widgets = {
        "the bare page": ("", "slider", "x"),
        "explorer, a score": ("explorer", "bidi_component", "deposit"),
        "explorer, a real head's score": (
            "explorer",
            "bidi_component",
            "deposit",
            "start=A+real+head",
        ),
        "heads, another word": ("heads", "selectbox", "Query whose row"),
        "scaling, nothing measured": ("scaling", "slider", "Repeats"),
        "scaling, with results": ("scaling", "slider", "Repeats", "n=512&repeats=3"),
    }
    for name, widget in widgets.items():
        with websocket(ours if widget[0] else bare) as connection:
            page, kind, label, *query = widget
            visit = Visit(connection, page, *query)
            visit.open()
            visit.hold(kind, label)
            if "results" in name:
                visit.press("Measure")
            times = [visit.move() for _ in range(repeats + WARM_UP)][WARM_UP:]
        sent = f"{visit.received / 1000:6.0f} kB"
        row(name, times, sent, SERVER_TARGET, median(times))


def print_keys(browser: Browser, ours: str, bare: str, repeats: int) -> None:
    """Print the time from a key press to the changed picture, against the bare page."""
    print(f"\n2. key press to changed picture, target {KEY_TARGET}")
    sides = (key_side(browser, f"{bare}/", "x"), key_side(browser, f"{ours}/explorer", "deposit"))
    compare("explorer", alternate(sides, repeats), KEY_TARGET)


def key_side(browser: Browser, url: str, label: str) -> Callable[[], float]:
    """Open a page; return a function that presses a key on a slider and gives the milliseconds."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(url)
    page.locator("[data-testid=stVegaLiteChart] path[aria-label]").first.wait_for(state="attached")
    slider = page.locator(f'input[type=range][aria-label="{label}"]')
    keys = cycle(["ArrowRight"] * 3 + ["ArrowLeft"] * 3)

    def press() -> float:
        page.bring_to_front()
        page.wait_for_timeout(300)  # the last rerun is over, and what it set off as well
        page.evaluate("keyPress()")
        slider.press(next(keys))
        return float(page.evaluate("changed"))

    return press


def print_drag(browser: Browser, ours: str, seconds: float = 3.0) -> None:
    """Print how often the blend's picture changes while a slider is held and moved."""
    print(f"\n4. pictures in a second while a slider is dragged, target {DRAG_TARGET}")
    page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    page.goto(f"{ours}/explorer")
    box = page.locator("input[type=range][aria-label=deposit]").bounding_box()
    page.locator(f"{BLEND} svg").wait_for()
    page.wait_for_timeout(1000)
    page.evaluate(COUNT, BLEND)
    y = box["y"] + box["height"] / 2
    for _ in range(3):
        page.mouse.move(box["x"] + 0.55 * box["width"], y)
        page.mouse.down()
        before, start = page.evaluate("seen.size"), perf_counter()
        for step in cycle([*range(50), *range(50, 0, -1)]):
            page.mouse.move(box["x"] + (0.55 - step / 100) * box["width"], y - step / 50)
            if perf_counter() - start > seconds:
                break
        rate = (page.evaluate("seen.size") - before) / (perf_counter() - start)
        page.mouse.up()
        page.wait_for_timeout(1000)
        print(f"   {rate:.1f} a second; load {os.getloadavg()[0]:.1f}")


def print_training(browser: Browser, ours: str, repeats: int = 3) -> None:
    """Print how often the map has a new picture while attention is trained on the page."""
    print(f"\n6. pictures of a training, target {PICTURES_TARGET} a second, {FIRST_TARGET} ms")
    for books in BOOKS:
        runs = [watch_training(browser, ours, books) for _ in range(repeats)]
        rates, firsts = (sorted(figures) for figures in zip(*runs, strict=True))
        missed = median(rates) < PICTURES_TARGET or median(firsts) > FIRST_TARGET
        print(
            f"   {books:2} books: {median(rates):.1f} a second ({rates[0]:.1f} to {rates[-1]:.1f}),"
            f" the first after {median(firsts):.0f} ms; load {os.getloadavg()[0]:.1f}"
            f"{'   MISSED' if missed else ''}",
            flush=True,
        )


def watch_training(browser: Browser, ours: str, books: int) -> tuple[float, float]:
    """Train on the page; return pictures a second, and the milliseconds until the first."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.goto(f"{ours}/learning?books={books}")
    page.locator("[data-test-script-state=notRunning] h1").wait_for()
    page.wait_for_timeout(1000)
    press_train(page)
    trained(page)
    first, *_, last = times = changes(page)
    context.close()
    return (len(times) - 1) / (last - first) * 1000, first


def print_loads(
    browser: Browser, ours: str, bare: str, again: str, repeats: int, *, warm: bool
) -> None:
    """Print the time until each page is drawn when it is opened, against the bare page."""
    cache = "warm" if warm else "empty"
    print(f"\n3. first load of a warm server, HTTP cache {cache}, target {LOAD_TARGET}")
    for name, charts in CHARTS.items():
        sides = (
            partial(load, browser, f"{bare}/", 1, warm),
            partial(load, browser, f"{ours}/{name}", charts, warm),
            partial(load, browser, f"{again}/?page={name}", charts, warm),
        )
        times = alternate(sides, max(repeats // 2, 5))
        compare(name, times, LOAD_TARGET, "to what it sends alone")


def messages(url: str, page: str) -> list[bytes]:
    """Return what a page sends when it is opened."""
    with websocket(url) as connection:
        visit = Visit(connection, page)
        visit.open()
        return visit.messages


def load(browser: Browser, url: str, charts: int, warm: bool) -> float:
    """Open a page in a new context; return the milliseconds until its charts are drawn."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(WATCH + OPENED.replace("COUNT", str(charts)))
    for _ in range(2 if warm else 1):
        page = context.new_page()
        page.goto(url)
        taken = float(page.evaluate("opened"))
        page.close()
    context.close()
    return taken


def print_readers(ours: str, bare: str, alike: str, repeats: int = 5) -> None:
    """Print how long many readers at once wait, against the bare page, and the server's memory."""
    print(f"\n5. {READERS} readers move a control every second, target {MOVE_TARGET}")
    for name, widget in HELD.items():
        with readers(bare, "") as theirs, readers(ours, name) as mine, readers(alike, "") as other:
            slider = "slider", "x"
            held = (theirs, slider), (mine, widget), (other, slider)
            sides = [partial(move_in_turn, *each) for each in held]
            compare(name, alternate(sides, repeats, warm_up=1), MOVE_TARGET, ALIKE)
        print_memory(ours)
    print(f"   {READERS} readers open a page at once, target {OPEN_TARGET}")
    for name in PAGES:
        opened = (bare, ""), (ours, name), (alike, "")
        sides = [partial(open_at_once, *each) for each in opened]
        compare(name, alternate(sides, repeats, warm_up=1), OPEN_TARGET, ALIKE)
    print_memory(ours, " with every model that a page opens on")


def print_memory(url: str, when: str = "") -> None:
    """Print how much memory the server holds now."""
    held = server_of(url).memory_info().rss
    verdict = "" if held <= MEMORY_TARGET else "   MISSED"
    print(f"   memory of the server{when}: {held / 1e6:.0f} MB{verdict}")


@contextmanager
def readers(url: str, page: str) -> Iterator[list[Visit]]:
    """Connect many readers, who have not asked for anything yet."""
    with ExitStack() as stack:
        yield [Visit(stack.enter_context(websocket(url)), page) for _ in range(READERS)]


def open_at_once(url: str, page: str) -> float:
    """Let all readers open a page in one moment; return the median of what they wait for, in ms."""
    start = Barrier(READERS)

    def wait_and_open(visit: Visit) -> float:
        start.wait()
        return visit.open()

    with readers(url, page) as visits, ThreadPoolExecutor(READERS) as pool:
        return median(pool.map(wait_and_open, visits))


def move_in_turn(visits: Sequence[Visit], widget: tuple[str, str]) -> float:
    """Let each reader move a widget every second; return the median of what they wait for, in ms.

    Each begins at another moment of the second, and waits for the page before it moves again.
    """
    start = perf_counter()

    def move_on(number: int, visit: Visit) -> list[float]:
        taken = []
        for second in range(MOVES):
            due = start + (second + number / len(visits)) * SECONDS_APART
            sleep(max(0.0, due - perf_counter()))
            taken.append(visit.move())
        return taken

    with ThreadPoolExecutor(READERS) as pool:
        if not visits[0].deltas:
            list(pool.map(Visit.open, visits))
            for visit in visits:
                visit.hold(*widget)
            start = perf_counter()
        return median(chain(*pool.map(move_on, range(len(visits)), visits)))


def alternate(
    sides: Sequence[Callable[[], float]], repeats: int, *, warm_up: int = WARM_UP
) -> list[list[float]]:
    """Return the milliseconds of each run of each side, taking turns, after a warm-up."""
    rounds = [[side() for side in sides] for _ in range(repeats + warm_up)]
    return [list(times) for times in zip(*islice(rounds, warm_up, None), strict=True)]


def compare(name: str, times: list[list[float]], target: float, other: str = "") -> None:
    """Print one row that sets a page against the bare one, and against another one."""
    bare, ours, *others = (median(each) for each in times)
    rest = f"bare {bare:6.0f} ms   ratio {ours / bare:.2f}"
    rest += "".join(f"   {other} {ours / each:.2f}" for each in others)
    row(name, times[1], rest, target, ours / bare)


def row(name: str, times: list[float], rest: str, target: float, figure: float) -> None:
    """Print one row of a table."""
    spread = f"{median(times):6.0f} ms  ({min(times):.0f} to {max(times):.0f}, {len(times)} runs)"
    verdict = "" if figure <= target else "   MISSED"
    print(f"   {name:<30}{spread:<36}{rest}{verdict}", flush=True)


if __name__ == "__main__":
    main()
