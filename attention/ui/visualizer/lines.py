"""The picture of lines from a query to its keys, and how heads differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st

from attention.analysis import link_frames, links
from attention.analysis.sentences import attends_to
from attention.analysis.words import View
from attention.arrays import Array
from attention.charts.links import head_colours, word_links
from attention.ui import inputs
from attention.ui.cells import AS_WRITTEN, cell_note, cells_of
from attention.ui.code_lines import of_cells, of_view
from attention.ui.readings import Reading
from attention.ui.show import draw, notice, percent, special_tokens_note
from attention.ui.view_code import ViewCode, offer
from attention.wording import head_name, spelled

_PICTURE = "links"  # the key of the page's own chart
WEIGHT = st.column_config.NumberColumn(format="%.4f")


@dataclass(frozen=True)
class Lines:
    """What the picture is of: the row of a query in some heads of a layer."""

    chosen: Reading
    layer: int
    heads: Sequence[int]  # the first is drawn in front
    query: int
    several: bool  # whether heads have a colour each
    what: str  # a line is, see `ui.cells`

    @property
    def view(self) -> View:
        """What is drawn: the weights, or what is written."""
        return cells_of(self.chosen, self.what)

    @property
    def in_order(self) -> list[int]:
        """The heads by number."""
        return sorted(self.heads)

    @property
    def label(self) -> str:
        """The query as it is shown."""
        return self.chosen.view.labels[self.query]

    @property
    def rows(self) -> Array:
        """The row of the query in each head, `(N, W)`."""
        rows: Array = self.view.weights[self.layer, list(self.heads), self.query]
        return rows


def heads_that_are_on(chosen: Reading, layer: int, head: int, query: int) -> list[int]:
    """Draw a switch for each head of a layer; return those that are on, the chosen one first.

    Each has the colour of its lines; at first the three that differ most are on.
    """
    names = _names(chosen)
    colours = dict(zip(names, _colours(len(names)), strict=True))
    on = inputs.several(
        f"Heads of layer {layer} that are on, in their colours; at first the 3 that differ most",
        names,
        [names[h] for h in links.most_different(chosen.view, layer, query)],
        key="on",
        code=lambda name: name.removeprefix("H"),
        of=(chosen.model_name,),
        widget=st.pills,
        selection_mode="multi",
        format_func=lambda name: f':color[⬤]{{foreground="{colours[name]}"}} {name}',
    )
    return sorted(map(names.index, on), key=lambda h: (h == head, h))


def say(lines: Lines) -> None:
    """Say what the query attends to most, or how the heads differ."""
    view, layer = lines.chosen.view, lines.layer
    if not lines.heads:
        st.info("No head is on. Switch one on above.")
    elif len(lines.heads) > 1:
        notice(links.differ_sentence(view, layer, lines.in_order, lines.query))
    else:
        head = layer, lines.heads[0]
        most = attends_to(view, head, lines.query, digits=4)
        notice(f"In {head_name(head)} {spelled(view.labels, lines.query)} {most}.")


def _colours(heads: int) -> list[str]:
    """Return the colour of each head's lines in the theme that the reader sees."""
    theme = st.context.theme.type or "light"
    own: list[str] = st.get_option(f"theme.{theme}.chartCategoricalColors")
    return head_colours(heads) or own[:heads]


def words_in_picture(lines: Lines) -> Sequence[int]:
    """Return the words that stand left: all of them, or of a long text those around the query."""
    size = len(lines.chosen.view.units)
    if size <= links.MOST_WORDS:
        return range(size)
    return links.shown_window(size, lines.query, links.MOST_QUERIES)


def draw_lines(
    lines: Lines, shown: Sequence[int], least: float = 0.0, *,
    key: str, alt_text: str, click: Callable[[], None],
) -> None:  # fmt: skip
    """Draw the picture; a click on a word calls back, and the word is in the selection "query".

    Parameters
    ----------
    shown : the positions of the words to draw
    least : lines below this weight are not drawn
    """
    view, several = lines.view, lines.several
    listed = links.MOST_KEYS if len(shown) < len(view.units) else None
    data = link_frames.link_frame(
        view, lines.layer, lines.heads, shown,
        query=lines.query, several=several, least=least, listed=listed,
    )  # fmt: skip
    longest = data["key"].str.len().max() + (4 if listed else 0)
    draw(
        word_links,
        data,
        key=key,
        alt_text=alt_text,
        on_select=click,
        selection="query",
        count=len(shown),
        longest=int(longest),
        names=tuple(_names(lines.chosen)),
        several=several,
        listed=listed is not None,
        figure=lines.what,
    )


def _names(chosen: Reading) -> list[str]:
    return [f"H{i}" for i in range(chosen.view.weights.shape[1])]


def picture(lines: Lines, shown: Sequence[int]) -> None:
    """Draw the page's own picture, and say what is not in it; a click makes a word the query."""
    cell_note(lines.what, "The sentence and the tables are of the weights.")
    view = lines.view
    drawn = view.weights[lines.layer, list(lines.heads)][:, list(shown)]
    least = links.smallest_drawn(drawn) if lines.several else 0.0
    alt_text = f"Lines from each of {len(shown)} words to the words that it attends to"
    draw_lines(lines, shown, least, key=_PICTURE, alt_text=alt_text, click=_click)
    if lines.heads:
        chosen = lines.chosen
        offer(ViewCode(partial(lines_code, lines), _PICTURE, chosen.trace, chosen.text))
    if least:
        st.caption(
            f"Lines below {percent(least)} are not drawn: together they hold "
            f"{percent(links.left_out(drawn, least))} of all "
            f"{'that is written' if lines.what == AS_WRITTEN else 'weight'}."
        )
    special_tokens_note(lines.chosen, [(lines.layer, h) for h in lines.in_order])


def _click() -> None:
    for word in st.session_state[_PICTURE]["selection"]["query"]:
        st.session_state["word"] = word["q"]


def lines_code(lines: Lines, digits: int = 4) -> str:
    """Return the code of a picture of all words, or of a long text those around the query."""
    layer, query = lines.layer, lines.query
    pairs = [(layer, head) for head in lines.heads]
    imports, made, cells, figure = of_cells(lines.chosen, lines.what)
    made.append(
        f"chart = plot.links({cells}, query={query}, heads={pairs}, base=False, "
        f"coloured={lines.several}{figure})"
    )
    if len(pairs) > 1:
        imports.append("from attention.analysis.links import differ_sentence")
        made.append(f"print(differ_sentence(view, {layer}, {lines.in_order}, {query}))")
    else:
        imports.append("from attention.analysis.sentences import attends_to")
        made.append(f"print(attends_to(view, {pairs[0]}, {query}, digits={digits}))")
    return of_view(lines.chosen, imports, made)


def formula(lines: Lines) -> None:
    """Say how the numbers in the picture come about, and that they sum to 1."""
    view = lines.chosen.view
    width = lines.chosen.trace.query.shape[-1]
    sign, mean = "w_k", ""
    share = rf"\mathrm{{softmax}}_k\big(q \cdot k_k / \sqrt{{{width}}}\big)"
    if lines.what == AS_WRITTEN:
        sign = "s_k"
        share = r"w_k \lVert v_k W_O \rVert / \textstyle\sum_j w_j \lVert v_j W_O \rVert"
    if lines.several:
        sign, mean = rf"\bar {sign}", rf"\tfrac{{1}}{{{len(lines.heads)}}} \sum_h "
    st.latex(f"{sign} = {mean}{share}")
    st.caption(
        f"All {view.seen_in(lines.layer)[lines.query].sum()} words "
        f"{'that it may attend to ' if view.is_causal else ''}together: "
        f"{lines.rows.mean(axis=0).sum():.4f}."
    )


def differences(lines: Lines) -> None:
    """Show how the heads differ."""
    st.subheader("How the heads differ")
    st.dataframe(
        link_frames.differ_frame(lines.chosen.view, lines.layer, lines.in_order, lines.query),
        hide_index=True,
        height="content",
        column_config={"Weight": WEIGHT, "Bits apart": WEIGHT},
        alt=f"What {lines.label} attends to most in each head",
    )
    st.caption(
        "Bits apart: Jensen-Shannon divergence from the mean of these heads. 0 is the mean "
        "itself, 1 has nothing in common with it."
    )
