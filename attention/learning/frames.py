"""Tidy tables of what is learned: maps of weights, curves, gradients, accuracies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from attention.learning.experiment import Experiment, Picture
from attention.learning.measure import AccuracyPoint
from attention.learning.names import key_labels, query_labels, token_texts

_ASIDE = 1.035  # times n, from one network to the next


def weight_frame(experiment: Experiment, picture: Picture) -> pd.DataFrame:
    """Return a cell for each weight: `map, q, k, query, key, weight, right`.

    `right` are the tokens that the answer depends on, where these are not all.
    """
    rows, heads, n = picture.weights.shape
    task, batch = experiment.task, experiment.looked_at
    texts = [token_texts(task, tokens) for tokens in batch.tokens]
    some = not batch.relevant.all()
    q, head, k = (axis.ravel() for axis in np.indices((rows, heads, n)))
    return pd.DataFrame(
        {
            "map": head,
            "q": q,
            "k": k,
            "query": np.array(query_labels(task, batch), dtype=object)[q],
            "key": np.array(texts, dtype=object)[q, k],
            "weight": picture.weights.ravel().astype(float),
            "right": batch.relevant[q, k] & some,
        }
    )


def learned_frame(experiment: Experiment, pictures: Sequence[Picture], at: int) -> pd.DataFrame:
    """Return how each network does at each picture: `step, series, accuracy, loss, now`.

    Parameters
    ----------
    at : which of the pictures is looked at
    """
    return pd.DataFrame(
        [
            (picture.step, name, one.accuracy, one.loss, i == at)
            for i, picture in enumerate(pictures)
            for name, one in zip(experiment.series, picture.progress, strict=True)
        ],
        columns=["step", "series", "accuracy", "loss", "now"],
    )


def push_frame(experiment: Experiment, picture: Picture, row: int) -> pd.DataFrame:
    """Return where the loss of one example pushes each score: `k, key, head, push, weight, right`.

    The push is the gradient times -1: a step of learning goes against the gradient.
    """
    batch = experiment.looked_at
    heads, n = picture.gradients.shape[1:]
    head, k = (axis.ravel() for axis in np.indices((heads, n)))
    texts = token_texts(experiment.task, batch.tokens[row])
    return pd.DataFrame(
        {
            "k": k,
            "key": np.array(texts, dtype=object)[k],
            "head": [f"head {h}" for h in head],
            "push": -picture.gradients[row].ravel().astype(float),
            "weight": picture.weights[row].ravel().astype(float),
            "right": batch.relevant[row][k],
        }
    )


def shelf_labels(experiment: Experiment) -> tuple[str, ...]:
    """Return what stands below the columns of a map."""
    return tuple(key_labels(experiment.task, experiment.looked_at))


def asked_labels(experiment: Experiment) -> tuple[str, ...]:
    """Return what stands beside the rows of a map."""
    return tuple(query_labels(experiment.task, experiment.looked_at))


def accuracy_frame(
    points: Iterable[AccuracyPoint], here: Iterable[AccuracyPoint] = ()
) -> pd.DataFrame:
    """Return a row for each network and number of tokens, over its seeds.

    `series, n, at, mean, low, high, seeds, parameters, rate, steps, here`: low and high are the
    worst and the best seed, steps their mean, `at` is n and a little aside, each network its own
    way, since of two points at one place one would hide the other.

    Parameters
    ----------
    here : points that were measured on the reader's machine
    """
    found = [(point, False) for point in points] + [(point, True) for point in here]
    names = list(dict.fromkeys(point.series for point, _ in found))
    aside = {name: _ASIDE ** (i - (len(names) - 1) / 2) for i, name in enumerate(names)}
    return pd.DataFrame(
        [
            {
                "series": point.series,
                "n": point.n,
                "at": point.n * aside[point.series],
                "mean": float(np.mean(point.accuracies)),
                "low": min(point.accuracies),
                "high": max(point.accuracies),
                "seeds": len(point.accuracies),
                "parameters": point.parameters,
                "rate": point.choice.rate,
                "steps": float(np.mean(point.steps)),
                "here": is_here,
            }
            for point, is_here in found
        ]
    )
