"""What the reader has chosen, and what the model makes of it.

Cached by strings. What is cached is shared between readers: it is read-only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import streamlit as st

import attention
from attention import presets
from attention.analysis import metrics, words
from attention.analysis.roles import HeadRoles, head_roles
from attention.analysis.telling import telling_heads, telling_link
from attention.analysis.words import Unit, View
from attention.analysis.written import written_view
from attention.arrays import Array
from attention.models.trace import Tokens, Trace
from attention.models.transformer import Transformer
from attention.runtime.limits import check_tokens
from attention.runtime.threads import one_blas_thread
from attention.ui.address import Source
from attention.ui.inputs import BETWEEN

_MANY_WEIGHTS = 4_000_000  # of all heads, 16 MB: 120 tokens of SmolLM2, 235 of MiniLM


@dataclass(frozen=True)
class Reading:
    """What the reader has chosen above the page, and what the model makes of it."""

    model_name: str
    text: str  # or two of them, as `paired`
    words: bool
    special: bool

    @property
    def source(self) -> Source:
        """The text and the model."""
        return Source(self.model_name, self.text)

    @property
    def model(self) -> Transformer:
        """The model, shared by all readers."""
        return loaded(self.model_name)

    @property
    def trace(self) -> Trace:
        """The whole forward pass."""
        return trace(self.model_name, self.text)

    @property
    def view(self) -> View:
        """The weights as the reader wants to see them."""
        return _view(self.model_name, self.text, self.words, self.special)

    @property
    def figures(self) -> Mapping[str, Array]:
        """Every figure of `metrics.figures_for` by its label, each (L, H), when it is asked for."""
        return _Figures(self)

    @property
    def roles(self) -> HeadRoles:
        """What every head does on this text, beside chance."""
        return _roles(self.model_name, self.text, self.words, self.special)

    @property
    def written(self) -> View:
        """The same rows by the length of what is written: see `analysis.written`."""
        return _written(self.model_name, self.text, self.words, self.special)

    @property
    def preset(self) -> presets.Preset | None:
        """The lesson's entry for this sentence, if it is one of its own."""
        return presets.preset_for(self.text)


@dataclass(frozen=True)
class Focus:
    """The most telling link of a sentence: a word, what it attends to, and the head."""

    query: int
    key: int
    layer: int
    head: int


def paired(text: str, second: str) -> str:
    """Return a text and the one behind it, if any, as one string: what is cached goes by it.

    >>> parted(paired("Who?", "The cat")), parted(paired("Who?", " "))
    (('Who?', 'The cat'), ('Who?', None))
    """
    return f"{text}{BETWEEN}{second}" if second.strip() else text


def parted(text: str) -> tuple[str, str | None]:
    """Return the text that was paired, and the one behind it."""
    first, between, second = text.partition(BETWEEN)
    return first, second if between else None


@st.cache_resource(max_entries=4, show_spinner="Loading the model: a few seconds the first time…")
def loaded(name: str) -> Transformer:
    """Return the model, shared by all readers; `ValueError` where its files are damaged."""
    return attention.load_model(name)


def trace(model: str, text: str) -> Trace:
    """Return the whole forward pass; `ValueError` where the model refuses the text.

    Of short texts many are kept, of long ones few: with its scores, one may take 570 MB.
    """
    check_tokens(_length(model, text))
    return _long_trace(model, text) if _is_long(model, text) else _short_trace(model, text)


@st.cache_resource(max_entries=12, show_spinner=False)
def _short_trace(model: str, text: str) -> Trace:
    return _run(model, text)


@st.cache_resource(max_entries=2, show_spinner=False)  # the sentence in two models
def _long_trace(model: str, text: str) -> Trace:
    return _run(model, text)


def _run(model: str, text: str) -> Trace:
    with one_blas_thread():  # sums in one order: the code of a receipt prints the same digits
        first, second = parted(text)
        return loaded(model).trace(first, pair=second)


@st.cache_resource(max_entries=64, show_spinner="Measuring what each head does…")
def _roles(model: str, text: str, merged: bool, special: bool) -> HeadRoles:
    return head_roles(_view(model, text, merged, special))


@st.cache_resource(max_entries=2, show_spinner=False)  # the sentence in two models
def _written(model: str, text: str, merged: bool, special: bool) -> View:
    with one_blas_thread():
        own = loaded(model), trace(model, text)
        return written_view(*own, merged=merged, special=special)


def _view(model: str, text: str, merged: bool, special: bool) -> View:
    kept = _long_view if _is_long(model, text) else _short_view
    return kept(model, text, merged, special)


@st.cache_resource(max_entries=12, show_spinner=False)
def _short_view(model: str, text: str, merged: bool, special: bool) -> View:
    return words.view(trace(model, text), words=merged, special=special)


@st.cache_resource(max_entries=3, show_spinner=False)
def _long_view(model: str, text: str, merged: bool, special: bool) -> View:
    return words.view(trace(model, text), words=merged, special=special)


@st.cache_resource(max_entries=256, show_spinner=False)
def _is_long(model: str, text: str) -> bool:
    reader = loaded(model)
    heads = reader.config.num_hidden_layers * reader.config.num_attention_heads
    return heads * _length(model, text) ** 2 > _MANY_WEIGHTS


@st.cache_resource(max_entries=256, show_spinner=False)
def _length(model: str, text: str) -> int:
    return len(_tokens(model, text))


@st.cache_resource(max_entries=64, show_spinner=False)
def in_pieces(model: str, text: str) -> bool:
    """Return whether a text looks otherwise as tokens: words in pieces, or otherwise spelled."""
    return word_units(model, text) != words.pieces(_tokens(model, text))


@st.cache_resource(max_entries=64, show_spinner=False)
def word_units(model: str, text: str) -> tuple[Unit, ...]:
    """Return the whole words of a text, without what the model makes of them."""
    return words.whole_words(_tokens(model, text))


def _tokens(model: str, text: str) -> Tokens:
    return loaded(model).tokenize(*parted(text))


@st.cache_resource(max_entries=64, show_spinner=False)
def find_focus(model: str, text: str, merged: bool, special: bool) -> Focus:
    """Return the link that shows most: that of the lesson, or else the most selective one."""
    view = _view(model, text, merged, special)
    preset = presets.preset_for(text)
    query, key = (view.find(preset.query), view.find(preset.key)) if preset else (None, None)
    if query is None or key is None:
        return Focus(*telling_link(view))
    if not view.seen[..., query, key].any():  # the mask hides what the lesson points at
        return Focus(*telling_link(view, query=query))
    return Focus(query, key, *telling_heads(view, query, key, 1)[0])


@dataclass(frozen=True)
class _Figures(Mapping[str, Array]):
    """Figures by their label: of a long text each takes a while, and a page shows one of them."""

    of: Reading

    def __getitem__(self, label: str) -> Array:
        return _figure(self.of.model_name, self.of.text, self.of.words, self.of.special, label)

    def __iter__(self) -> Iterator[str]:
        return (metric.label for metric in metrics.figures_for(self.of.view).values())

    def __len__(self) -> int:
        return len(metrics.figures_for(self.of.view))


@st.cache_resource(max_entries=256, show_spinner=False)
def _figure(model: str, text: str, merged: bool, special: bool, label: str) -> Array:
    view = _view(model, text, merged, special)
    by_label = {metric.label: metric for metric in metrics.figures_for(view).values()}
    return by_label[label].per_head(view)
