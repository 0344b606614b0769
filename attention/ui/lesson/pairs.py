"""The lesson's first claim, “attention means the model understands”, put to the test."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st

import attention
from attention.analysis import words
from attention.analysis.pair_sentences import ANIMAL, KNOWN, PAIRS, TROPHY, Pair
from attention.analysis.words import View
from attention.arrays import Array
from attention.lesson import frames as lesson_frames
from attention.lesson import minimal_pairs, questions
from attention.lesson.charts import outcome_grid, pair_bars
from attention.lesson.minimal_pairs import PairOutcome, SentencePair
from attention.question import Question
from attention.translation.examples import TOO_SMALL
from attention.ui.code_lines import script
from attention.ui.controls import head_code, head_picker, word
from attention.ui.lesson.pair_score import score_box
from attention.ui.links import link
from attention.ui.questions import predict
from attention.ui.readings import Reading, loaded, trace
from attention.ui.short_text import short_text
from attention.ui.show import draw, notice, unknown_words
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import Head, head_name

MOST_LETTERS = 300
_PICK, _ONE, _TWO = "_pair", "one", "two"
_PORTUGUESE = {"q": TOO_SMALL.text, "see": "wrong"}
_BARS, _ALL = "pair_bars", "turn"  # how the keys of charts begin
_PRONOUN, _FIRST, _SECOND, _HEAD = "pronoun", "meant1", "meant2", "turn_head"


def understanding(chosen: Reading) -> None:
    """Draw the claim, a minimal pair to change, and the score over all pairs."""
    st.markdown(
        "If it did, one word that turns the meaning would turn what the pronoun attends to. In "
        "“too **big**” *it* is the trophy, in “too **small**” the suitcase. Change anything."
    )
    name, pair = chosen.model_name, _sentences(chosen)
    if pair is None:
        return
    unknown_words(name, [unit for view in pair.views for unit in view.units])
    if len(pair.shared) < 3:
        st.info(
            "The two sentences need at least three words in common, before or after the place "
            "where they differ: a pronoun and two candidates."
        )
        return
    outcome, head = _outcome_and_head(pair, name)
    notice(outcome.sentence(head))
    _show(outcome, head)
    _offer(chosen, outcome, head)
    link(
        "pages/learn/translation.py",
        "In Portuguese “small” has a gender: trophy or suitcase?",
        _PORTUGUESE,
    )
    if question := _question(name, ANIMAL if pair.texts != ANIMAL.texts else TROPHY, head):
        predict(question)
    score_box(name, [pair for pair in PAIRS if pair.texts in _known(name)])


def _sentences(chosen: Reading) -> SentencePair | None:
    """Draw the fields for the two sentences; one that cannot be read is answered with why.

    None where the model cannot read their examples either.
    """
    refusal = partial(minimal_pairs.refusal_of_sentence, chosen.model)
    more = {"max_chars": MOST_LETTERS}
    picker = st.container()
    left, right = st.columns(2)
    with left:
        one = short_text("First sentence", TROPHY.texts[0], refusal, key=_ONE, **more)
    with right:
        two = short_text("Second sentence", TROPHY.texts[1], refusal, key=_TWO, **more)
    if one is None or two is None:
        return None
    with picker:
        _pair_picker(chosen.model_name, (one, two))
    views = (_view(chosen.model_name, text, chosen.special) for text in (one, two))
    return SentencePair((one, two), (next(views), next(views)))


def _pair_picker(model: str, texts: tuple[str, str]) -> None:
    known = _known(model)
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


def _use_pair() -> None:
    """Let the fields say what the picked pair says."""
    pair: Pair | None = st.session_state[_PICK]
    if pair:
        st.session_state[_ONE], st.session_state[_TWO] = pair.texts


def _outcome_and_head(pair: SentencePair, model: str) -> tuple[PairOutcome, Head]:
    """Draw the pickers for the pronoun, the candidates and a head."""
    among = list(pair.shared)

    def picker(label: str, default: int, key: str) -> int:
        return word(label, pair.views[0], default, key=key, of=pair.texts, among=among, width=170)

    pronoun, first, second = pair.guess
    with st.container(horizontal=True, vertical_alignment="bottom"):
        query = picker("Pronoun", pronoun, _PRONOUN)
        keys = (
            picker("Meant in the first", first, _FIRST),
            picker("Meant in the second", second, _SECOND),
        )
        outcome, of = PairOutcome(pair, query, keys), (model, *pair.texts)
        best = outcome.telling_head
        head = head_picker("Head", loaded(model), best, key=_HEAD, of=of, width=120)
    return outcome, head


def _show(outcome: PairOutcome, head: Head) -> None:
    """Draw what the chosen head prefers, and what every head does when the meaning turns."""
    left, right = st.columns(2, gap="large")
    with left:
        _preferences(outcome, head)
    with right:
        _all_heads(outcome, head)


def _offer(chosen: Reading, outcome: PairOutcome, head: Head) -> None:
    """Offer the code of both pictures, first of what every head does."""
    of_each = {
        _ALL: f"outcome_frame(outcome.weights, {head})",
        _BARS: f"candidate_frame(outcome.weights, {head}, outcome.names)",
    }
    for figure, data in of_each.items():
        code = partial(_code, chosen, outcome, head, figure, data)
        offer(ViewCode(code, figure, text=" ".join(outcome.pair.texts)))


def _code(chosen: Reading, outcome: PairOutcome, head: Head, figure: str, data: str) -> str:
    imported, drawing = drawn_last(figure).code()
    return script([
        "import attention",
        "from attention import plot",
        f"from attention.lesson.frames import {data.partition('(')[0]}",
        "from attention.lesson.minimal_pairs import PairOutcome, SentencePair",
        imported,
    ], [
        f"model = attention.load_model({chosen.model_name!r})",
        f"texts = {outcome.pair.texts!r}",
        "traces = [model.trace(text) for text in texts]",
        f"views = [attention.view(trace, special={chosen.special}) for trace in traces]",
        "pair = SentencePair(texts, views)",
        f"outcome = PairOutcome(pair, {outcome.pronoun}, {outcome.candidates})",
        f"data = {data}",
        *drawing,
        f"print(outcome.sentence({head}))",
    ])  # fmt: skip


def _preferences(outcome: PairOutcome, head: Head) -> None:
    name, candidates = head_name(head), outcome.names
    st.markdown(f"**What the pronoun attends to in {name}**")
    draw(
        pair_bars,
        lesson_frames.candidate_frame(outcome.weights, head, candidates),
        key=_BARS,
        alt_text=f"Weights of both candidates in {name}, in both sentences",
        labels=tuple(f"{s}: {candidate}" for s in (1, 2) for candidate in candidates),
    )
    if outcome.pair.views[0].is_causal:
        st.caption(
            "This model is a decoder: a word cannot attend to what comes after it. Where the "
            "sentences differ only later, no weight can turn with the meaning."
        )
    st.caption("1 and 2 are the sentences. Grey marks: the mean of all heads.")
    state = {"q": outcome.pair.texts[0], "heads": head_code(name)}
    link("pages/explore/heads.py", "See this head's whole map", state)


def _all_heads(outcome: PairOutcome, head: Head) -> None:
    count, turning = outcome.kinds.size, int((outcome.kinds == minimal_pairs.TURNS).sum())
    st.markdown(f"**What each of the {count} heads does**")
    grid = f"{_ALL} {head_name(head)}"  # new after every click: any can be clicked again
    draw(
        outcome_grid,
        lesson_frames.outcome_frame(outcome.weights, head),
        key=grid,
        alt_text=f"{turning} of {count} heads turn with the meaning",
        on_select=partial(_click, grid),
        labels=outcome.kind_labels,
        layers=len(outcome.kinds),
    )


def _click(grid: str) -> None:
    """Choose the clicked head."""
    for cell in st.session_state[grid]["selection"]["head"]:
        st.session_state[_HEAD] = head_name((cell["layer"], cell["head"]))


def _question(model: str, pair: Pair, head: Head) -> Question | None:
    """Return a question about another pair, if the model knows its words and does not tie."""
    if pair.texts not in _known(model):
        return None
    outcome = int(minimal_pairs.outcomes(_known_weights(model, pair.texts))[head])
    if outcome == minimal_pairs.TIED:
        return None
    return questions.turns(pair.texts, (pair.first, pair.second), outcome, head_name(head))


@st.cache_resource(max_entries=8, show_spinner=False)
def _known(model: str) -> Mapping[tuple[str, str], Pair]:
    """Return the pairs that a model reads whole and finds the words of, by their texts."""
    return {
        texts: pair for texts, pair in KNOWN.items() if minimal_pairs.is_read(loaded(model), pair)
    }


@st.cache_resource(max_entries=16, show_spinner=False)
def _view(model: str, text: str, special: bool) -> View:
    return words.view(trace(model, text), words=True, special=special)


@st.cache_resource(max_entries=16, show_spinner=False)
def _known_weights(model: str, texts: tuple[str, str]) -> Array:
    """Return how much the pronoun of a known pair attends to each candidate, `(2, 2, L, H)`."""
    return minimal_pairs.read_pairs(attention.load_model(model), [KNOWN[texts]])[0]
