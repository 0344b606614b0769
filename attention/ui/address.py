"""What a reader has chosen, and the address of the page, which says it.

Streamlit can bind a control to the address, but then the address holds the wording of the control,
and Streamlit makes an entry in the browser's history of every correction. Here a choice is spelled
as a code, and a page has one entry, whose address follows the choices: `publish` replaces it.

A page opens as its address says, whether the reader typed it, followed a link or came back to it.
From the menu it opens with the choices of the visit. A control that nobody has touched is not in
the address: it stands at its default, and follows that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from attention.ui import old_addresses

Spelled = tuple[str, ...]
Of = tuple[Any, ...]  # what a choice is about: where that is new, the choice is void

_VISIT, _PLACE = "_visit", "address"
_READ = ("q", "q2", "model")  # what makes a source
# The name of the page is checked because the reader may have gone on since this was sent.
_SHOW = """
export default function ({ data, parentElement }) {
  const self = parentElement.host ?? parentElement;
  const box = self.closest(".st-key-address")?.closest("[data-testid=stLayoutWrapper]");
  (box ?? self.closest("[data-testid=stElementContainer]")).style.display = "none";
  const address = new URL(window.location.href);
  if (address.pathname.split("/").pop() !== data.page) return;
  const own = [...address.searchParams].filter(([key]) => key.startsWith("embed"));
  const query = new URLSearchParams([...own, ...data.query]).toString();
  if (query === address.searchParams.toString()) return;
  address.search = query;
  window.history.replaceState(window.history.state, "", address);
}
"""
_show = st.components.v2.component("attention_address", js=_SHOW)


class Source(NamedTuple):
    """The text and the model: most choices are about this."""

    model: str
    text: str


class Kept(NamedTuple):
    """A choice that is not the default."""

    value: Any
    spelled: Spelled
    of: Of


class Drawn(NamedTuple):
    """What a control showed when it was drawn last."""

    value: Any
    text: str  # as the reader sees it
    of: Of
    note: Callable[[Any], None]  # keeps another choice


@dataclass
class Visit:
    """What is known of one reader's visit."""

    page: str | None = None  # as the address spells it; None where a page runs alone
    file: str = ""  # of the page: what is at "/" is in a file, too
    source: Source | None = None
    arriving: dict[str, Spelled] = field(default_factory=dict)  # said by the address, not yet drawn
    exact: bool = False  # what the address does not say is at its default
    kept: dict[str, Kept] = field(default_factory=dict)
    last: dict[str, Drawn] = field(default_factory=dict)  # since the arrival
    drawn: dict[str, None] = field(default_factory=dict)  # in this run, in order
    shown: tuple[str, ...] = ()  # drawn in the last run that ended
    place: DeltaGenerator | None = None  # on the page, for what shows the address

    def query(self, keys: Sequence[str]) -> list[tuple[str, str]]:
        """Return the address that these controls make; void choices are left out."""
        kept = {key: self.kept[key] for key in dict.fromkeys(keys) if key in self.kept}
        said = {key: choice.spelled for key, choice in kept.items() if self._holds(choice)}
        return [(key, one) for key, all_ in (said | self.arriving).items() for one in all_]

    def _holds(self, choice: Kept) -> bool:
        about = choice.of[0] if choice.of else None
        return not isinstance(about, Source) or about == self.source


def visit() -> Visit:
    """Return the reader's visit; a page that runs alone begins it."""
    if _VISIT not in st.session_state:
        st.session_state[_VISIT] = found = Visit()
        _open(found, None)
    return st.session_state[_VISIT]


def arrive(page: str, file: str) -> None:
    """See whether the reader has come to another page, or has gone back or forward.

    Parameters
    ----------
    page : as the address spells it
    file : the page's, without folder and ending
    """
    found = st.session_state[_VISIT]
    found.drawn.clear()
    found.file = file
    went_back = getattr(get_script_run_ctx(), "is_history_navigation", False)
    if page != found.page or went_back:
        _open(found, page)
        found.exact = went_back or bool(found.arriving)


def _open(found: Visit, page: str | None) -> None:
    said = {key: tuple(st.query_params.get_all(key)) for key in st.query_params}
    found.page, found.arriving = page, old_addresses.translated(said)
    found.last, found.shown, found.source = {}, (), None


def begin() -> None:
    """Begin a run: say in the address what the reader has just done.

    The run may be long, and the page may be left before it ends.
    """
    found = st.session_state.setdefault(_VISIT, Visit())
    found.place = st.container(key=_PLACE)
    for key, drawn, now in _changed(found):
        drawn.note(now)
        if key in _READ:  # what was chosen for another text is void
            found.source, found.arriving = None, {}
    with found.place:
        _say(found, "start")


def publish() -> None:
    """End a run: let the address say what is chosen."""
    found = visit()
    found.exact, found.shown = False, tuple(found.drawn)
    if found.place:  # a page that runs alone has no address
        with found.place:
            _say(found, "end")


def stop() -> NoReturn:
    """End a run before the end of the page."""
    publish()
    st.stop()


def end_fragment(*, rests: bool) -> None:
    """End a fragment that may have run alone: then there is no other end.

    Two changes at one instant reach the server as one, for the fragment alone, even if one of them
    was made outside it: then the whole page runs.

    Parameters
    ----------
    rests : whether its sliders do: while they move the address does not follow, since browsers let
        a page change it some 100 times in 30 s
    """
    found = visit()
    context = get_script_run_ctx()
    if not (context and context.fragment_ids_this_run):
        return
    if any(_changed(found)):
        st.rerun()
    if rests and found.place:
        _say(found, "fragment")


def _changed(found: Visit) -> Iterator[tuple[str, Drawn, Any]]:
    """Find the controls that the reader has changed since they were drawn; with the new values."""
    for key, drawn in found.last.items():
        if (now := st.session_state.get(key, drawn.value)) != drawn.value:
            yield key, drawn, now


def _say(found: Visit, when: str) -> None:
    query = found.query((*found.shown, *found.drawn))
    _show(key=f"{_PLACE}-{when}", data={"page": found.page, "query": query})


def go(state: Mapping[str, str | Sequence[str]]) -> None:
    """Set controls, as an address spells them, when they are drawn next."""
    found = visit()
    for key, said in state.items():
        found.arriving[key] = (said,) if isinstance(said, str) else tuple(said)
        found.last.pop(key, None)
    if state.keys() & set(_READ):
        found.source = None  # what is set is about a text that is yet to be read


def renamed(old: str, new: str) -> None:
    """Let a control have what an address calls by another name."""
    arriving = visit().arriving
    if old in arriving:
        arriving[new] = arriving.pop(old)


def has(key: str) -> bool:
    """Return whether there is a choice for a control that is drawn only where there is one."""
    found = visit()
    if found.exact and key not in found.last and key not in found.arriving:
        found.kept.pop(key, None)  # as the control would, if it were drawn
    return key in found.arriving or key in found.kept


def forget(key: str) -> None:
    """Let a control be at its default when it is drawn next."""
    found = visit()
    for where in (found.kept, found.last, found.arriving):
        where.pop(key, None)


def about(source: Source) -> None:
    """Note the text and the model of now; what the address said of another text is void."""
    found = visit()
    if found.source not in (None, source):
        found.arriving.clear()
    found.source = source


def here() -> Of:
    """Return what most controls are about: the text and the model."""
    return (visit().source,)
