"""Steer: scores pushed from one word to another inside the model, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st

from attention.analysis.words import View
from attention.edits import Edits, Numbers
from attention.interventions import frames as intervention_frames
from attention.interventions import steering
from attention.interventions.charts import strength_curve
from attention.interventions.cuts import heads_meant
from attention.interventions.sentences import answer_title, push_sentence
from attention.interventions.steering import Interests, Move, PushCurve, Target
from attention.models.trace import Trace
from attention.ui import address, inputs
from attention.ui.controls import layer_and_head, word
from attention.ui.inputs import choice
from attention.ui.interventions.answer import answer, said_of
from attention.ui.interventions.edited import (
    MORE_SHOWN,
    NEXT_SHOWN,
    SIDES,
    changed,
    decoder,
    draw_moved,
    draw_next,
    edited_code,
    movement_of,
)
from attention.ui.progress import kept
from attention.ui.readings import Focus, Reading
from attention.ui.show import draw, escape_markdown, notice, percent, signs_note
from attention.ui.sliders import LINE_HEIGHT, Slider, slider_column, standing
from attention.ui.view_code import ViewCode, code_box, offer

STRENGTHS = tuple(float(s) for s in range(-6, 7))
HOW = {"move": "Two words", "each": "Every word"}
_WHERE = {"all": "Every head", "layer": "One layer", "head": "One head"}
MOST_SLIDERS = 24
_HIGH = 12 * LINE_HEIGHT  # pixels: more sliders scroll beside what they change
NOTHING = "Nothing is pushed yet: move a slider, and vectors move."


class Pushed(NamedTuple):
    """What is pushed where, and which answer is followed."""

    query: int
    move: Move | None  # None where every word has a slider
    place: Target


@st.fragment  # what is pushed follows while a slider is held
def steer(chosen: Reading, focus: Focus) -> None:
    """Draw the controls, and beside them the model's answer with and without the push."""
    left, right = st.columns(SIDES, gap="medium")
    with left:
        asked = _asked(chosen, focus)
        strengths, edits, rests = _pushed(chosen, asked)
        model = decoder(chosen)
        followed = answer(chosen, model) if model else None
    after = changed(chosen, edits)
    with right:
        tokens: Sequence[str] = ()
        if followed:
            tokens = _predicted(chosen, followed, after, NEXT_SHOWN if asked.move else MORE_SHOWN)
        else:
            _moved(chosen, asked.query, after)
        below = st.container()
        signs_note(tokens)
    _explain(chosen, asked, after)
    _code(chosen, after, followed, NEXT_SHOWN if asked.move or not followed else MORE_SHOWN)
    address.end_fragment(rests=rests)
    if asked.move:  # last: of a long text it takes a while
        with below:
            _curve(chosen, followed, asked.move, strengths[0])


def _code(chosen: Reading, after: Trace, followed: Interests | None, most: int) -> None:
    """Draw the box with the code: this fragment may run again without the rest of the page."""
    pinned = followed.all_ids if followed else None
    code = partial(edited_code, chosen, after.edits, pinned, most)
    offer(ViewCode(code, "steered", after, chosen.text))
    code_box()


def _asked(chosen: Reading, focus: Focus) -> Pushed:
    """Draw what decides where a push acts, and whom it is measured by."""
    view = chosen.view
    each = choice("Push", HOW, key="how", label_visibility="collapsed") == "each"
    with st.container(horizontal=True):
        query = word("Query", view, focus.query)
        where = inputs.select("In", list(_WHERE), "all", key="where", text=_WHERE.__getitem__)
    layers, heads = _heads(view, focus, where)
    place = Target(_queries(view, query), layers, heads)
    move = None
    if not each:
        with st.container(horizontal=True):
            first = steering.rival(view, focus.query, focus.key, chosen.preset)
            source = word("Push from", view, focus.key, key="source")
            move = Move(source, word("to", view, first, key="target"), place)
    return Pushed(query, move, place)


def _queries(view: View, query: int) -> tuple[int, ...]:
    """Return the tokens whose scores are pushed; ask for later words where there are any."""
    later = any(not unit.special for unit in view.units[query + 1 :]) and inputs.switch(
        "Later words too", True, key="later",
        help="The push holds for the query and for all words after it.",
    )  # fmt: skip
    return steering.query_positions(view.units, query, and_later=later)


def _heads(view: View, focus: Focus, where: str) -> tuple[Numbers, Numbers]:
    """Return the layers and heads that are pushed, with the sliders for them; None is all."""
    if where == "all":
        return None, None
    return heads_meant(layer_and_head(view, focus, head=where == "head"), where)


def _pushed(chosen: Reading, asked: Pushed) -> tuple[list[float], Edits, bool]:
    """Draw the sliders; return where they stand, the edits that make it, and whether they rest."""
    units, own = chosen.view.units, _words_to_push(chosen, asked)
    sliders = [_strength(chosen)] if asked.move else [_nudge(chosen.view, k) for k in own]
    values = standing(sliders, (chosen.source,))
    high = len(sliders) * LINE_HEIGHT > _HIGH
    with st.container(height=_HIGH if high else "content", border=False):
        rests = slider_column("pushes", "Pushes", sliders, values, digits=1)
    if asked.move:
        moved = asked.move
        edits = steering.move(units, moved.source, moved.target, values[0], moved.place)
        return values, edits, rests
    return values, steering.pushes(units, dict(zip(own, values, strict=True)), asked.place), rests


def _strength(chosen: Reading) -> Slider:
    preset = chosen.preset
    return Slider("strength", "Strength", preset.push if preset else 0.0, -6.0, 6.0, 1.0)


def _words_to_push(chosen: Reading, asked: Pushed) -> list[int]:
    """Return the words that have a slider each; say which, where there are more."""
    if asked.move:
        return []
    view = chosen.view
    own = steering.most_attended(view, asked.query, MOST_SLIDERS)
    count = sum(not unit.special for unit in view.units)
    if len(own) < count:
        st.caption(
            f"The {MOST_SLIDERS} of {count} words that "
            f"“{escape_markdown(view.labels[asked.query])}” attends to most, on average over heads."
        )
    return own


def _nudge(view: View, k: int) -> Slider:
    key = f"nudge{view.units[k].positions[-1]}"  # the token that is pushed, in any units
    address.renamed(f"push{k}", key)
    low, high = -steering.MOST_PUSH, steering.MOST_PUSH
    return Slider(key, f"{k} {view.labels[k]}", 0.0, low, high, 0.5)


def _predicted(chosen: Reading, followed: Interests, after: Trace, most: int) -> Sequence[str]:
    """Draw what a decoder predicts with the push and without; return the tokens."""
    change = "this push" if after.edits else ""
    notice(said_of(followed, chosen.trace, after, change))
    return draw_next(chosen, after, followed.all_ids, key="steered", most=most)


def _moved(chosen: Reading, query: int, after: Trace) -> None:
    """Draw how far the vectors of an encoder move."""
    moved = movement_of(chosen, after)
    notice(push_sentence(chosen.view, query, moved) if after.edits else NOTHING)
    draw_moved(chosen, moved, key="steered")
    if chosen.view.is_causal:
        st.caption(
            f"{escape_markdown(chosen.model_name)} predicts no next token: "
            f"{chosen.trace.why_no_next}. What it makes are vectors."
        )


def _curve(chosen: Reading, followed: Interests | None, move: Move, strength: float) -> None:
    """Draw what the push does at every strength, in a long text some of them first."""
    place, curve = st.empty(), None
    tokens = len(chosen.trace.tokens) - min(move.place.queries or (0,))
    for strengths in steering.rounds(STRENGTHS, tokens):
        points = kept(
            f"Running the model at {len(strengths)} strengths",
            partial(
                steering.push_curve,
                chosen.model, chosen.trace, chosen.view.units, move, strengths, followed,
            ),
            chosen.model_name, chosen.text, chosen.words, chosen.special,
            repr((move, followed, strengths)),
        )  # fmt: skip
        curve = points if curve is None else curve.joined(points)
        with place.container():
            _draw_curve(curve, followed, strength)


def _draw_curve(curve: PushCurve, followed: Interests | None, strength: float) -> None:
    what = answer_title(followed) if followed else "How far the sentence vector moves"
    st.markdown(f"**{escape_markdown(what)}**, at every strength")
    draw(
        strength_curve,
        intervention_frames.curve_frame(curve.strengths, curve.series, curve.values),
        key="strengths",
        alt_text="What the push does against its strength",
        series=curve.series,
        title=curve.title,
        percent=curve.title == "probability",
        ratios=followed is not None,
        chosen=strength,
    )


def _explain(chosen: Reading, asked: Pushed, after: Trace) -> None:
    """Say what is added to which scores, and what becomes of the weights."""
    units, labels = chosen.view.units, chosen.view.labels
    st.latex(r"s_{qk} \to s_{qk} + a_k, \qquad w_k \to w_k e^{a_k} / \textstyle\sum_j w_j e^{a_j}")
    told = "A word in pieces is pushed by its last piece: only that may attend to the whole word."
    if asked.move is None:
        st.caption(f"A push is added to the scores of its word, before softmax. {told}")
        return
    keys = asked.move.source, asked.move.target
    source, target = (f"“{escape_markdown(labels[k])}”" for k in keys)
    gets = [
        percent(steering.mean_share(trace, units[asked.query], units[key]))
        for trace in (chosen.trace, after)
        for key in keys
    ]
    st.caption(
        f"The strength is taken from the scores of {source} and added to those of {target}, before "
        "softmax: each step of 1 multiplies the odds of the two by e² = 7.4. On average over all "
        f"heads “{escape_markdown(labels[asked.query])}” gave {source} {gets[0]} and {target} "
        f"{gets[1]}; with the push, {gets[2]} and {gets[3]}. {told}"
    )
