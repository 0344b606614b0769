"""Cut the line: the encoder's attention, a line of it cut, and the translation made again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st

from attention.analysis import links, words
from attention.analysis.telling import telling_heads
from attention.edits import Cut, Edits
from attention.edits.codes import encode
from attention.interventions import cuts
from attention.interventions import frames as intervention_frames
from attention.interventions.charts import cut_map
from attention.interventions.wording import edit_text
from attention.models.translation import Translation
from attention.translation.charts import phrase_bars
from attention.translation.cut_line import CutOutcome, MarkedWord, marked_words, outcome_of
from attention.translation.examples import source_example
from attention.translation.frames import phrase_frame
from attention.translation.questions import cut_question
from attention.ui.code_lines import script
from attention.ui.controls import layer_and_head, word
from attention.ui.cutting import (
    edited,
    edits_button,
    edits_field,
    fresh_key,
    less_buttons,
    set_edits,
)
from attention.ui.inputs import choice
from attention.ui.interventions.cut import REACH
from attention.ui.questions import predict
from attention.ui.readings import Focus, Reading, find_focus
from attention.ui.show import draw, escape_markdown, notice
from attention.ui.translation.bar import translation_of, translator
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import Head, head_name

_KEY = "lines"
_MAP, _PHRASES = "line_map", "phrases"  # how the keys of charts begin
_MOST_WORDS = 20


class CutLine(NamedTuple):
    """A line of the encoder's attention, and where a click cuts it."""

    chosen: Reading
    query: int
    key: int
    head: Head
    reach: str  # as `cuts.heads_meant` takes it

    def cut(self, q: int, k: int) -> Cut:
        """Return the cut of a line in the same place."""
        units = self.chosen.view.units
        layers, heads = cuts.heads_meant(self.head, self.reach)
        return Cut(units[q].positions, units[k].positions, layers, heads)

    @property
    def name(self) -> str:
        """Which line it is, in words."""
        labels = self.chosen.view.labels
        return f"the line from “{labels[self.query]}” to “{labels[self.key]}”"

    @property
    def place(self) -> str:
        """Where it is cut, in words."""
        layer = f"in every head of layer {self.head[0]}"
        return {"head": f"in {head_name(self.head)}", "layer": layer, "all": "in every head"}[
            self.reach
        ]


def cut_the_line(chosen: Reading) -> CutLine:
    """Draw the map to click in and what a cut makes of the translation; return the line."""
    controls, body = st.container(horizontal=True, vertical_alignment="bottom"), st.container()
    code = edits_field(_KEY, chosen.source)
    after = edited(code, partial(translation_of, chosen), "The translation is made without any")
    edits = after.encoder.edits
    with controls:
        line = _line(chosen)
        own = line.cut(line.query, line.key)
        label = "Restore the line" if own in edits else "Cut the line"
        then = cuts.toggle_edit(edits, own)
        edits_button(_KEY, label, "content_cut", then)
        if edits:
            less_buttons(_KEY, edits)
    with body:
        left, right = st.columns(2, gap="large")
        with left:
            _map(line, after)
        with right:
            _result(line, after)
    return line


def line_of_example(chosen: Reading) -> Focus:
    """Return the line that the page offers to cut: the example's, or else the most telling one."""
    example, view = source_example(chosen.text), chosen.view
    query, key = (view.find(example.query), view.find(example.key)) if example else (None, None)
    if query is None or key is None:
        return find_focus(chosen.model_name, chosen.text, merged=True, special=True)
    head = example.head if example else None
    return Focus(query, key, *(head or telling_heads(view, query, key, 1)[0]))


def _line(chosen: Reading) -> CutLine:
    focus = line_of_example(chosen)
    query = word("From (query)", chosen.view, focus.query, width=130)
    key = word("To (key)", chosen.view, focus.key, key="reads", width=130)
    head = layer_and_head(chosen.view, focus)
    return CutLine(chosen, query, key, head, choice("Where", REACH, key="cut_where"))


def _map(line: CutLine, after: Translation) -> None:
    view, edits = line.chosen.view, after.encoder.edits
    chart, size = fresh_key(_MAP, edits), len(view.units)
    shown: Sequence[int] = range(size)
    if size > _MOST_WORDS:
        shown = links.shown_window(size, line.query, _MOST_WORDS)

    def click() -> None:
        for cell in st.session_state[chart]["selection"]["cell"]:
            set_edits(_KEY, cuts.toggle_edit(edits, line.cut(int(cell["q"]), int(cell["k"]))))

    weight = view.weights[line.head][line.query, line.key]
    st.markdown(
        f"**Encoder {head_name(line.head)}**, where “{escape_markdown(view.labels[line.query])}” "
        f"gives “{escape_markdown(view.labels[line.key])}” {weight:.2f}. Click any cell to cut it."
    )
    frame = intervention_frames.cut_frame(
        view,
        line.head[0],
        words.merge(after.encoder.weights[line.head], view.units),
        shown,
        cuts.cut_pairs(edits, line.head, view.units, is_causal=False),
    )
    draw(
        cut_map,
        frame,
        key=chart,
        alt_text=f"Weights of the encoder's {head_name(line.head)} with the cuts",
        on_select=click,
        labels=view.labels,
        count=len(shown),
    )
    code = partial(_map_code, line, edits, shown)
    offer(ViewCode(code, _MAP, after.encoder, line.chosen.text))
    if size > _MOST_WORDS:
        st.caption(
            f"The sentence has {size} words; the map shows {_MOST_WORDS} of them, around the query."
        )


def _map_code(line: CutLine, edits: Edits, shown: Sequence[int]) -> str:
    imported, drawing = drawn_last(_MAP).code(labels="view.labels")
    layer, head = line.head
    return both_code(line.chosen, edits, [
        "from attention.analysis.words import merge",
        "from attention.interventions.cuts import cut_pairs",
        "from attention.interventions.frames import cut_frame",
        imported,
    ], [
        "view = attention.view(before.encoder)",
        f"weights = merge(after.encoder.weights[{layer}, {head}], view.units)",
        f"cut = cut_pairs(edits, ({layer}, {head}), view.units, is_causal=False)",
        f"data = cut_frame(view, {layer}, weights, {list(shown)}, cut)",
        *drawing,
        f"print(f'{{view.weights[{layer}, {head}, {line.query}, {line.key}]:.2f}}')",
    ])  # fmt: skip


def both_code(chosen: Reading, edits: Edits, imports: Sequence[str], lines: Sequence[str]) -> str:
    """Return code about a translation, `before`, and the same with `edits`, `after`, by `pair`."""
    return script([
        "import attention",
        "from attention import plot",
        "from attention.edits.codes import decode",
        *imports,
    ], [
        f"pair, text = attention.load_translator({chosen.model_name!r}), {chosen.text!r}",
        f"edits = decode({encode(edits)!r})",
        "before, after = pair.translate(text), pair.translate(text, edits)",
        *lines,
    ])  # fmt: skip


def _result(line: CutLine, after: Translation) -> None:
    chosen, edits = line.chosen, after.encoder.edits
    before = translation_of(chosen)
    if not edits:
        _nothing_cut(line, before)
        return
    outcome = _outcome(chosen, edits)
    for label, said in zip(
        ("Untouched", "Cut"), marked_words(before.target, after.target), strict=True
    ):
        st.markdown(f"{label}: {_marked(said)}")
    notice(outcome.sentence)
    _bars(chosen, outcome)
    units, tokens = chosen.view.units, before.source
    st.text("\n".join(edit_text(edit, units, tokens) for edit in edits))


def _nothing_cut(line: CutLine, before: Translation) -> None:
    """Ask what a cut will do, before it is done."""
    chosen = line.chosen
    st.markdown(f"Untouched: **{escape_markdown(before.text)}**")
    st.info(
        f"Nothing is cut yet. “Cut the line” takes away {escape_markdown(line.name)} "
        f"{line.place}: the rest of that row is scaled to sum to 1 again, and the sentence is "
        "translated anew."
    )
    outcome = _outcome(chosen, (line.cut(line.query, line.key),))
    example = source_example(chosen.text)
    rival = example.rival if example else ""
    predict(cut_question(outcome, f"{line.name} {line.place}", rival))


@st.cache_resource(max_entries=48, show_spinner=False, hash_funcs={Reading: repr, tuple: encode})
def _outcome(chosen: Reading, edits: Edits) -> CutOutcome:
    """Return what edits change, which takes a run of the decoder for each phrase."""
    return outcome_of(translator(chosen), translation_of(chosen), translation_of(chosen, edits))


def _marked(said: Sequence[MarkedWord]) -> str:
    return "".join(
        f"{one.space}:orange-background[**{escape_markdown(one.label)}**]"
        if one.changed
        else f"{one.space}{escape_markdown(one.label)}"
        for one in said
    )


def _bars(chosen: Reading, outcome: CutOutcome) -> None:
    data = phrase_frame(outcome)
    if data.empty:
        return
    draw(
        phrase_bars,
        data,
        key=_PHRASES,
        alt_text="Probability of what is said, before and after the cut",
        labels=tuple(phrase.text for phrase in outcome.phrases),
    )
    after = outcome.after.encoder
    code = partial(_phrases_code, chosen, after.edits)
    offer(ViewCode(code, _PHRASES, after, chosen.text))
    st.caption("Probability of the whole phrase, after the words that both have in common.")


def _phrases_code(chosen: Reading, edits: Edits) -> str:
    imported, drawing = drawn_last(_PHRASES).code()
    return both_code(chosen, edits, [
        "from attention.translation.cut_line import outcome_of",
        "from attention.translation.frames import phrase_frame",
        imported,
    ], [
        "outcome = outcome_of(pair, before, after)",
        "data = phrase_frame(outcome)",
        *drawing,
        "print(outcome.sentence)",
    ])  # fmt: skip
