"""The role of a head of cross-attention: does a word of the translation attend to its counterpart?

The counterparts are those of a small dictionary, written for the built-in sentences, and words that
are spelled alike in both texts, such as names and numbers. Words without either say nothing.

Source: Vaswani et al. 2017, "Attention is all you need", section 3.2.3; that single heads align:
Voita et al. 2019, "Analyzing multi-head self-attention", section 3.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from attention.analysis.role_kinds import ALIGNMENT, LEAST_ROWS, SPREADS
from attention.analysis.roles import PooledRole
from attention.analysis.words import Unit, merge, whole_words
from attention.arrays import Array
from attention.models.translation import Translation
from attention.translation.aligned import joined_blanks
from attention.wording import Head

_PAIRS = """
acordo agreement, agosto august, aldeia village, anos years, assinado signed, banco bank,
bateu hit, bola ball, bolo cake, cadeira chair, caro expensive, casa home, cidade city,
corrida race, correr run, depois after, depositar deposit, dinheiro money, domingo sunday,
económico economic, econômico economic, ele he, encaixava fit, encontraram met, espaço area,
estação station, europeu european, fechou closed, flores flowers, fui went, fábrica plant,
grande big, jovem young, loja shop, madeira wooden, mala suitcase, mantinham kept, mar sea,
margem bank, morcego bat, morreu died, muitos many, música music, nasceu born, onde where,
pais parents, pequena small, pequeno small, perto near, planta plant, porque because,
quando when, quebrou broke, rio river, troféu trophy, velha old, vencido won, vizinhos neighbours,
voltou came, água water, íngreme steep
"""
COUNTERPARTS = MappingProxyType(dict(pair.split() for pair in _PAIRS.split(",")))


def known_pairs(source: tuple[Unit, ...], target: tuple[Unit, ...]) -> Array:
    """Return which words of a translation have which counterpart, `(T, S)` bool."""
    here, there = _names(source), _names(target)
    wanted = [{COUNTERPARTS.get(name, name), name} - {""} for name in there]
    return np.array([[name in own for name in here] for own in wanted], bool).reshape(
        len(target), len(source)
    )


def both_units(done: Translation) -> tuple[tuple[Unit, ...], tuple[Unit, ...]]:
    """Return the words of a translation, which ask, and those of its source."""
    return joined_blanks(whole_words(done.target)), whole_words(done.source)


def alignment_role(done: Translation, draws: int = 200, seed: int = 0) -> PooledRole | None:
    """Score every head of cross-attention for alignment; None where no counterpart is known.

    `mean over words t that have a counterpart of the sum of w[t, s] over its places s`; by chance,
    the same with the words of the source in shuffled order.

    >>> from attention import load_translator
    >>> found = alignment_role(load_translator().translate("The bank by the river was steep."))
    >>> found.rows.tolist(), found.score.shape
    ([3, 3], (2, 8))
    """
    target, source = both_units(done)
    pairs = known_pairs(source, target)
    asking = pairs.any(axis=1)
    if not asking.any():
        return None
    weights = merge(done.cross_weights, target, source)[:, :, asking].astype(np.float64)
    movable = np.array([unit.ordinary for unit in source])
    orders = np.tile(np.arange(len(source)), (draws, 1))
    orders[:, movable] = np.random.default_rng(seed).permuted(orders[:, movable], axis=1)
    score = np.einsum("lhts,ts->lh", weights, pairs[asking]) / asking.sum()
    shuffled = pairs[asking][:, orders].astype(np.float64)  # (T, D, S)
    null = np.einsum("lhts,tds->dlh", weights, shuffled, optimize=True) / asking.sum()
    rows = np.full(len(score), asking.sum())
    return PooledRole(score, null.mean(axis=0), null.std(axis=0), rows)


def alignment_sentence(found: PooledRole | None, head: Head) -> str:
    """Say how well one head aligns, on how many words, and whether that is more than chance."""
    if found is None:
        return ""
    score, mean, spread = (
        float(a[head]) for a in (found.score, found.null_mean, found.null_spread)
    )
    rows = int(found.rows[head[0]])
    counted = f"the {rows} words" if rows > 1 else "the one word"
    aligns = score >= ALIGNMENT.threshold and score - mean > SPREADS * spread and rows >= LEAST_ROWS
    role = "It aligns" if aligns else "It has not the role of aligning"
    return (
        f"{role}: on average {score:.2f} of the weight of {counted} whose counterpart is known "
        f"goes there, {mean:.2f} ± {spread:.2f} by chance."
    )


def _names(units: tuple[Unit, ...]) -> list[str]:
    named = (any(map(str.isalnum, unit.word)) and unit.ordinary for unit in units)
    return [u.word.casefold() if own else "" for u, own in zip(units, named, strict=True)]
