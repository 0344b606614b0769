"""Two texts word by word, as tidy tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from attention.context.differences import Differences
from attention.wording import Head


def difference_frame(both: Differences, head: Head) -> pd.DataFrame:
    """Return one head's change of weights: `q, k, query, key, first, second, change`.

    One row per word that both texts have and per word of either; in a decoder, those that a word
    may not attend to in either text are absent.
    """
    layer, own = head
    one, other = (both.rows(side, both.beside)[layer, own] for side in (0, 1))
    rows, columns = np.indices(one.shape)
    queries = np.array(both.beside)[rows]
    labels = np.array(both.labels, dtype=object)
    table = pd.DataFrame(
        {
            "q": queries.ravel(),
            "k": columns.ravel(),
            "query": labels[queries].ravel(),
            "key": labels[columns].ravel(),
            "first": one.ravel(),
            "second": other.ravel(),
            "change": (other - one).ravel(),
        }
    )
    return table[both.seen(head[0]).ravel()].reset_index(drop=True)


def moved_layers_frame(both: Differences) -> pd.DataFrame:
    """Return how far each kept word has moved at each stage: `stage, i, word, moved`.

    Stage 0 is the input of the first layer, then comes the output of each.
    """
    stages, words = np.indices(both.moved.shape)
    places = np.array(both.kept)[words]
    return pd.DataFrame(
        {
            "stage": stages.ravel(),
            "i": places.ravel(),
            "word": np.array(both.labels, dtype=object)[places].ravel(),
            "moved": both.moved.ravel(),
        }
    )
