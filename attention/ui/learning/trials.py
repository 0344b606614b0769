"""The learning page's tabs: networks trained over several seeds and compared, on a button."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import streamlit as st

from attention.learning import charts, compared, frames
from attention.learning.measure import (
    BOOKS,
    FULL_LENGTH,
    AccuracyPoint,
    Choice,
    accuracy_points,
    contestants,
)
from attention.learning.network import Network
from attention.learning.networks import AttentionNetwork
from attention.learning.stored import stored_comparison
from attention.learning.tasks import LIBRARY, word_back
from attention.runtime.timing import Progress, part_of
from attention.ui import inputs
from attention.ui.code_lines import script
from attention.ui.learning.by_books import (
    BOOKS_TOLD,
    BY_BOOKS,
    draw_by_books,
    draw_figures,
    say_how,
)
from attention.ui.measuring import Sweep, bench, measured
from attention.ui.show import draw, escape_markdown, notice
from attention.ui.view_code import ViewCode, code_box, drawn_last, offer

_LONGEST_RUN = (250, 500, 1000)  # steps, so that nobody waits for a minute
_TRIED_HEADS = (1, 2, 4, 8)
_GUESS = 1 / LIBRARY.answers
_RATE, _STEPS = 0.01, 300  # of the trainings that nothing is stored of
_BOX = "Code for this comparison", "trial_code"  # the training above has its own, in a fragment
_ANEW = "# Trained anew, as it was on the page."


def books() -> None:
    """Draw accuracy against the number of books as it is stored, and measure one number here."""
    st.markdown("**How many books can each network hold in mind?**")
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    with controls:
        n = inputs.stepped("Books", BOOKS, 4, key="trial_books")
        seeds = _seeds()
        steps = inputs.stepped("Steps at most", _LONGEST_RUN, 500, key="trial_steps")
    place = bench(controls, key="measure_books")
    stored = stored_comparison()
    most = min(steps, steps * FULL_LENGTH // n)  # more books take longer
    choices = {p.series: Choice(p.choice.rate, most) for p in stored.library}
    networks = contestants()
    here = measured(
        "books",
        place,
        {"books": n, "seeds": seeds, "steps": steps},
        partial(_each, networks, n, seeds, choices),
    )
    notice(compared.told_books(stored.library, BOOKS_TOLD))
    draw_by_books(here.results)
    if len(here.results) == len(networks):
        notice(f"Measured here. {compared.told_books(here.results, here.results[0].n)}")
    st.caption(escape_markdown(compared.told_limits(stored.library)))
    st.caption(escape_markdown(compared.told_marked(stored.marked)))
    say_how()
    draw_figures()
    st.caption(_offer(seeds, n, most, here))
    offer(ViewCode(partial(_books_code, here), BY_BOOKS, text="books"))
    code_box(*_BOX)


def _books_code(here: Sweep[AccuracyPoint]) -> str:
    imported, drawing = drawn_last(BY_BOOKS).code()
    imports = [
        "from attention import plot",
        "from attention.learning.compared import told_books",
        "from attention.learning.frames import accuracy_frame",
        "from attention.learning.stored import stored_comparison",
        imported,
    ]
    lines = ["points = stored_comparison().library", f"print(told_books(points, {BOOKS_TOLD}))"]
    if not here.results:
        return script(imports, [*lines, "data = accuracy_frame(points)", *drawing])
    n, seeds, most = here.results[0].n, here.settings["seeds"], here.results[0].choice.steps
    imports.append("from attention.learning.measure import Choice, accuracy_points, contestants")
    return script(imports, [
        *lines,
        f"choices = {{p.series: Choice(p.choice.rate, {most}) for p in points}}",
        _ANEW,
        "here = [",
        "    point",
        "    for name, network in contestants().items()",
        "    for point in accuracy_points(",
        f"        {{name: network}}, [{n}], seeds={seeds}, choose=lambda _: choices[name]",
        "    )",
        "]",
        f"print(told_books(here, {n}))",
        "data = accuracy_frame(points, here)",
        *drawing,
    ])  # fmt: skip


def positions() -> None:
    """Train attention to say the word k back, with and without positions."""
    st.markdown("**Which word stands k back? Attention alone does not see the order of words.**")
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    with controls:
        n = inputs.stepped("Words", (4, 8, 16, 32), 8, key="trial_words")
        k = inputs.slider("k", 1, 4, 2, key="trial_back", width=140)
        seeds = _seeds()
    task = word_back(k)
    networks: dict[str, Network] = {
        "with positions": AttentionNetwork(task, 32, longest=n + 1),
        "without positions": AttentionNetwork(task, 32),
    }
    _compare("positions", controls, networks, {"n": n, "seeds": seeds, "k": k}, 1 / task.answers)
    st.caption(
        f"A guess names any of {task.answers} words. Whoever names a word of the text, no matter "
        f"which, is right at least 1 time in {n}."
    )


def heads() -> None:
    """Train attention with several numbers of heads at one width."""
    st.markdown("**The same width in more heads: each head has less of it.**")
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    with controls:
        n = inputs.stepped("Books", (4, 8, 16, 32), 8, key="trial_books_heads")
        width = inputs.stepped("Width", (16, 32, 64), 32, key="trial_width")
        seeds = _seeds()
    networks: dict[str, Network] = {
        _heads_name(count, width): AttentionNetwork(LIBRARY, width, count) for count in _TRIED_HEADS
    }
    _compare("heads", controls, networks, {"n": n, "seeds": seeds, "width": width}, _GUESS)


def _compare(
    name: str, controls: st.delta_generator.DeltaGenerator, networks: Mapping[str, Network],
    settings: dict[str, int], guess: float,
) -> None:  # fmt: skip
    place, n, seeds = bench(controls, key=f"measure_{name}"), settings["n"], settings["seeds"]
    choices = dict.fromkeys(networks, Choice(_RATE, _STEPS))
    sizes = "; ".join(f"{key}: {one.parameter_count():,}" for key, one in networks.items())
    found = measured(name, place, settings, partial(_each, networks, n, seeds, choices))
    if found.results:
        figure = f"by_{name}"
        draw(
            charts.accuracy_bars,
            frames.accuracy_frame((), found.results),
            key=figure,
            alt_text="Right answers of each network",
            series=tuple(point.series for point in found.results),
            chance=guess,
        )
        notice(compared.told_two(found.results, guess))
        offer(ViewCode(partial(_compared_code, found, figure, guess), figure, text=name))
    st.caption(
        f"“Measure” trains each network with {seeds} {'seed' if seeds == 1 else 'seeds'} at a "
        f"learning rate of {_RATE}, until 99.5 % of the last 20 batches are right or for {_STEPS} "
        f"steps. Numbers that are learned: {sizes}."
    )
    code_box(*_BOX)


def _compared_code(found: Sweep[AccuracyPoint], figure: str, guess: float) -> str:
    """Return the code of a comparison with the settings that it was made with, not those of now."""
    imported, drawing = drawn_last(figure).code()
    settings = {name: int(value) for name, value in found.settings.items()}
    n, seeds = settings["n"], settings["seeds"]
    if "k" in settings:
        task = f"word_back({settings['k']})"
        made = {"with positions": f"32, longest={n + 1}", "without positions": "32"}
    else:
        task, width = "LIBRARY", settings["width"]
        made = {_heads_name(count, width): f"{width}, {count}" for count in _TRIED_HEADS}
    imports = [
        "from attention import plot",
        "from attention.learning.compared import told_two",
        "from attention.learning.frames import accuracy_frame",
        "from attention.learning.measure import Choice, accuracy_points",
        "from attention.learning.networks import AttentionNetwork",
        f"from attention.learning.tasks import {task.partition('(')[0]}",
        imported,
    ]
    return script(imports, [
        "networks = {",
        *(f"    {name!r}: AttentionNetwork({task}, {own})," for name, own in made.items()),
        "}",
        _ANEW,
        "points = list(accuracy_points(",
        f"    networks, [{n}], seeds={seeds}, choose=lambda _: Choice({_RATE}, {_STEPS})",
        "))",
        "data = accuracy_frame((), points)",
        *drawing,
        f"print(told_two(points, {guess!r}))",
    ])  # fmt: skip


def _each(
    networks: Mapping[str, Network], n: int, seeds: int, choices: Mapping[str, Choice],
    progress: Progress,
) -> Iterator[AccuracyPoint]:  # fmt: skip
    """Train one network after the other, and say how far that is."""
    count = len(networks)
    for done, (name, network) in enumerate(networks.items()):
        yield from accuracy_points(
            {name: network}, [n], seeds=seeds, choose=lambda *_, name=name: choices[name],
            on_progress=part_of(progress, done / count, (done + 1) / count),
        )  # fmt: skip


def _seeds() -> int:
    return inputs.slider("Seeds", 1, 5, 3, key="trial_seeds", width=140)


def _heads_name(count: int, width: int) -> str:
    return f"{count} {'head' if count == 1 else 'heads'} of {width // count}"


def _offer(seeds: int, n: int, steps: int, here: Sweep[AccuracyPoint]) -> str:
    rings = "Rings: measured on this machine. " if here.results else ""
    return (
        f"{rings}“Measure” trains all of them here at {n} {'book' if n == 1 else 'books'}, "
        f"{seeds} {'seed' if seeds == 1 else 'seeds'} each, for at most {steps:,} steps."
    )
