"""Shared controls, cached work and drawing: the only module here that imports streamlit.

Everything is cached by strings, and what is cached is shared between readers: it is read-only.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st

import attention
from attention import frames, lesson, meanings, metrics, words
from attention.charts import Chart
from attention.core import Array
from attention.models.bert import Bert
from attention.models.trace import Trace
from attention.turnstile import Turnstile
from attention.words import View

_EXAMPLE, _SENTENCE, _NEW_SENTENCE, _LAST_GOOD = "example", "q", "_new_sentence", "_last_good"


@dataclass(frozen=True)
class Reading:
    """What the reader has chosen in the sidebar, and what the model makes of it."""

    model_name: str
    text: str
    words: bool
    special: bool

    @property
    def model(self) -> Bert:
        """The model, shared by all readers."""
        return _model(self.model_name)

    @property
    def trace(self) -> Trace:
        """The whole forward pass."""
        return _trace(self.model_name, self.text)

    @property
    def view(self) -> View:
        """The weights as the reader wants to see them."""
        return _view(self.model_name, self.text, self.words, self.special)

    @property
    def figures(self) -> dict[str, Array]:
        """Every figure of `metrics.METRICS` by its label, each (L, H)."""
        return _figures(self.model_name, self.text, self.words, self.special)

    @property
    def preset(self) -> lesson.Preset | None:
        """The lesson's entry for this sentence, if it is one of its own."""
        return lesson.preset_for(self.text)


@dataclass(frozen=True)
class Focus:
    """The link that shows most on a sentence: a word, what it reads, and the head that does."""

    query: int
    key: int
    layer: int
    head: int


def reading(example: str = lesson.PRESETS[0].text) -> Reading:
    """Draw the sidebar's shared controls and return what they say.

    Stops the page with a sentence where there is nothing to read. A text that is refused is
    answered with the reason, and the page goes on with the last one that was not.

    Parameters
    ----------
    example : the sentence that a page opens on
    """
    with st.sidebar:
        st.subheader("Sentence", icon=":material/edit_note:")
        picker = st.container()
        text = st.text_area(
            "Type your own",
            example,
            key=_SENTENCE,
            bind="query-params",
            height=100,
            on_change=_sentence_changed,
            help="Ctrl+Enter applies. Any language; up to 512 tokens.",
        )
        with picker:
            _example_picker(text)
        st.subheader("View", icon=":material/tune:")
        model = st.selectbox(
            "Model", attention.available_models(), key="model", bind="query-params"
        )
        merged = st.toggle(
            "Whole words",
            True,
            key="words",
            bind="query-params",
            help="Join word pieces: a word is read the sum of what its pieces are read, "
            "and reads the mean of what they read.",
        )
        special = st.toggle(
            "Special tokens",
            True,
            key="special",
            bind="query-params",
            help="[CLS] and [SEP] frame every text and often soak up weight. Off: they are taken "
            "out and every row is divided by what it keeps.",
        )
    chosen = Reading(model, _accepted(model, text or "", example), merged, special)
    if not any(not unit.special for unit in words.pieces(chosen.trace.input)):
        st.info("There is no word to look at yet. Type a sentence in the sidebar, or pick one.")
        st.stop()
    return chosen


def focus(chosen: Reading, **defaults: Callable[[Focus], object]) -> Focus:
    """Return what the sentence shows best; point the page's controls there when it is new.

    Parameters
    ----------
    defaults : widget key -> the value it takes for a new sentence
    """
    found = _focus(chosen.model_name, chosen.text, chosen.words, chosen.special)
    if st.session_state.pop(_NEW_SENTENCE, False):
        st.session_state.update({key: value(found) for key, value in defaults.items()})
    return found


def word(label: str, view: View, default: int, *, key: str = "word") -> int:
    """Draw a picker for one word of the sentence and return its position."""
    names = [f"{i} {unit.label}" for i, unit in enumerate(view.units)]
    return int(
        st.selectbox(
            label,
            range(len(names)),
            index=min(default, len(names) - 1),
            format_func=names.__getitem__,
            key=key,
            bind="query-params",
        )
    )


def layer_and_head(view: View, default: Focus) -> tuple[int, int]:
    """Draw the layer and head sliders in the sidebar and return both, counting from 0."""
    layers, heads = view.weights.shape[:2]
    with st.sidebar:
        st.subheader("Head", icon=":material/grid_on:")
        layer = st.slider("Layer", 0, layers - 1, default.layer, key="layer", bind="query-params")
        head = st.slider("Head", 0, heads - 1, default.head, key="head", bind="query-params")
    return layer, head


def choice(label: str, options: dict[str, str], *, key: str, default: str | None = None) -> str:
    """Draw a choice of one among a few, `{id: text}`; the default is the first or as given."""
    return str(
        st.segmented_control(
            label,
            list(options),
            default=default or next(iter(options)),
            required=True,
            format_func=options.__getitem__,
            key=key,
            bind="query-params",
        )
    )


def stepped(label: str, steps: Sequence[int], default: int, *, key: str) -> int:
    """Draw a slider over a few whole numbers and return the chosen one."""
    return int(
        st.select_slider(
            label,
            steps,
            default,
            format_func=lambda n: f"{n:,}",
            key=key,
            bind="query-params",
            width=200,
        )
    )


def meanings_input(chosen: Reading, nearest: Sequence[str], most: int) -> tuple[str, ...]:
    """Draw the field for the meanings to compare with; empty means the sentence's own set."""
    own = chosen.preset.meanings if chosen.preset else tuple(nearest)
    typed = st.text_input(
        "Meanings to compare with",
        key="meanings",
        bind="query-params",
        placeholder=", ".join(own),
        help="Your own words, separated by commas. Empty: a set that fits the sentence.",
    )
    try:
        names = meanings.parse_words(typed, most)
        for name in names:
            meanings.word_vector(chosen.model, name)
    except ValueError as refusal:
        st.warning(f"{escape_markdown(str(refusal))} Below is the sentence's own set.")
        return own
    return names or own


def draw(
    build: Callable[..., Chart],
    data: pd.DataFrame,
    *,
    key: str,
    alt_text: str,
    on_select: Callable[[], None] | None = None,
    **options: Any,
) -> Any:
    """Draw `build(data, **options)`; only the data is sent when the options stay the same.

    Altair needs 10 to 20 ms to make a spec. A chart function does not look into its data, so its
    spec is made once per set of options.
    """
    spec = _spec(build, tuple(data.columns), tuple(options.items()))  # options are hashable
    return st.vega_lite_chart(
        spec={**spec, "data": {"name": "rows"}, "datasets": {"rows": data}},
        key=key,
        alt=alt_text,
        on_select=on_select or "ignore",
        width="stretch",
    )


def toggled(chosen: Sequence[str], name: str, most: int) -> list[str]:
    """Return the chosen names with `name` taken away or, if there is room, added.

    >>> toggled(["a", "b"], "b", most=2), toggled(["a"], "b", most=2), toggled(["a"], "b", most=1)
    (['a'], ['a', 'b'], ['a'])
    """
    if name in chosen:
        return [other for other in chosen if other != name]
    return [*chosen, name][: max(most, len(chosen))]


def on_phone() -> bool:
    """Return whether the reader's browser says that it runs on a phone."""
    return "Mobile" in st.context.headers.get("User-Agent", "")


def notice(sentence: str) -> None:
    """Show the page's one computed sentence; it may hold words from the reader's text."""
    st.info(escape_markdown(sentence), icon=":material/lightbulb:")


def special_tokens_note(chosen: Reading, heads: Sequence[frames.Head]) -> None:
    """Say what special tokens take in these heads or, where they are taken out, took."""
    if not chosen.special:
        taken = ", ".join(
            f"{frames.head_name(head)} {percent(float(chosen.view.removed[head].mean()))}"
            for head in heads
        )
        st.caption(
            "Special tokens are taken out, and every row is divided by what it keeps. "
            f"They took, on average over the rows: {taken}."
        )
        return
    share = metrics.special_share(chosen.view)
    sinks = [
        f"{frames.head_name(head)} ({percent(float(share[head]))})"
        for head in heads
        if share[head] > 0.5
    ]
    if sinks:
        st.caption(
            f"Sinks, with the share that goes to special tokens: {', '.join(sinks)}. Weights must "
            "sum to 1, so a head that finds nothing to read spends them where they do little. "
            "Switch “Special tokens” off in the sidebar to take them out."
        )


def check(claim: str, holds: bool) -> None:
    """Show a condition that was checked just now, green or red."""
    icon = ":material/check:" if holds else ":material/close:"
    st.badge(escape_markdown(claim), icon=icon, color="green" if holds else "red")


def saving_hint() -> None:
    """Say once per page how its charts and their data are saved, and how the page is shared."""
    st.caption(
        "Point at a chart for its toolbar: save the picture as PNG, or show its data and "
        "download them as CSV. The address of this page holds every choice: copy it to share."
    )


def percent(share: float) -> str:
    """Return a share as people read it.

    >>> percent(0.3456)
    '34.6 %'
    """
    return f"{100 * share:.1f} %"


def escape_markdown(text: str) -> str:
    """Return `text` so that Markdown shows it letter for letter.

    Every punctuation mark gets a backslash, and an invisible word joiner behind it: emoji codes,
    icons, arrows and bare addresses are recognised after backslashes have been resolved.

    >>> escape_markdown("a_b").replace(chr(0x2060), "|")
    'a\\\\_|b'
    """
    marks = set(string.punctuation) - set("',;?%()")
    return "".join(f"\\{c}\u2060" if c in marks else c for c in " ".join(text.split()))


def _example_picker(text: str) -> None:
    texts = [preset.text for preset in lesson.PRESETS]
    st.session_state[_EXAMPLE] = text if text in texts else None
    st.selectbox(
        "Pick one",
        texts,
        index=None,
        key=_EXAMPLE,
        placeholder="your own sentence",
        on_change=_use_example,
    )


def _use_example() -> None:
    if st.session_state[_EXAMPLE]:
        st.session_state[_SENTENCE] = st.session_state[_EXAMPLE]
        _sentence_changed()


def _sentence_changed() -> None:
    st.session_state[_NEW_SENTENCE] = True


def _accepted(model: str, text: str, fallback: str) -> str:
    """Return `text` if the model can read it; else say why, and return the last that it could."""
    try:
        _trace(model, text)
    except ValueError as refusal:
        st.warning(f"{refusal} Below is still the last sentence that fitted.")
        return str(st.session_state.get(_LAST_GOOD, fallback))
    st.session_state[_LAST_GOOD] = text
    return text


@st.cache_resource
def turnstile() -> Turnstile:
    """Return the server's one queue for timings."""
    return Turnstile()


@st.cache_resource(max_entries=4, show_spinner="Loading the model…")
def _model(name: str) -> Bert:
    return attention.load_model(name)


@st.cache_resource(max_entries=8, show_spinner=False)  # 512 tokens: 150 MB each
def _trace(model: str, text: str) -> Trace:
    return _model(model).trace(text)


@st.cache_resource(max_entries=16, show_spinner=False)
def _view(model: str, text: str, merged: bool, special: bool) -> View:
    return words.view(_trace(model, text), words=merged, special=special)


@st.cache_resource(max_entries=64, show_spinner=False)
def _focus(model: str, text: str, merged: bool, special: bool) -> Focus:
    view = _view(model, text, merged, special)
    preset = lesson.preset_for(text)
    query, key = (view.find(preset.looks), view.find(preset.reads)) if preset else (None, None)
    if query is None or key is None:
        return Focus(*metrics.telling_link(view))
    return Focus(query, key, *metrics.strongest_heads(view.weights, query, key, 1)[0])


@st.cache_resource(max_entries=64, show_spinner=False)
def _figures(model: str, text: str, merged: bool, special: bool) -> dict[str, Array]:
    view = _view(model, text, merged, special)
    return {metric.label: metric.per_head(view) for metric in metrics.METRICS.values()}


@lru_cache(maxsize=256)
def _spec(
    build: Callable[..., Chart],
    columns: Sequence[str],
    options: tuple[tuple[str, Hashable], ...],
) -> dict[str, Any]:
    chart = build(pd.DataFrame(columns=list(columns)), **dict(options))
    spec: dict[str, Any] = chart.to_dict()
    del spec["data"], spec["datasets"]
    return spec
