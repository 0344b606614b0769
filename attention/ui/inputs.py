"""Controls whose choice stands in the address of the page.

`key` is also the name in the address; `of`, `moved` and `stays` are those of `Control`; other
arguments are Streamlit's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import streamlit as st

from attention.runtime.limits import check_text
from attention.ui.address import Drawn, Kept, Of, Spelled, visit

BETWEEN = "\x1e"  # no field lets it in: it stands between two texts, see `readings.paired`
_T = TypeVar("_T")
N = TypeVar("N", int, float)
Width = int | Literal["stretch", "content"]
Moved = Callable[[Of, Of, _T], _T | None]


@dataclass(frozen=True)
class Control(Generic[_T]):
    """A control, and how its choice is spelled.

    Parameters
    ----------
    key : its name in the session and in the address
    default : where it stands until somebody moves it
    read : what an address spells -> value; ValueError for what cannot be chosen
    write : value -> what an address spells, a code and never the wording of a control
    text : value -> what the reader sees, where that may change while the value does not
    of : what a choice is about; where this is new, the control is at its default again
    moved : given what a choice was about, what it is now, and the choice: the same one now, if any
    stays : once chosen it goes along to pages with another default, even where it is the default
    """

    key: str
    default: _T
    read: Callable[[Spelled], _T]
    write: Callable[[_T], str | Sequence[str]] = str
    text: Callable[[_T], str] = lambda value: ""
    of: Of = ()
    moved: Moved[_T] | None = None
    stays: bool = False

    def draw(self, widget: Callable[[_T], _T]) -> _T:
        """Draw the widget at what the address or the reader says, and note what it shows."""
        found, key = visit(), self.key
        value = self._opening()
        told = key not in found.last or found.last[key].text == self.text(value)
        if key in st.session_state and not (told and st.session_state[key] == value):
            st.session_state[key] = value  # the browser goes by the text that it was sent
        value = widget(value)
        self.note(value)
        found.drawn[key] = None
        found.last[key] = Drawn(value, self.text(value), self.of, self.note)
        return value

    def note(self, value: _T) -> None:
        """Keep a choice, where it is one and not the default."""
        kept = visit().kept
        if not self._can_be(value):
            return
        if value != self.default or (self.stays and self.key in kept):
            kept[self.key] = Kept(value, self._spelled(value), self.of)
        else:
            kept.pop(self.key, None)

    def _opening(self) -> _T:
        found, key = visit(), self.key
        if key not in found.last and (key in found.arriving or found.exact):
            found.kept.pop(key, None)
            said = found.arriving.pop(key, None)
            value = self._said(said)
            if said and self.stays:
                found.kept[key] = Kept(value, self._spelled(value), self.of)
            return value
        choice, drawn = found.kept.get(key), found.last.get(key)
        before = drawn or choice
        if before is None:
            return self.default
        now = st.session_state.get(key, before.value) if drawn else before.value
        choices = [now, before.value]
        if before.of != self.of:
            choices = [self.moved(before.of, self.of, now) if self.moved else None]
        elif choice is None and now == before.value:  # nobody has touched it
            return self.default
        return next((one for one in choices if self._can_be(one)), self.default)

    def _said(self, spelled: Spelled | None) -> _T:
        try:
            return self.default if spelled is None else self.read(spelled)
        except ValueError:
            return self.default

    def _spelled(self, value: _T) -> Spelled:
        """Return what stands in the address; of an empty choice that is its name only."""
        said = self.write(value)
        return (said,) if isinstance(said, str) else tuple(said) or ("",)

    def _can_be(self, value: Any) -> bool:
        """Return whether a value is one that can be chosen here and now."""
        try:
            return self.read(self._spelled(value)) == value
        except (ValueError, TypeError, LookupError, AttributeError):  # it may be another control's
            return False


def slider(
    label: str, low: N, high: N, default: N, step: N | None = None, *, key: str, of: Of = (),
    widget: Callable[..., N] = st.slider, **more: Any,
) -> N:  # fmt: skip
    """Draw a slider over numbers, whole ones where the default is; or another such widget."""

    def read(said: Spelled) -> N:
        value = type(default)(said[-1])
        if not low <= value <= high:
            raise ValueError(f"{value} is not within {low} and {high}")
        return value

    return Control(key, default, read, lambda value: str(value).removesuffix(".0"), of=of).draw(
        lambda value: widget(label, low, high, value, step, key=key, **more)
    )


def stepped(label: str, steps: Sequence[int], default: int, *, key: str, width: int = 200) -> int:
    """Draw a slider over a few whole numbers and return the chosen one."""
    text = "{:,}".format
    return _one_of(key, steps, default, text=text).draw(
        lambda value: int(
            st.select_slider(label, steps, value, format_func=text, key=key, width=width)
        )
    )


def select(
    label: str, options: Sequence[_T], default: _T, *, key: str, code: Callable[[_T], str] = str,
    text: Callable[[_T], str] = str, of: Of = (), moved: Moved[_T] | None = None,
    stays: bool = False, **more: Any,
) -> _T:  # fmt: skip
    """Draw a drop-down of a few options and return the chosen one.

    Parameters
    ----------
    code : option -> what stands in the address
    text : option -> what the reader sees
    """

    def widget(value: _T) -> _T:
        at = list(options).index(value)
        picked: Any = st.selectbox(label, options, at, format_func=text, key=key, **more)
        return picked

    control = _one_of(key, options, default, code, text, of=of, moved=moved, stays=stays)
    return control.draw(widget)


def choice(
    label: str, options: Mapping[str, str], *, key: str, default: str | None = None,
    widget: Callable[..., Any] = st.segmented_control, **more: Any,
) -> str:  # fmt: skip
    """Draw a choice of one among a few, `{code: text}`; the default is the first or as given."""
    codes, text = list(options), options.__getitem__

    def draw(value: str) -> str:
        about = {"default": value, "required": True, "format_func": text}
        return str(widget(label, codes, key=key, **about, **more))

    return _one_of(key, codes, default or codes[0], text=text).draw(draw)


def several(
    label: str, options: Sequence[str], default: Sequence[str], *, key: str,
    code: Callable[[str], str], most: int | None = None, of: Of = (),
    widget: Callable[..., Any] = st.multiselect, **more: Any,
) -> list[str]:  # fmt: skip
    """Draw a choice of any number of options; unknown ones in an address are left out."""
    codes = _codes(key, options, code, str)

    def read(said: Spelled) -> list[str]:
        known = [codes[one] for one in dict.fromkeys(said) if one in codes][:most]
        if not known and said != ("",):
            raise ValueError(f"none of {said} is one of {', '.join(codes)}")
        return known

    control = Control(key, list(default), read, lambda value: [code(one) for one in value], of=of)
    return control.draw(lambda value: list(widget(label, options, default=value, key=key, **more)))


def switch(label: str, default: bool, *, key: str, **more: Any) -> bool:
    """Draw a switch and return whether it is on."""
    return _one_of(key, (True, False), default, _yes_no).draw(
        lambda value: bool(st.toggle(label, value, key=key, **more))
    )


def text(
    label: str, default: str, *, key: str, of: Of = (), stays: bool = False,
    max_chars: int | None = None, widget: Callable[..., str | None] = st.text_input, **more: Any,
) -> str:  # fmt: skip
    """Draw a field for text and return what stands in it.

    A text without end is refused with a sentence, and kept nowhere.
    """

    def read(said: Spelled) -> str:
        check_text(said[-1])
        return said[-1][:max_chars]

    try:
        check_text(st.session_state.get(key) or "")
    except ValueError as refusal:
        st.warning(f"{refusal} What stood in the field stays.")
    typed = Control(key, default, read, of=of, stays=stays).draw(
        lambda value: widget(label, value, max_chars=max_chars, key=key, **more) or ""
    )
    return typed.replace(BETWEEN, " ")


def tabs(names: Mapping[str, str], *, key: str) -> Sequence[Any]:
    """Draw tabs, `{code: text}`, and return their containers; `.open` says which one is open."""
    codes = {text: code for code, text in names.items()}
    found: list[Any] = []

    def widget(value: str) -> str:
        st.session_state.setdefault(key, value)
        found[:] = st.tabs(list(codes), key=key, on_change="rerun")
        return next(text for text, tab in zip(codes, found, strict=True) if tab.open)

    every = ", ".join(codes)  # where a tab comes or goes, the open one must be told again
    _one_of(key, list(codes), next(iter(codes)), codes.__getitem__, lambda _: every).draw(widget)
    return found


def expander(label: str, *, key: str, **more: Any) -> Any:
    """Draw a box that opens, closed at first; `.open` says whether it is."""
    found: list[Any] = []

    def widget(value: bool) -> bool:
        st.session_state.setdefault(key, value)
        found[:] = [st.expander(label, key=key, on_change="rerun", **more)]
        return bool(found[0].open)

    _one_of(key, (True, False), False, _yes_no).draw(widget)
    return found[0]


def _one_of(
    key: str, options: Sequence[_T], default: _T, code: Callable[[_T], str] = str,
    text: Callable[[_T], str] = str, **about: Any,
) -> Control[_T]:  # fmt: skip
    codes = _codes(key, options, code, text)

    def read(said: Spelled) -> _T:
        if said[-1] not in codes:
            raise ValueError(f"{said[-1]!r} is none of {', '.join(codes)}")
        return codes[said[-1]]

    return Control(key, default, read, code, text, **about)


def _codes(
    key: str, options: Sequence[_T], code: Callable[[_T], str], text: Callable[[_T], str]
) -> dict[str, _T]:
    """Return each option by what stands for it in an address; `key` and `text` are for tests."""
    return {code(option): option for option in options}


def _yes_no(value: bool) -> str:
    return str(value).lower()
