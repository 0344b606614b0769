"""Pictures of heads: links, maps, all heads at a glance, rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attention.analysis import frames, metrics, sentences
from attention.analysis import links as pictured
from attention.analysis.asked import Word, seen_in, word_and_heads
from attention.analysis.grouped_heads import sharing
from attention.analysis.link_frames import link_frame
from attention.analysis.words import View
from attention.charts import maps
from attention.charts.inline import inline
from attention.charts.links import word_links
from attention.charts.look import dressed
from attention.charts.thumbnail_frames import map_letters, thumbnail_frame, thumbnail_labels
from attention.charts.thumbnails import thumbnails
from attention.lesson.frames import hero_frame
from attention.models.trace import Trace
from attention.plot.drawing import WIDTH, Picture, cross_links
from attention.translation.aligned import CrossView
from attention.wording import Head, head_name, spelled

_FEW = 3  # heads beside each other
_SIDES = {1: 420, 2: 300}  # of a map, pixels, by how many stand in a row; else 220
_ROW = 22  # pixels that a layer takes in the grid of figures


def links(
    of: Trace | View,
    *,
    query: Word | None = None,
    heads: Sequence[Head] | None = None,
    base: bool = True,
    coloured: bool | None = None,
    shown: Sequence[int] | None = None,
    figure: str = "weight",
) -> Picture:
    """Draw lines from a word to all that it attends to; a click makes another word the query.

    Parameters
    ----------
    query : by default the word of the most telling link
    heads : one head, or several of one layer, each in a colour of its own; by default that in which
        the query is most selective
    base : of one head, bars beside the words, with a mark at what the other words give, on average
    coloured : each head has lines of its own colour; by default where there are several
    shown : the words that are drawn; by default all, or of a text of more than 40 those around the
        query, each with a list of the 20 words that it attends to most
    figure : what the numbers of the view are

    Raises
    ------
    ValueError : there is no such word or head; the heads are of several layers.

    >>> import attention
    >>> trace = attention.load_model().trace("The cat sat on the mat because it was tired")
    >>> chart = links(trace, query="it", heads=[(3, 1)])
    """
    seen = seen_in(of)
    asked, picked = word_and_heads(seen, query, heads)
    layer, columns = picked[0][0], [head for _, head in picked]
    if any(one != layer for one, _ in picked):
        raise ValueError(f"lines are of heads of one layer, got {_names(picked)}")
    if seen.other is not None:
        return cross_links(CrossView(seen, layer, columns), asked, figure=figure)
    size, several = len(seen.units), len(columns) > 1 if coloured is None else coloured
    long = size > pictured.MOST_WORDS and shown is None
    if shown is None:
        shown = pictured.shown_window(size, asked, pictured.MOST_QUERIES) if long else range(size)
    listed = pictured.MOST_KEYS if long else None
    bars = base and not several and not long
    data = (
        hero_frame(seen, picked[0], shown, asked)
        if bars
        else link_frame(
            seen, layer, columns, shown, query=asked, several=several, listed=listed,
            least=pictured.smallest_drawn(seen.weights[layer, columns][:, list(shown)])
            if several
            else 0.0,
        )
    )  # fmt: skip
    chart = word_links(
        inline(data),
        count=len(shown),
        longest=max(map(len, seen.labels)) + (4 if long else 0),
        names=[f"H{head}" for head in range(seen.weights.shape[1])],
        several=several,
        bars=bars,
        listed=long,
        legend=columns if several else (),
        figure=figure,
    )
    return dressed(chart.properties(width=WIDTH), f"{_names(picked)}: click a word")


def head_map(
    of: Trace | View,
    *,
    heads: Sequence[Head] | None = None,
    query: Word | None = None,
    columns: int = _FEW,
    shown: Sequence[int] | None = None,
    figure: str = "weight",
) -> Picture:
    """Draw maps of weights: rows are queries, columns are keys; hovering tells the numbers.

    Parameters
    ----------
    heads : by default the one of the most telling link
    query : of a text of more than 40 words, those around this one are drawn, and what it attends
        to most
    columns : maps in a row
    shown : the words that are drawn
    figure : what the numbers of the view are

    Raises
    ------
    ValueError : there is no such head or word.
    """
    seen = seen_in(of)
    asked, picked = word_and_heads(seen, query, heads)
    if shown is None:
        most = [int(seen.weights[head][asked].argmax()) for head in picked]
        named = [asked, *most] if seen.other is None else [asked]
        shown = pictured.shown_words(len(seen.units), asked, named, pictured.MOST_WORDS)
    row = min(columns, len(picked))
    chart = maps.head_maps(
        inline(frames.map_frame(seen, picked, shown)),
        labels=seen.labels,
        first=0,
        names=[f"{head_name(head)}\n{_role(seen, head)}".strip() for head in picked],
        columns=row,
        size=_SIDES.get(row, 220),
        count=max(len(shown), 0 if seen.other is None else len(seen.other)),
        keys=() if seen.other is None else seen.key_labels,
        figure=figure,
    )
    return dressed(chart)


def head_grid(of: Trace | View, *, figure: str | None = None) -> Picture:
    """Draw all heads at a glance: a small map of each, and at full size the one that is clicked.

    Small maps have 16 shades of the root of the weight, 15 where a mask hides cells; the large one
    has exact colours, and a number to three decimals under the pointer. A text of more than 64
    words is in bins, each with its largest weight.

    Parameters
    ----------
    figure : one number a head instead: a key of `attention.analysis.metrics.figures_for`, such as
        "entropy" or "previous"

    Raises
    ------
    ValueError : there is no such figure for this trace; the message has those there are.
    """
    seen = seen_in(of)
    if figure is not None:
        return _figure_grid(of, seen, figure)
    _, picked = word_and_heads(seen, None, None)
    heads = seen.weights.shape[1]
    labels, keys = thumbnail_labels(seen)
    data = thumbnail_frame(seen)
    chart = thumbnails(
        inline(data),
        maps=map_letters(seen),
        names=data["name"].tolist(),
        heads=heads,
        labels=labels,
        keys=keys,
        start=picked[0][0] * heads + picked[0][1],
    )
    return dressed(chart)


def rows(
    of: Trace | View,
    *,
    query: Word | None = None,
    heads: Sequence[Head] | None = None,
    columns: int = _FEW,
) -> Picture:
    """Draw what one word attends to as bars, head beside head, on one scale.

    Parameters
    ----------
    query : by default the word of the most telling link
    heads : by default the three in which the query is most selective for what that link names
    columns : heads in a row

    Raises
    ------
    ValueError : there is no such word or head.
    """
    seen = seen_in(of)
    asked, picked = word_and_heads(seen, query, heads, _FEW)
    most = [int(seen.weights[head][asked].argmax()) for head in picked]
    shown = pictured.shown_words(len(seen.units), asked, [asked, *most], pictured.MOST_WORDS)
    data = frames.map_frame(seen, picked, [asked] if seen.other is not None else shown)
    chart = maps.row_bars(
        inline(data[data["q"] == asked]),
        labels=seen.key_labels,
        first=0,
        names=[head_name(head) for head in picked],
        size=200,
        columns=min(columns, len(picked)),
    )
    return dressed(chart, f"What {spelled(seen.labels, asked)} attends to")


def _figure_grid(of: Trace | View, seen: View, figure: str) -> Picture:
    figures = metrics.figures_for(seen)
    if figure not in figures:
        raise ValueError(f"no figure {figure!r}; of this there are {', '.join(figures)}")
    metric = figures[figure]
    values = metric.per_head(seen)
    unit = f" ({metric.unit})" if metric.unit else ""
    held = isinstance(of, Trace) and hasattr(of, "key")
    chart = maps.head_grid(
        inline(frames.head_frame(values, [])),
        title=f"{metric.label}{unit}",
        domain=(0.0, float(np.ceil(values.max())) if unit else 1.0),
        layers=len(values),
        sharing=sharing(of).each if isinstance(of, Trace) and held else 1,
        row=_ROW,
    )
    return dressed(
        chart.properties(width=values.shape[1] * 36), f"{metric.label}{unit}: {metric.meaning}"
    )


def _role(seen: View, head: Head) -> str:
    return sentences.role(seen, *head) if seen.other is None else ""


def _names(heads: Sequence[Head]) -> str:
    return ", ".join(map(head_name, heads))
