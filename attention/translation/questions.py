"""What can be predicted of a translation before it is seen."""

from __future__ import annotations

from attention.question import Question
from attention.translation.cut_line import CutOutcome

_OTHER = "Something else"
_SAME = "The same, word for word"


def cut_question(outcome: CutOutcome, line: str, rival: str) -> Question:
    """Ask what a translation says once a line is cut.

    Parameters
    ----------
    line : which line, and where it is cut, in words
    rival : a translation that it could become; without one, only whether it changes is asked
    """
    before, after = outcome.before.text, outcome.after.text
    options = (before, rival, _OTHER) if rival else (_SAME, _OTHER)
    if rival:
        answer = after if after in options else _OTHER
    else:
        answer = _OTHER if outcome.changed else _SAME
    because = f"With the line cut it says “{after}”. {outcome.sentence}"
    return Question("cut_line", f"What will it say once {line} is cut?", options, answer, because)
