"""One at a time or a few, first come first served: two timings at once would spoil each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from threading import Condition
from time import monotonic
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(eq=False)
class Turn:
    """A place in the queue of a `Turnstile`, which makes it."""

    _queue: list[Turn]
    _changed: Condition
    _places: int
    _longest: float
    _ends: float = inf  # not before its turn has come

    @property
    def ahead(self) -> int:
        """How many come first, the running ones included; below `places` it is this one's turn."""
        with self._changed:
            return self._ahead()

    def wait(self, seconds: float) -> bool:
        """Wait at most this long; return whether the turn has come."""
        with self._changed:
            has_come = self._changed.wait_for(lambda: self._ahead() < self._places, seconds)
            if has_come:
                self._ends = monotonic() + self._longest
        return has_come

    def _ahead(self) -> int:
        now, before = monotonic(), self._queue[: self._queue.index(self)]
        return sum(now < turn._ends for turn in before)


class Turnstile:
    """Lets one thread through at a time, or a few, in the order in which they joined.

    Whoever leaves the `with` block leaves the queue, waiting or running, by an exception as well:
    Streamlit stops a script with one, raised inside any `st` call. A waiting page should therefore
    wait in short steps and show something between them.

    >>> Turnstile().alone(lambda: "done", while_waiting=print)
    'done'
    """

    def __init__(self, places: int = 1, longest: float = inf) -> None:
        """Start with an empty queue.

        Parameters
        ----------
        places : how many have their turn at once
        longest : seconds after which one that runs on no longer takes up a place
        """
        self._places, self._longest = places, longest
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
        turn = Turn(self._queue, self._changed, self._places, self._longest)
        with self._changed:
            self._queue.append(turn)
        try:
            yield turn
        finally:
            with self._changed:
                self._queue.remove(turn)
                self._changed.notify_all()
