"""Showing things: charts, sentences, and any text that a reader may have typed."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st

from attention import wording
from attention.analysis import metrics
from attention.analysis.words import Unit
from attention.arrays import Array
from attention.characters import legend
from attention.charts import Chart
from attention.charts.specs import unchecked_spec
from attention.models import registry
from attention.models.memory import in_gb
from attention.ui.readings import Reading
from attention.ui.view_code import Figure, note_figure
from attention.wording import percent as percent

_MARKS = set(string.punctuation) - set("',;?%(")
# What Streamlit looks for when backslashes are gone: codes of emoji and icons, addresses, arrows.
_FOUND_LATER = re.compile(
    r"\\:(?=\\?[\w+/-])|\\@(?=\\?[\w-])|(?<=www)\\\.|\\[-<](?=\\[-=>])|\\[>~](?=\\=)", re.IGNORECASE
)
_MOST_NAMED = 12  # unknown words
_MOST_LETTERS = 24  # of each

_SINK = (
    "Weights must sum to 1, so a head that finds nothing to attend to puts them somewhere. That "
    "is a mean share of weight: one word may be an exception, and what such a head writes can "
    "matter all the same. “Interventions” takes heads out and measures it."
)


def sized(model: str) -> str:
    """Return the name of a model with the memory that it takes, as pickers show it."""
    found = registry.entries().get(model)
    return f"{model} · {in_gb(found.needed)}" if found else model


def draw(
    build: Callable[..., Chart],
    data: pd.DataFrame,
    *,
    key: str,
    alt_text: str,
    on_select: Callable[[], None] | None = None,
    selection: str | None = None,
    in_light: Callable[[], pd.DataFrame] | None = None,
    **options: Any,
) -> Any:
    """Draw `build(data, **options)`; only the data is sent when the options stay the same.

    Altair needs 10 to 20 ms to make a spec. A chart function does not look into its data, so its
    spec is made once per set of options.

    Parameters
    ----------
    on_select : called when a click has changed a selection
    selection : the one that it is about, where the chart has others for its own use
    in_light : makes the data of what is saved, which is light, where they have a theme's colours
    """
    spec = _spec(build, tuple(data.columns), tuple(options.items()))  # options are hashable
    note_figure(key, Figure(build, data, options, alt_text, in_light))
    return st.vega_lite_chart(
        spec={**spec, "data": {"name": "rows"}, "datasets": {"rows": data}},
        key=key,
        alt=alt_text,
        on_select=on_select or "ignore",
        selection_mode=selection,
        width="stretch",
    )


def notice(sentence: str) -> None:
    """Show the page's one computed sentence; it may hold words from the reader's text."""
    st.info(escape_markdown(sentence), icon=":material/lightbulb:")


def special_tokens_note(chosen: Reading, heads: Sequence[wording.Head]) -> None:
    """Say what special tokens take in these heads or, where they are taken out, took.

    A decoder without any rests its weight on the first word: then that is what is said.
    """
    if not any(chosen.trace.input.special):
        _first_word_note(chosen, heads)
        return
    if not chosen.special:
        taken = ", ".join(
            f"{wording.head_name(head)} {percent(float(chosen.view.removed[head].mean()))}"
            for head in heads
        )
        st.caption(
            "Special tokens are taken out, and every row is divided by what it keeps. "
            f"They took, on average over the rows: {taken}."
        )
        return
    if sinks := _sinks(metrics.special_share(chosen.view), heads):
        st.caption(
            f"Sinks, with the share that goes to special tokens, on average: {sinks}. {_SINK} "
            "“View” above takes special tokens out."
        )


def _first_word_note(chosen: Reading, heads: Sequence[wording.Head]) -> None:
    sinks = _sinks(metrics.first_share(chosen.view), heads)
    if sinks and chosen.view.is_causal:
        windowed = " where no window hides it" if any(chosen.view.windows) else ""
        st.caption(
            f"Sinks, with the share that goes to the first word, on average: {sinks}. {_SINK} This "
            "decoder has no special token for that, and the first word is the one that all can "
            f"attend to{windowed}."
        )


def _sinks(share: Array, heads: Sequence[wording.Head]) -> str:
    """Name the heads whose share `(L, H)` is more than half."""
    return ", ".join(
        f"{wording.head_name(head)} ({percent(float(share[head]))})"
        for head in heads
        if share[head] > 0.5
    )


def show_check(claim: str, holds: bool) -> None:
    """Show a condition that was checked just now, green or red."""
    icon, colour = ("check", "green") if holds else ("close", "red")
    # as `st.badge`, which escapes a second time
    badge = f":{colour}-badge[:material/{icon}: {escape_markdown(claim)}]"
    st.markdown(badge, width="content")


def signs_note(labels: Iterable[str]) -> None:
    """Say what the signs in these labels stand for, if there are any."""
    if signs := legend(labels):
        st.caption(escape_markdown(signs))


def unknown_words(model: str, units: Iterable[Unit]) -> None:
    """Name the words that a model has no token for, if there are any."""
    names = list(dict.fromkeys(unit.unknown for unit in units if unit.unknown))
    if not names:
        return
    cut = [n if len(n) <= _MOST_LETTERS else f"{n[:_MOST_LETTERS]}…" for n in names]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    seen = "them as the same unknown word" if len(names) > 1 else "it as an unknown word"
    sentence = f"{model} has no token for {', '.join(cut[:_MOST_NAMED])}{more}: it sees {seen}."
    st.caption(f":material/help: {escape_markdown(sentence)}")


def saving_hint() -> None:
    """Say once per page how its charts and their data are saved, and how the page is shared."""
    st.caption(
        "Point at a chart for its toolbar: save the picture as PNG, or show its data and "
        "download them as CSV. The address of this page holds every choice: copy it to share."
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> None:
    """Show a few lines of text in columns; any text is safe.

    A Markdown table: `st.code` and `st.dataframe` would each load a megabyte into the browser.

    Parameters
    ----------
    texts : how many columns begin at the left, the first ones; numbers end at the right
    """
    lines = [header, ["---"] * texts + ["--:"] * (len(header) - texts)]
    lines += [[escape_markdown(cell) for cell in row] for row in rows]
    st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


def escape_markdown(text: str) -> str:
    """Return `text` so that Markdown shows it letter for letter.

    Every punctuation mark gets a backslash. What Streamlit would find in the text all the same is
    broken up by an element of its own, a `:color[]` that names no colour: nothing is added that a
    reader could copy.

    >>> print(escape_markdown("a_b: 0.68"), escape_markdown(":smile:"))
    a\\_b\\: 0\\.68 :color[\\:]smile\\:
    """
    escaped = "".join(f"\\{c}" if c in _MARKS else c for c in " ".join(text.split()))
    return _FOUND_LATER.sub(lambda found: f":color[{found[0]}]", escaped)


@lru_cache(maxsize=256)
def _spec(
    build: Callable[..., Chart],
    columns: Sequence[str],
    options: tuple[tuple[str, Hashable], ...],
) -> dict[str, Any]:
    return unchecked_spec(build, columns, dict(options))
