"""Changes to attention inside a forward pass: cut, add to a score, set a row of weights.

`model.trace(text, edits)` honours a tuple of them, in every layer and head that they name. Within
a head, first the scores change (`Add`, and `Cut` with renormalising: as if the key were masked);
then comes the softmax; then the weights change (`Cut` without renormalising and `SetRow`, in the
order given, and last `CutHeads`). A `Patch` puts in a part of another text's pass: its hidden
states before all else in a layer, its weights with the other weights, its outputs after them.
`attention.models.editing` does it.

Positions are those of tokens, special ones included; layers and heads count from 0. None means all.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from attention.edits.numbers import MOST_NUMBER, Numbers, check_numbers, make_canonical
from attention.edits.patches import Patch
from attention.wording import Head

MOST_ADDED = 10_000.0  # to a score, up or down; -inf is a cut


@dataclass(frozen=True)
class Cut:
    """Let `queries` give no weight to `keys`.

    With `renormalise` the rest of each row is scaled so that it sums to 1 again, as if the keys
    had been masked (a row that loses all its keys becomes zeros); without, what was cut is missing.

    >>> Cut(queries=(8,), keys=(2,), layers=(5,), heads=(11,))  # one connection
    Cut(queries=(8,), keys=(2,), layers=(5,), heads=(11,), renormalise=True)
    """

    queries: Numbers = None
    keys: Numbers = None
    layers: Numbers = None
    heads: Numbers = None
    renormalise: bool = True

    def __post_init__(self) -> None:
        """Sort and check the numbers."""
        make_canonical(self, "queries", "keys", "layers", "heads")


@dataclass(frozen=True)
class CutHeads:
    """Ablate whole heads, `(layer, head)` each: they write nothing.

    Source: Michel et al. 2019, "Are sixteen heads really better than one?", section 2.3.

    >>> CutHeads(((3, 1), (0, 4), (3, 1)))
    CutHeads(pairs=((0, 4), (3, 1)))
    """

    pairs: tuple[Head, ...]

    def __post_init__(self) -> None:
        """Sort and check the pairs."""
        pairs = self.pairs if isinstance(self.pairs, Collection) else (None,)
        if not all(isinstance(pair, Collection) and len(pair) == 2 for pair in pairs):
            raise ValueError(f"pairs must be a tuple of (layer, head), got {self.pairs!r:.100}")
        check_numbers("layers", [layer for layer, _ in self.pairs])
        check_numbers("heads", [head for _, head in self.pairs])
        object.__setattr__(self, "pairs", tuple(sorted({(int(a), int(b)) for a, b in self.pairs})))


@dataclass(frozen=True)
class Add:
    """Add `amount` to the scores with which `queries` ask for `keys`, before the softmax.

    The weights still sum to 1, so what one key gains the others lose: a weight w becomes
    `w e^a / (1 - w + w e^a)`. An amount of -inf is a `Cut` with renormalising.

    >>> Add(2.0, keys=(7, 6))
    Add(amount=2.0, queries=None, keys=(6, 7), layers=None, heads=None)
    """

    amount: float
    queries: Numbers = None
    keys: Numbers = None
    layers: Numbers = None
    heads: Numbers = None

    def __post_init__(self) -> None:
        """Sort and check the numbers."""
        amount = float(self.amount) + 0.0  # no negative zero: it is equal, but spelled otherwise
        if amount != -math.inf and not abs(amount) <= MOST_ADDED:
            raise ValueError(
                f"amount must be -inf or from {-MOST_ADDED:g} to {MOST_ADDED:g}, got {self.amount}"
            )
        object.__setattr__(self, "amount", amount)
        make_canonical(self, "queries", "keys", "layers", "heads")


@dataclass(frozen=True)
class SetRow:
    """Make `queries` give each key the weight given, whatever their scores say.

    The weights, one per token of the text, are kept as float32. With `renormalise` they are
    divided by their sum; without, they are taken as they are.

    >>> SetRow((0.25, 0.75), queries=(1,), layers=(0,))
    SetRow(weights=(0.25, 0.75), queries=(1,), layers=(0,), heads=None, renormalise=True)
    """

    weights: tuple[float, ...]
    queries: Numbers = None
    layers: Numbers = None
    heads: Numbers = None
    renormalise: bool = True

    def __post_init__(self) -> None:
        """Round the weights to float32, sort and check the numbers."""
        if len(self.weights) > MOST_NUMBER + 1:
            raise ValueError(f"got {len(self.weights)} weights; the limit is {MOST_NUMBER + 1}")
        bad = [weight for weight in self.weights if not 0 <= weight <= 1]
        if bad:
            raise ValueError(f"weights must be from 0 to 1, got {bad[0]}")
        rounded = tuple(float(np.float32(weight)) + 0.0 for weight in self.weights)
        if not sum(rounded) > 0 and self.renormalise:
            raise ValueError(f"{len(rounded)} weights with the sum 0 cannot be renormalised")
        object.__setattr__(self, "weights", rounded)
        make_canonical(self, "queries", "layers", "heads")


Edit = Cut | CutHeads | Add | SetRow | Patch
Edits = tuple[Edit, ...]


def layers_of(edit: Edit) -> Numbers:
    """Return the layers in which an edit changes something; None is all.

    >>> layers_of(CutHeads(((3, 1), (0, 4))))
    (0, 3)
    """
    if isinstance(edit, CutHeads):
        return tuple(sorted({layer for layer, _ in edit.pairs}))
    return edit.layers


def first_layer(edits: Edits, layers: int) -> int:
    """Return the lowest layer that any of `edits` changes, or `layers` where there is none.

    Everything below it is as without edits, so that `model.resume` can start there.

    >>> first_layer((Cut(layers=(4, 5)), Add(1.0, layers=(2,))), layers=6)
    2
    """
    lowest = [0 if (at := layers_of(edit)) is None else min(at, default=layers) for edit in edits]
    return min(lowest, default=layers)


def first_query(edits: Edits, tokens: int) -> int:
    """Return the lowest query whose row any of `edits` changes under a causal mask, or `tokens`.

    The tokens before it are as without edits in every layer: they do not see what comes later.

    >>> first_query((Add(1.0, queries=(2, 5), keys=(4,)), Cut(keys=(7,))), tokens=9)
    5
    """
    return min((_first_query(edit, tokens) for edit in edits), default=tokens)


def _first_query(edit: Edit, tokens: int) -> int:
    if isinstance(edit, CutHeads):
        return 0 if edit.pairs else tokens
    if isinstance(edit, SetRow | Patch):
        return min(edit.queries or (0,))
    least = min(edit.keys or (0,))  # who sees such a key at all
    return next((q for q in edit.queries or range(tokens) if q >= least), tokens)


def check_edits(
    edits: Edits,
    model: str,
    layers: int,
    heads: int,
    tokens: int,
    *,
    queries: int | None = None,
    is_causal: bool = False,
    windows: Sequence[int | None] = (),
) -> None:
    """Check that every layer, head and position is there, and every new row possible.

    Queries are tokens of the text, as keys are, or else the given number of steps.

    Parameters
    ----------
    windows : of each layer, how many keys a query sees, itself among them; None or none, all

    Raises
    ------
    ValueError : one is not; the message has what was asked for and what there is.

    >>> check_edits((Cut(layers=(9,)),), "minilm", layers=6, heads=12, tokens=3)
    Traceback (most recent call last):
    ValueError: no layer 9: minilm has layers 0 to 5 and heads 0 to 11
    """
    if not isinstance(edits, Sequence) or not all(isinstance(edit, Edit) for edit in edits):
        raise ValueError(
            f"edits are a tuple of Cut, CutHeads, Add, SetRow and Patch, got {edits!r:.100}"
        )
    there = f"{model} has layers 0 to {layers - 1} and heads 0 to {heads - 1}"
    text = f"the text has {tokens} tokens, 0 to {tokens - 1}"
    steps = f"a translation of it has at most {queries} steps"
    for edit in edits:
        _check_largest("layer", layers_of(edit), layers, there)
        if isinstance(edit, CutHeads):
            _check_largest("head", [head for _, head in edit.pairs], heads, there)
            continue
        _check_largest("head", edit.heads, heads, there)
        if queries is None:
            _check_largest("position", edit.queries, tokens, text)
        else:
            _check_largest("step", edit.queries, queries, steps)
        if isinstance(edit, Patch):
            if queries is not None:
                raise ValueError("a translation cannot be patched: its steps are not of a text")
        elif isinstance(edit, SetRow):
            sizes = [windows[at] for at in edit.layers or range(layers)] if windows else []
            _check_row(edit, tokens, is_causal, min(filter(None, sizes), default=tokens))
        else:
            _check_largest("position", edit.keys, tokens, text)


def _check_row(edit: SetRow, tokens: int, is_causal: bool, window: int) -> None:
    if len(edit.weights) != tokens:
        raise ValueError(f"a row of {len(edit.weights)} weights for a text of {tokens} tokens")
    asked = range(tokens) if edit.queries is None else edit.queries
    keys = [key for key, weight in enumerate(edit.weights) if weight > 0]
    if is_causal and keys and keys[-1] > asked[0]:
        pair = f"query {asked[0]} cannot attend to key {keys[-1]}"
        raise ValueError(f"{pair}: keys after it are masked")
    if is_causal and keys and asked[-1] - keys[0] >= window:
        pair = f"query {asked[-1]} cannot attend to key {keys[0]}"
        raise ValueError(f"{pair}: it sees {window} keys, itself the last")


def _check_largest(name: str, numbers: Iterable[int] | None, count: int, there: str) -> None:
    largest = max(numbers or (), default=-1)
    if largest >= count:
        raise ValueError(f"no {name} {largest}: {there}")
