"""Steer: scores pushed from one word to another inside the model, and what comes of it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from attention.analysis.words import View
from attention.edits import Numbers
from attention.interventions import frames as intervention_frames
from attention.interventions import steering
from attention.interventions.charts import strength_curve
from attention.interventions.cuts import heads_meant
from attention.interventions.sentences import interests_sentence, push_sentence
from attention.interventions.steering import Interests, Move, PushCurve, Target
from attention.models.decoder import CausalModel
from attention.models.trace import Trace
from attention.ui import address, inputs
from attention.ui.controls import layer_and_head, word
from attention.ui.inputs import choice
from attention.ui.interventions.edited import (
    changed,
    decoder,
    draw_moved,
    draw_next,
    logits_of,
    movement_of,
)
from attention.ui.progress import kept
from attention.ui.readings import Focus, Reading
from attention.ui.show import draw, escape_markdown, notice, percent
from attention.ui.sliders import LINE_HEIGHT, Slider, slider_column, standing

STRENGTHS = tuple(float(s) for s in range(-6, 7))
HOW = {"move": "From one word to another", "each": "A slider for every word"}
_WHERE = {"all": "Every head", "layer": "One layer", "head": "One head"}
MOST_SLIDERS = 24
_HIGH = 408  # pixels: more sliders scroll beside what they change
_STRENGTH = (
    "This is added to the scores of the second word and taken from those of the first, before "
    "softmax. Each step of 1 multiplies the odds of the two by e² = 7.4."
)
_EACH = "This is added to the scores of each word, before softmax."


def steer(chosen: Reading, focus: Focus) -> None:
    """Draw the sliders, and the model's answer with and without the push."""
    view, units = chosen.view, chosen.view.units
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = steering.rival(view, focus.query, focus.key, chosen.preset)
        query = word("Query", view, focus.query)
        source = word("Push from", view, focus.key, key="source")
        target = word("to", view, first, key="target")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        how = choice("Scores are pushed", HOW, key="how")
        where = choice("Where", _WHERE, key="where")
        later = inputs.switch(
            "Later words too", True, key="later",
            help="The push holds for the query and for all words after it.",
        )  # fmt: skip
    queries = steering.query_positions(units, query, and_later=later)
    move = Move(source, target, Target(queries, *_heads(view, focus, where)))
    _push(chosen, query, move, each=how == "each")


@st.fragment  # what is pushed follows while a slider is held
def _push(chosen: Reading, query: int, move: Move, *, each: bool) -> None:
    """Draw the sliders beside the model's answer to them."""
    units = chosen.view.units
    left, right = st.columns([2, 3], gap="large") if each else (st.container(), st.container())
    with left:
        own = steering.most_attended(chosen.view, query, MOST_SLIDERS) if each else []
        sliders = _word_sliders(chosen, query, own) if each else [_strength(chosen, move)]
        values = standing(sliders, (chosen.source,))
        high = len(sliders) * LINE_HEIGHT > _HIGH
        with st.container(height=_HIGH if high else "content", border=False):
            rests = slider_column("pushes", "Pushes", sliders, values, digits=1)
        st.caption(_EACH if each else _STRENGTH)
    strength = 0.0 if each else values[0]
    if each:
        edits = steering.pushes(units, dict(zip(own, values, strict=True)), move.place)
    else:
        edits = steering.move(units, move.source, move.target, strength, move.place)
    after, model, interests = changed(chosen, edits), decoder(chosen), None
    with right:
        if model:
            interests = _interests(chosen, model)
            _predicted(chosen, model, interests, after)
        else:
            _moved(chosen, after, query)
    below = st.container()
    _explain(chosen, after, query, move)
    if rests:
        address.publish_fragment()
    if not each:  # last: of a long text it takes a while
        with below:
            _curve(chosen, interests, move, strength)


def _heads(view: View, focus: Focus, where: str) -> tuple[Numbers, Numbers]:
    """Return the layers and heads that are pushed, with the sliders for them; None is all."""
    if where == "all":
        return None, None
    return heads_meant(layer_and_head(view, focus, head=where == "head"), where)


def _strength(chosen: Reading, move: Move) -> Slider:
    source, target = (chosen.view.labels[i] for i in (move.source, move.target))
    has_rival = chosen.preset is not None and chosen.preset.rival is not None
    label = f"Push from “{source}” to “{target}”"
    return Slider("strength", label, 2.0 if has_rival else 0.0, -6.0, 6.0, 1.0)


def _word_sliders(chosen: Reading, query: int, own: list[int]) -> list[Slider]:
    """Return a slider for each of some words; say which, where there are more."""
    view = chosen.view
    count = sum(not unit.special for unit in view.units)
    if len(own) < count:
        st.info(
            f"The text has {count} words; the {MOST_SLIDERS} that "
            f"“{escape_markdown(view.labels[query])}” attends to most, on average over all heads, "
            "have a slider."
        )
    sliders = []
    for k in own:
        key = f"nudge{view.units[k].positions[-1]}"  # the token that is pushed, in any units
        address.renamed(f"push{k}", key)
        low, high = -steering.MOST_PUSH, steering.MOST_PUSH
        sliders.append(Slider(key, f"{k} {view.labels[k]}", 0.0, low, high, 0.5))
    return sliders


def _interests(chosen: Reading, model: CausalModel) -> Interests:
    """Draw the field for the words whose probability is followed, and return them.

    At first these are the lesson's for its own sentence, else those that the model finds most
    probable; where there are none, the most probable token is followed.
    """
    logits = logits_of(chosen.trace)
    own = chosen.preset.interests if chosen.preset else ""
    own = own or steering.likely_words(model, logits)
    typed = inputs.text(
        "Words of interest", own, key="interests", of=(chosen.source,), max_chars=200,
        help="Commas part words of a group, a bar parts groups whose odds are compared. At first: "
        "the most probable next words, where there are any.",
    )  # fmt: skip
    try:
        return steering.interests_or_best(model, typed, logits)
    except ValueError as refusal:
        st.warning(f"{escape_markdown(str(refusal))}. Below is what the page opened with.")
        return steering.interests_or_best(model, own, logits)


def _predicted(chosen: Reading, model: CausalModel, interests: Interests, after: Trace) -> None:
    """Draw what a decoder predicts with the push and without."""
    before_shares, after_shares = (
        steering.shares(logits_of(trace), interests.ids).tolist() for trace in (chosen.trace, after)
    )
    pushed = after_shares if after.edits else None
    notice(interests_sentence(interests, before_shares, pushed))
    draw_next(model, chosen.trace, after, interests.all_ids, key="steered")
    st.caption(
        "Bars: with the push. Marks: without. Your words come first, by their first token, then "
        "the most probable tokens of either pass."
    )


def _moved(chosen: Reading, after: Trace, query: int) -> None:
    """Draw how far the vectors of an encoder move."""
    moved = movement_of(chosen, after)
    notice(
        push_sentence(chosen.view, query, moved)
        if after.edits
        else "Nothing is pushed yet: move a slider, and vectors move."
    )
    draw_moved(chosen, moved, key="steered")
    st.caption(
        "Cosine distance between the vectors of the last layer with and without the push. "
        f"{escape_markdown(chosen.model_name)} predicts no next token: {chosen.trace.why_no_next}. "
        "What it makes are vectors."
    )


def _curve(chosen: Reading, interests: Interests | None, move: Move, strength: float) -> None:
    """Draw what the push does at every strength, in a long text some of them first."""
    place, curve = st.empty(), None
    tokens = len(chosen.trace.tokens) - min(move.place.queries or (0,))
    for strengths in steering.rounds(STRENGTHS, tokens):
        points = kept(
            f"Running the model at {len(strengths)} strengths",
            partial(
                steering.push_curve,
                chosen.model, chosen.trace, chosen.view.units, move, strengths, interests,
            ),
            chosen.model_name, chosen.text, chosen.words, chosen.special,
            repr((move, interests, strengths)),
        )  # fmt: skip
        curve = points if curve is None else curve.joined(points)
        with place:
            _draw_curve(curve, interests, strength)


def _draw_curve(curve: PushCurve, interests: Interests | None, strength: float) -> None:
    draw(
        strength_curve,
        intervention_frames.curve_frame(curve.strengths, curve.series, curve.values),
        key="strengths",
        alt_text="What the push does against its strength",
        series=curve.series,
        title=curve.title,
        percent=curve.title == "probability",
        ratios=interests is not None,
        chosen=strength,
    )


def _explain(chosen: Reading, after: Trace, query: int, move: Move) -> None:
    units, labels = chosen.view.units, chosen.view.labels
    source, target = (f"“{escape_markdown(labels[i])}”" for i in (move.source, move.target))
    gets = [
        percent(steering.mean_share(trace, units[query], units[key]))
        for trace in (chosen.trace, after)
        for key in (move.source, move.target)
    ]
    st.latex(r"s_{qk} \to s_{qk} + a_k")
    st.latex(r"w_k \to w_k e^{a_k} / \textstyle\sum_j w_j e^{a_j}")
    st.caption(
        f"On average over all heads “{escape_markdown(labels[query])}” gave {source} {gets[0]} "
        f"and {target} {gets[1]}; with the push, {gets[2]} and {gets[3]}. A word in pieces is "
        "pushed by its last piece: only that one may attend to the whole word."
    )
