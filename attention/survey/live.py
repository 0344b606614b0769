"""A survey that goes on in a thread while its reader does other things; one that can be stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import monotonic

from attention.runtime.limits import check_tokens
from attention.runtime.waiting_line import Turnstile
from attention.survey.measure import read_by
from attention.survey.running import Pace, run
from attention.survey.summary import Summary, summarise

PART_LIVE = 4  # texts: progress is seen, and a stop is heard, after each
AWAY_SECONDS = 10.0  # whoever is gone for longer has left; a broken connection comes back
_LOOK_SECONDS = 0.2


class LiveSurvey:
    """A survey of some texts, from when it is made on; whoever has it sees how far it is."""

    def __init__(
        self,
        texts: Sequence[str],
        model: str,
        line: Turnstile,
        is_here: Callable[[], bool] = lambda: True,
    ) -> None:
        """Begin, or wait in the line for a turn; ask `is_here` whether the reader has left."""
        self.texts, self.model = tuple(texts), model
        self.pace: Pace | None = None  # None: it waits for its turn, or has just begun
        self.file, self.refusal = b"", ""  # how it ended: with the parquet file, or a reason
        self.summary: Summary | None = None
        self._line, self._stop = line, Event()
        self._is_here, self._seen = is_here, monotonic()
        self._thread = Thread(target=self._go, daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it goes on, or waits to."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Let it end after the part at hand, with nothing."""
        self._stop.set()

    def _go(self) -> None:
        with self._line.join() as turn:
            while not turn.wait(_LOOK_SECONDS):
                if self._is_given_up():
                    return
            try:
                self._measure()
            except ValueError as refusal:
                self.refusal = str(refusal)
            except _Stopped:
                return

    def _measure(self) -> None:
        tokenize = read_by(self.model)
        for text in self.texts:
            check_tokens(len(tokenize(text)))
        with TemporaryDirectory() as folder:
            out = Path(folder) / "survey.parquet"
            run(self.texts, self.model, out, part=PART_LIVE, on_progress=self._note)
            self.summary, self.file = summarise(out), out.read_bytes()

    def _note(self, pace: Pace) -> None:
        self.pace = pace
        if self._is_given_up():
            raise _Stopped

    def _is_given_up(self) -> bool:
        """Return whether it has been stopped, or the reader has left."""
        if self._is_here():
            self._seen = monotonic()
        return self._stop.is_set() or monotonic() - self._seen > AWAY_SECONDS


class _Stopped(Exception):
    """The reader wants it no more, or has left."""
