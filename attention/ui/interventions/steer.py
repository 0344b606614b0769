"""Steer: scores pushed from one word to another inside the model, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from attention import wording
from attention.analysis.words import Unit, View
from attention.arrays import Array
from attention.edits import Edits, Numbers
from attention.interventions import effects, steering
from attention.interventions import frames as intervention_frames
from attention.interventions.charts import strength_curve
from attention.interventions.steering import Interests, Target
from attention.models.decoder import CausalModel
from attention.models.trace import Trace
from attention.ui import address, inputs
from attention.ui.controls import layer_and_head, word
from attention.ui.inputs import choice
from attention.ui.interventions.edited import changed, decoder, draw_moved, draw_next, logits_of
from attention.ui.progress import kept
from attention.ui.readings import Focus, Reading
from attention.ui.show import draw, escape_markdown, notice, percent
from attention.wording import spelled

STRENGTHS = tuple(float(s) for s in range(-6, 7))
HOW = {"move": "From one word to another", "each": "A slider for every word"}
_WHERE = {"all": "Every head", "layer": "One layer", "head": "One head"}
MOST_SLIDERS = 24
_STILL = 5e-4  # a cosine distance that is shown as 0.000


def rival(chosen: Reading, focus: Focus) -> int:
    """Return the word that a push goes to at first: the lesson's own, or else the next most read.

    Of the words that the asking one may read, the first token aside: it is often a sink.
    """
    view, preset = chosen.view, chosen.preset
    named = view.find(preset.rival) if preset and preset.rival else None
    if named is not None:
        return named
    read = view.weights[:, :, focus.query].mean(axis=(0, 1))
    others = [
        k
        for k, unit in enumerate(view.units)
        if k not in (focus.query, focus.key, 0) and unit.ordinary
    ]
    return max(others, key=lambda k: float(read[k]), default=focus.key)


def steer(chosen: Reading, focus: Focus) -> None:
    """Draw the sliders, and the model's answer with and without the push."""
    view = chosen.view
    units, labels = view.units, view.labels
    with st.container(horizontal=True, vertical_alignment="bottom"):
        query = word("Word that asks", view, focus.query)
        source = word("Push from", view, focus.key, key="source")
        target = word("to", view, rival(chosen, focus), key="target")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        how = choice("Scores are pushed", HOW, key="how")
        where = choice("Where", _WHERE, key="where")
        later = inputs.switch(
            "Later words too", True, key="later",
            help="The push holds for the word that asks and for all after it.",
        )  # fmt: skip
    place = Target(steering.asking(units, query, and_later=later), *_heads(view, focus, where))
    if how == "move":
        strength = inputs.slider(
            f"Push from “{escape_markdown(labels[source])}” to “{escape_markdown(labels[target])}”",
            -6.0, 6.0, 2.0 if _has_rival(chosen) else 0.0, 1.0, key="strength", of=(chosen.source,),
            help="This is added to the scores of the second word and taken from those of the "
            "first, before softmax. Each step of 1 multiplies the odds of the two by e² = 7.4.",
        )  # fmt: skip
        edits = steering.move(units, source, target, strength, place)
    else:
        edits = steering.pushes(units, _amounts(chosen, query), place)
    model = decoder(chosen)
    told = _interests(chosen, model) if model else None
    if model and told:
        _decoder(chosen, model, told, edits)
    else:
        _encoder(chosen, edits, labels[query])
    if how == "move":
        _curve(chosen, told, place, (source, target), strength)
    st.latex(r"s_{qk} \to s_{qk} + a_k")
    st.latex(r"w_k \to w_k e^{a_k} / \textstyle\sum_j w_j e^{a_j}")
    read = [
        f"{percent(_read(trace, units[query], units[reads]))} from "
        f"“{escape_markdown(labels[reads])}”"
        for trace in (chosen.trace, changed(chosen, edits))
        for reads in (source, target)
    ]
    st.caption(
        f"On average over all heads “{escape_markdown(labels[query])}” read {read[0]} and "
        f"{read[1]}; with the push, {read[2]} and {read[3]}. A word in pieces is pushed by its "
        "last piece: only that one has read the whole word."
    )


def _heads(view: View, focus: Focus, where: str) -> tuple[Numbers, Numbers]:
    """Return the layers and heads that are pushed, with the sliders for them; None is all."""
    if where == "all":
        return None, None
    layer, head = layer_and_head(view, focus, head=where == "head")
    return (layer,), ((head,) if where == "head" else None)


def _read(trace: Trace, asks: Unit, reads: Unit) -> float:
    """Return the share that a word's last piece reads from another word, the mean of all heads."""
    row = trace.weights[..., asks.positions[-1], list(reads.positions)]  # (L, H, pieces)
    return float(row.sum(axis=-1).mean())


def _amounts(chosen: Reading, query: int) -> dict[int, float]:
    """Draw a slider for each word, of a long text for those that are read most.

    Return what is added to the score of each.
    """
    view = chosen.view
    own = [i for i, unit in enumerate(view.units) if not unit.special]
    if len(own) > MOST_SLIDERS:
        st.info(
            f"The text has {len(own)} words; the {MOST_SLIDERS} that "
            f"“{escape_markdown(view.labels[query])}” reads most, on average over all heads, have "
            "a slider."
        )
        read = view.weights[:, :, query].mean(axis=(0, 1))
        own = sorted(sorted(own, key=lambda k: -float(read[k]))[:MOST_SLIDERS])
    amounts = {}
    with st.container(horizontal=True):
        for k in own:
            key = f"nudge{view.units[k].positions[-1]}"  # the token that is pushed, in any units
            address.renamed(f"push{k}", key)
            amounts[k] = inputs.slider(
                escape_markdown(f"{k} {chosen.view.labels[k]}"),
                -steering.MOST_PUSH, steering.MOST_PUSH, 0.0, 0.5,
                key=key, of=(chosen.source,), width=150,
            )  # fmt: skip
    return amounts


def _has_rival(chosen: Reading) -> bool:
    return chosen.preset is not None and chosen.preset.rival is not None


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
        found = steering.interests(model, typed)
    except ValueError as refusal:
        st.warning(f"{escape_markdown(str(refusal))}. Below is what the page opened with.")
        found = steering.interests(model, own)
    best = int(np.argmax(logits))
    return found if found.names else Interests((model.spell(best),), ((best,),))


def _decoder(chosen: Reading, model: CausalModel, told: Interests, edits: Edits) -> None:
    before, after = chosen.trace, changed(chosen, edits)
    shares = [steering.shares(logits_of(trace), told.ids) for trace in (before, after)]
    was, now = (percent(share[0]) for share in shares)
    what, more = f"Probability of “{told.names[0]}” as the next token", ""
    if len(told.names) > 1:
        more = f" {what}: {was} before, {now} after."
        what = f"Odds of “{told.names[0]}” against “{told.names[1]}” as the next word"
        was, now = (f"{share[0] / share[1]:.2f}" for share in shares)
    notice(
        f"{what}: {was} untouched, {now} with this push.{more}"
        if edits
        else f"{what}: {was}. Nothing is pushed yet."
    )
    draw_next(model, before, after, told.all_ids, key="steered")
    st.caption(
        "Bars: with the push. Marks: without. Your words come first, by their first token, then "
        "the most probable tokens of either pass."
    )


def _encoder(chosen: Reading, edits: Edits, asks: str) -> None:
    after = changed(chosen, edits)
    note = st.container()
    sentence = draw_moved(chosen, after, key="steered")
    moved = effects.movement(chosen.trace, after, chosen.view.units).words[-1]
    with note:
        notice(
            f"The push when “{asks}” asks moves the sentence vector by {sentence:.4f}. "
            f"{_farthest(chosen.view, moved)}"
            if edits
            else "Nothing is pushed yet: move a slider, and vectors move."
        )
    st.caption(
        "Cosine distance between the vectors of the last layer with and without the push. "
        f"{escape_markdown(chosen.model_name)} predicts no next token: {chosen.trace.why_no_next}. "
        "What it makes are vectors."
    )


def _farthest(view: View, moved: Array) -> str:
    """Say which word moves most, and of the special tokens, which are no words, which does."""
    told = []
    kinds = {"word": "ordinary", "special token": "special"}
    for kind, field in kinds.items():
        own = [i for i, unit in enumerate(view.units) if getattr(unit, field)]
        if not own or moved[own].max() < _STILL:
            continue
        names, by = [spelled(view.labels, i) for i in own], f"by {moved[own].max():.3f}"
        told.append(f"Of the {kind}s, {wording.leads(names, moved[own], by, 'move', kind)}.")
    return " ".join(told) or "No word moves."


def _curve(
    chosen: Reading,
    told: Interests | None,
    place: Target,
    words: tuple[int, int],
    strength: float,
) -> None:
    """Draw what the push does at every strength."""
    against = told is not None and len(told.names) > 1
    series: tuple[str, ...] = ("sentence vector",)
    if told:
        series = (f"{told.names[0]} against {told.names[1]}",) if against else told.names
    units = chosen.view.units

    def figures(push: float) -> Sequence[float]:
        edits = steering.move(units, *words, push, place)
        after = chosen.model.trace(chosen.text, edits)
        if told:
            shares = steering.shares(logits_of(after), told.ids).tolist()
            return [shares[0] / shares[1]] if against else shares
        return [float(effects.movement(chosen.trace, after, units).sentence[-1])]

    def work(progress: Callable[[float], None]) -> Array:
        values = []
        for done, push in enumerate(STRENGTHS, start=1):
            values.append(figures(push))
            progress(done / len(STRENGTHS))
        return np.array(values)

    key = (chosen.model_name, chosen.text, chosen.words, chosen.special)
    values = kept("Running the model at each strength", work, *key, repr((place, words, series)))
    draw(
        strength_curve,
        intervention_frames.curve_frame(STRENGTHS, series, values),
        key="strengths",
        alt_text="What the push does against its strength",
        series=series,
        title="odds" if against else "probability" if told else "the vector moves by",
        percent=told is not None and not against,
        chosen=strength,
    )
