"""What the context page asks before it shows."""

from __future__ import annotations

from attention.context import rnn_cnn
from attention.context.far_words import KEY_WORD, QUERY_WORD, FarAttention
from attention.question import Question


def layers_question(kernel: int) -> Question:
    """Ask how many layers join two words that are 99 apart when each layer doubles its step."""
    answer, plain = (rnn_cnn.layers_to_connect(99, kernel, rule) or 0 for rule in (0, 1))
    side = rnn_cnn.receptive_field(kernel, rnn_cnn.dilations(answer, 0)) // 2
    return Question(
        key="dilated",
        text=f"Every layer doubles its dilation: 1, 2, 4, … How many layers with a kernel of "
        f"{kernel} until a word is made from one that is 99 words away?",
        options=tuple(str(n) for n in sorted({answer - 3, answer, 2 * answer, plain})),
        answer=str(answer),
        because=f"{answer} layers reach {side} words to either side. With a dilation of 1 in every "
        f"layer it takes {plain}, and attention takes one.",
    )


def ranks_question(far: FarAttention) -> Question:
    """Ask how many heads still have the far word among the ten that they attend to most."""
    heads, hidden = far.rank.size, int((far.rank == 0).sum())
    within = int((far.rank <= 10).sum()) - hidden
    why = (
        "heads differ in what they attend to, not in how far they can reach"
        if not hidden
        else f"{hidden} because the window of their layer hides it"
    )
    bins = {"none": 0, "1 to 5": 5, "6 to 20": 20, f"21 to {heads}": heads}
    return Question(
        key="far",
        text=f"“{KEY_WORD}” stands {far.distance} tokens before “{QUERY_WORD}”. In how many of the "
        f"{heads} heads is it still among the ten tokens with the largest weights?",
        options=tuple(bins),
        answer=next(name for name, most in bins.items() if within <= most),
        because=f"It is in {within} of {heads} heads. The others attend to something else: {why}.",
    )
