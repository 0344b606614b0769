"""What the multi-head comparison asks before it shows."""

from __future__ import annotations

from attention.analysis import metrics
from attention.analysis.words import View
from attention.question import Question


def previous_word_head(view: View) -> Question:
    """Ask which head attends to the previous word; the others do something else most."""
    previous = metrics.neighbour_share(view, -1)  # (L, H)
    others = (
        metrics.neighbour_share(view, 1),
        metrics.neighbour_share(view, 0),
        metrics.special_share(view),
        -previous,
    )
    best = int(previous.argmax())
    rivals = [int(figure.argmax()) for figure in others]
    chosen = sorted({best, *[head for head in rivals if head != best][:3]})
    names = {head: "L{} H{}".format(*divmod(head, previous.shape[1])) for head in chosen}
    shares = ", ".join(f"{names[head]} {previous.flat[head]:.2f}" for head in chosen)
    return Question(
        key="previous",
        text="Which of these heads attends to the previous word?",
        options=tuple(names.values()),
        answer=names[best],
        because=f"The share that goes to the word before, on this text: {shares}.",
    )
