"""Views of one head, written out by hand."""

import dataclasses

import numpy as np

from attention.analysis.words import Unit, View


def view(*rows, labels="abc", special=()):
    """Return a view of one head with these rows, `(1, 1, W, W)`."""
    weights = np.array(rows, dtype=np.float64)[None, None]
    units = tuple(Unit(label, (i,), i in special) for i, label in enumerate(labels))
    return View(units, weights, np.zeros(weights.shape[:-1]))


def causal(*rows, labels="abc"):
    """Return such a view of a decoder."""
    return dataclasses.replace(view(*rows, labels=labels), is_causal=True)
