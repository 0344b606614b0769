"""The two texts that two tabs of the context page compare, in one model and one view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from attention.analysis.words import View
from attention.models.trace import Trace
from attention.ui.bar import view_toggles
from attention.ui.code_lines import script
from attention.ui.readings import Reading
from attention.ui.show import unknown_words


@dataclass(frozen=True)
class BothTexts:
    """Two texts, and what a model makes of each."""

    model: str
    texts: tuple[str, str]
    words: bool
    special: bool

    @property
    def readings(self) -> tuple[Reading, Reading]:
        """Each as the reader wants to see it."""
        one, other = (Reading(self.model, text, self.words, self.special) for text in self.texts)
        return one, other

    @property
    def traces(self) -> tuple[Trace, Trace]:
        """The whole pass over each."""
        one, other = self.readings
        return one.trace, other.trace

    @property
    def views(self) -> tuple[View, View]:
        """The weights of each."""
        one, other = self.readings
        return one.view, other.view

    def code(self, imports: Sequence[str], lines: Sequence[str], *, written: bool = False) -> str:
        """Return code about both, as `traces` and `views`: of weights, or of what is written."""
        view = f"attention.view(each, words={self.words}, special={self.special})"
        if written:
            imports = ["from attention.analysis.written import written_view", *imports]
            view = f"written_view(model, each, merged={self.words}, special={self.special})"
        return script(["import attention", "from attention import plot", *imports], [
            f"model = attention.load_model({self.model!r})",
            f"traces = tuple(model.trace(text) for text in {self.texts!r})",
            f"views = tuple({view} for each in traces)",
            *lines,
        ])  # fmt: skip


def both_texts(chosen: Reading, texts: tuple[str, str]) -> BothTexts:
    """Draw how two texts are shown, and name the words that the model does not know."""
    name = chosen.model_name
    with st.popover("View", icon=":material/tune:"):
        both = BothTexts(name, texts, *view_toggles(name, texts))
    unknown_words(name, [unit for view in both.views for unit in view.units])
    return both
