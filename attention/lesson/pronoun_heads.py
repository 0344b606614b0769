"""Which heads find the noun that a pronoun stands for, over the lesson's own pairs of sentences."""

from __future__ import annotations

from collections.abc import Sequence

from attention.analysis import words
from attention.analysis.pair_sentences import PAIRS, Pair, known_nouns
from attention.analysis.roles import HeadRoles, PooledRole, head_roles, pooled
from attention.models.model import Model
from attention.runtime.threads import one_blas_thread
from attention.runtime.timing import Progress

ROLE = "pronoun"


def pronoun_role(
    model: Model, pairs: Sequence[Pair] = PAIRS, on_progress: Progress = lambda share: None
) -> PooledRole:
    """Measure the role "pronoun to noun" over both sentences of some minimal pairs.

    The noun is the one that the sentence means. Each sentence counts once. Sentences of which a
    model's tokens leave no such words are left out.

    Raises
    ------
    ValueError : that is so of all of them.
    """
    found = []
    with one_blas_thread():  # short texts: a second thread would only wait
        for at, pair in enumerate(pairs):
            found += [_measured(model, text) for text in pair.texts]
            on_progress((at + 1) / len(pairs))
    return pooled([one for one in found if one is not None], ROLE)


def _measured(model: Model, text: str) -> HeadRoles | None:
    """Return the role on one sentence of a pair."""
    view = words.view(model.trace(text))
    pronouns = known_nouns(view, text)
    return head_roles(view, only=(ROLE,), pronouns=pronouns) if pronouns else None


def pronoun_sentence(found: PooledRole, name: str) -> str:
    """Say which head finds the noun best, and how many do.

    Parameters
    ----------
    name : of the model
    """
    best, takes = found.best, int(found.has(ROLE).sum())
    rows = int(found.rows[best[0]])
    few = "one gives" if takes == 1 else f"{takes} give"
    return (
        f"Over {rows} sentences in which a pronoun stands for a known noun, L{best[0]} "
        f"H{best[1]} of {name} gives the noun most: {found.score[best]:.2f}, against "
        f"{found.null_mean[best]:.2f} ± {found.null_spread[best]:.2f} by chance. "
        f"Of {found.score.size} heads {few} it a third or more."
    )
