"""The lesson's first claim, “attention means the model understands”, put to the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import ceil, floor
from typing import NamedTuple

import numpy as np
import streamlit as st

import attention
from attention import wording
from attention.analysis import frames, words
from attention.analysis.telling import others_give, telling_heads
from attention.analysis.words import View
from attention.arrays import Array
from attention.charts.maps import head_grid
from attention.lesson import frames as lesson_frames
from attention.lesson import minimal_pairs, questions
from attention.lesson.charts import outcome_grid, pair_bars
from attention.lesson.minimal_pairs import Pair
from attention.question import Question
from attention.ui import inputs
from attention.ui.controls import head_code, head_picker, on_phone, word
from attention.ui.inputs import choice
from attention.ui.links import link
from attention.ui.progress import kept
from attention.ui.questions import predict
from attention.ui.readings import Reading, loaded, trace
from attention.ui.show import draw, escape_markdown, notice, percent, unknown_words

MOST_LETTERS = 300
_MOST_WORDS = 60
_PICK, _ONE, _TWO = "_pair", "one", "two"
_ASKS, _FIRST, _SECOND, _HEAD = "pronoun", "meant1", "meant2", "turn_head"
_KNOWN = {pair.texts: pair for pair in (*minimal_pairs.CLASSICS, *minimal_pairs.PAIRS)}
_PRONOUNS = ("it", "they", "he", "she", "him", "her", "them")
_ARTICLES = ("the", "a", "an")
_POINTS = {"single": "Sentences right", "both": "Both sentences right"}


class Test(NamedTuple):
    """A minimal pair as the reader has set it up."""

    texts: tuple[str, str]
    views: tuple[View, View]
    shared: list[tuple[int, int]]  # positions, in both, of the words that can be chosen


def understanding(chosen: Reading) -> None:
    """Draw the claim, a minimal pair to change, and the score over all pairs."""
    st.markdown(
        "If it did, one word that turns the meaning would turn what the pronoun reads. In “too "
        "**big**” *it* is the trophy, in “too **small**” the suitcase. Change anything."
    )
    test = _sentences(chosen)
    if test is None:
        return
    unknown_words(chosen.model_name, [unit for view in test.views for unit in view.units])
    if len(test.shared) < 3:
        st.info(
            "The two sentences need at least three words in common, before or after the place "
            "where they differ: a pronoun and two candidates."
        )
        return
    weights, base, names, head = _chosen_words(test, chosen.model_name)
    notice(minimal_pairs.turning_sentence(weights, base, names, head))
    _show(test, weights, names, head)
    known = _known(chosen.model_name)
    rival = (
        minimal_pairs.ANIMAL if test.texts != minimal_pairs.ANIMAL.texts else minimal_pairs.TROPHY
    )
    question = _question(chosen.model_name, rival, head) if rival.texts in known else None
    if question:
        predict(question)
    scores = [pair for pair in minimal_pairs.PAIRS if pair.texts in known]
    if len(scores) < 2:  # one half chooses a head, the other scores it
        return
    scored = inputs.expander(
        f"The score over {len(scores)} pairs written for this page",
        icon=":material/scoreboard:",
        key="pair_score",
    )
    with scored:
        if scored.open:
            _score(chosen.model_name, scores)


def _sentences(chosen: Reading) -> Test | None:
    """Draw the fields for the two sentences; one that cannot be read is answered with why.

    None where the model cannot read their examples either.
    """
    picker = st.container()
    left, right = st.columns(2)
    with left:
        one = _sentence("First sentence", 0, chosen.model_name, key=_ONE)
    with right:
        two = _sentence("Second sentence", 1, chosen.model_name, key=_TWO)
    if one is None or two is None:
        return None
    with picker:
        _pair_picker(chosen, (one, two))
    return _test(chosen, (one, two))


def _test(chosen: Reading, texts: tuple[str, str]) -> Test:
    one, two = (_view(chosen.model_name, text, chosen.special) for text in texts)
    shared = minimal_pairs.same_words(one.labels, two.labels)
    return Test(texts, (one, two), [(i, j) for i, j in shared if one.units[i].ordinary])


def _pair_picker(chosen: Reading, texts: tuple[str, str]) -> None:
    known = _known(chosen.model_name)
    if not known:
        return
    st.session_state[_PICK] = known.get(texts)
    st.selectbox(
        f"Pick one of {len(known)} pairs, or write your own below",
        list(known.values()),
        index=None,
        format_func=lambda pair: pair.template.format(" / ".join(pair.fillers)),
        key=_PICK,
        placeholder="your own pair",
        on_change=_use_pair,
    )


def _sentence(label: str, number: int, model: str, *, key: str) -> str | None:
    default = minimal_pairs.TROPHY.texts[number]
    typed = inputs.text(label, default, max_chars=MOST_LETTERS, key=key)
    refusal = _refusal(model, typed)
    if refusal is None:
        return typed
    example_too = _refusal(model, default) is not None
    told = "Write one that fits." if example_too else "Below is its example."
    st.warning(f"{escape_markdown(refusal)} {told}")
    return None if example_too else default


def _refusal(model: str, text: str) -> str | None:
    """Return why a sentence cannot be shown, if it cannot."""
    try:
        units = words.whole_words(attention.load_model(model).tokenize(text))
    except ValueError as refusal:
        return str(refusal)
    if len(units) > _MOST_WORDS:
        return f"It has {len(units)} words; pairs have up to {_MOST_WORDS}."
    return None


def _use_pair() -> None:
    """Let the fields say what the picked pair says."""
    pair: Pair | None = st.session_state[_PICK]
    if pair:
        st.session_state[_ONE], st.session_state[_TWO] = pair.texts


def _chosen_words(test: Test, model: str) -> tuple[Array, Array, list[str], wording.Head]:
    """Draw the pickers; return what the pronoun reads `(2, 2, L, H)` and what the other words do.

    The latter in the chosen head, `(2, 2)`; then the candidates and the head.
    """
    first, place = test.views[0], dict(test.shared)
    guessed = _guess(test)
    titles = ("Pronoun", "Meant in the first", "Meant in the second")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asks, *candidates = (
            word(title, first, default, key=key, of=test.texts, among=list(place), width=170)
            for title, key, default in zip(titles, (_ASKS, _FIRST, _SECOND), guessed, strict=True)
        )
        reads = np.array([candidates, [place[i] for i in candidates]])
        pronouns = [asks, place[asks]]
        weights = minimal_pairs.preferences(test.views, pronouns, reads)
        best, of = _best(first, asks, candidates[0]), (model, *test.texts)
        head = head_picker("Head", loaded(model), best, key=_HEAD, of=of, width=120)
    rows = zip(test.views, pronouns, reads, strict=True)
    base = np.stack([others_give(view, head, at)[keys] for view, at, keys in rows])
    return weights, base, [first.labels[i] for i in candidates], head


def _guess(test: Test) -> list[int]:
    """Return the positions of the pronoun and the candidates: the pair's own, or a guess."""
    labels, choices = test.views[0].labels, [i for i, _ in test.shared]
    if pair := _KNOWN.get(test.texts):
        found = [test.views[0].find(word) for word in (pair.pronoun, pair.first, pair.second)]
        if None not in found:  # tokens that span words leave no such words
            return [place for place in found if place is not None]
    asks = [i for i in choices if labels[i].casefold() in _PRONOUNS] or choices
    rest = [i for i in choices if i != asks[-1]]
    rest.sort(key=lambda i: i == 0 or labels[i - 1].casefold() not in _ARTICLES)  # nouns first
    return [asks[-1], rest[0], rest[1]]


def _best(view: View, asks: int, reads: int) -> wording.Head:
    return telling_heads(view, asks, reads, 1)[0]


def _show(test: Test, weights: Array, names: list[str], head: wording.Head) -> None:
    """Draw what the chosen head reads, and what every head does when the meaning turns."""
    name = wording.head_name(head)
    outcomes = minimal_pairs.outcomes(weights)
    turning, tied = ((outcomes == kind).sum() for kind in (minimal_pairs.TURNS, minimal_pairs.TIED))
    both = (f"{candidate} in both" for candidate in names)
    labels = ("turns with the meaning", *both, "turns against it", "reads both alike")
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**What the pronoun reads in {name}**")
        draw(
            pair_bars,
            lesson_frames.candidate_frame(weights, head, names),
            key="pair_bars",
            alt_text=f"Weights of both candidates in {name}, in both sentences",
            labels=tuple(f"{s}: {name}" for s in (1, 2) for name in names),
        )
        if test.views[0].is_causal:
            st.caption(
                "This model is a decoder: a word cannot read what comes after it. Where the "
                "sentences differ only later, no weight can turn with the meaning."
            )
        st.caption("1 and 2 are the sentences. Grey marks: the mean of all heads.")
        link(
            "pages/explore/heads.py",
            "See this head's whole map",
            {"q": test.texts[0], "heads": head_code(name)},
        )
    with right:
        st.markdown(f"**What each of the {outcomes.size} heads does**")
        grid = f"turn {name}"  # new after every click: any can be clicked again
        draw(
            outcome_grid,
            lesson_frames.outcome_frame(weights, head),
            key=grid,
            alt_text=f"{turning} of {outcomes.size} heads turn with the meaning",
            on_select=partial(_click, grid),
            labels=labels if tied else labels[:-1],
            layers=len(outcomes),
            narrow=on_phone(),
        )


def _click(grid: str) -> None:
    """Choose the clicked head."""
    for cell in st.session_state[grid]["selection"]["head"]:
        st.session_state[_HEAD] = wording.head_name((cell["layer"], cell["head"]))


def _question(model: str, pair: Pair, head: wording.Head) -> Question | None:
    outcome = int(minimal_pairs.outcomes(_read(model, pair.texts))[head])
    if outcome == minimal_pairs.TIED:
        return None
    names = pair.first, pair.second
    return questions.turns(pair.texts, names, outcome, wording.head_name(head))


def _score(model: str, chosen: Sequence[Pair]) -> None:
    """Draw how often each head prefers what is meant, over the pairs, against rules."""
    reads = kept(
        f"Reading {2 * len(chosen)} sentences",
        lambda progress: minimal_pairs.read_pairs(
            attention.load_model(model), chosen, on_progress=progress
        ),
        model,
    )
    points = choice("Count", _POINTS, key="points")
    good = minimal_pairs.right(reads)  # (P, 2, L, H)
    per_pair = (
        good.all(axis=1).astype(float) if points == "both" else good.mean(axis=1)
    )  # (P, L, H)
    share = per_pair.mean(axis=0)
    best = divmod(int(share.argmax()), share.shape[1])
    unseen = float(minimal_pairs.held_out(per_pair).mean())
    left, right = st.columns(2, gap="large")
    with left:
        draw(
            head_grid,
            frames.head_frame(share, [best]),
            key="pair_grid",
            alt_text=f"{_POINTS[points]} for all {share.size} heads",
            title="share",
            domain=(floor(10 * share.min()) / 10, ceil(10 * share.max()) / 10),
            layers=len(share),
        )
        st.caption(f"{_POINTS[points]}: the share, for each head. Framed: the best.")
    with right:
        st.dataframe(
            lesson_frames.score_frame(_rows(reads, good, chosen)),
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(format="%.1f %%")
                for name in ("Sentences right", "Both right")
            },
            alt="How often what is meant is preferred",
        )
    rule = 0.0 if points == "both" else 0.5
    notice(
        f"{wording.head_name(best)}, the best of {share.size} heads, gets {percent(share.max())}, "
        f"but it was chosen by these very pairs. Chosen on one half and scored on the other, the "
        f"best head gets {percent(unseen)} (mean of 200 splits). A rule that never looks at the "
        f"meaning gets {percent(rule)}."
    )
    st.caption(
        "Both rules get exactly one sentence of each pair right, since one word turns what is "
        "meant. Two coins would get both right in 25 % of the pairs. Each head is scored on which "
        "candidate the pronoun reads more; no training, no threshold."
    )


def _rows(reads: Array, good: Array, chosen: Sequence[Pair]) -> dict[str, tuple[float, float]]:
    """Return `{who chooses: (share of sentences, share of pairs)}`."""
    single, both = good.mean(axis=1), good.all(axis=1).astype(float)  # each (P, L, H)
    best = divmod(int(single.mean(axis=0).argmax()), single.shape[-1])
    mean = minimal_pairs.right(reads.mean(axis=(-2, -1), keepdims=True))[..., 0, 0]  # (P, 2)
    rules = {"mean of all heads": mean, **minimal_pairs.fixed_choices(chosen)}
    return {
        f"{wording.head_name(best)}, best on these": (
            float(single[:, *best].mean()),
            float(both[:, *best].mean()),
        ),
        "best of one half, on the other": (
            float(minimal_pairs.held_out(single).mean()),
            float(minimal_pairs.held_out(both).mean()),
        ),
        "a head at random": (float(single.mean()), float(both.mean())),
        **{who: (float(r.mean()), float(r.all(axis=1).mean())) for who, r in rules.items()},
    }


@st.cache_resource(max_entries=8, show_spinner=False)
def _known(model: str) -> Mapping[tuple[str, str], Pair]:
    """Return the pairs that a model reads whole and finds the words of, by their texts."""
    return {
        texts: pair for texts, pair in _KNOWN.items() if minimal_pairs.is_read(loaded(model), pair)
    }


@st.cache_resource(max_entries=16, show_spinner=False)
def _view(model: str, text: str, special: bool) -> View:
    return words.view(trace(model, text), words=True, special=special)


@st.cache_resource(max_entries=16, show_spinner=False)
def _read(model: str, texts: tuple[str, str]) -> Array:
    """Return what the pronoun of a known pair reads, `(2, 2, L, H)`."""
    return minimal_pairs.read_pairs(attention.load_model(model), [_KNOWN[texts]])[0]
