"""One at a time or a few, first come first served: two timings at once would spoil each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class Turn:
    """A place in the queue of a `Turnstile`, which makes it."""

    _queue: list[Turn]
    _changed: Condition
    _places: int

    @property
    def ahead(self) -> int:
        """How many come first, the running ones included; below `places` it is this one's turn."""
        with self._changed:
            return self._queue.index(self)

    def wait(self, seconds: float) -> bool:
        """Wait at most this long; return whether the turn has come."""
        with self._changed:
            return self._changed.wait_for(lambda: self._queue.index(self) < self._places, seconds)


class Turnstile:
    """Lets one thread through at a time, or a few, in the order in which they joined.

    Whoever leaves the `with` block leaves the queue, waiting or running, by an exception as well:
    Streamlit stops a script with one, raised inside any `st` call. A waiting page should therefore
    wait in short steps and show something between them.

    >>> Turnstile().alone(lambda: "done", while_waiting=print)
    'done'
    """

    def __init__(self, places: int = 1) -> None:
        """Start with an empty queue, in which so many have their turn at once."""
        self._places = places
        self._queue: list[Turn] = []
        self._changed = Condition()

    def __len__(self) -> int:
        """How many are in the queue, the running one included."""
        with self._changed:
            return len(self._queue)

    def alone(
        self, work: Callable[[], _T], while_waiting: Callable[[int], object], every: float = 0.5
    ) -> _T:
        """Do the work when its turn has come.

        Parameters
        ----------
        while_waiting : called now and then with how many come first; may raise to leave
        every : so many seconds
        """
        with self.join() as turn:
            while not turn.wait(every):
                while_waiting(turn.ahead)
            return work()

    @contextmanager
    def join(self) -> Iterator[Turn]:
        """Queue up at the end; leave on the way out."""
        turn = Turn(self._queue, self._changed, self._places)
        with self._changed:
            self._queue.append(turn)
        try:
            yield turn
        finally:
            with self._changed:
                self._queue.remove(turn)
                self._changed.notify_all()
