"""What heads write, and what each layer predicts, as tidy tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from attention.analysis.logit_lens import Lens
from attention.arrays import Array
from attention.interventions.attribution import DirectWriting
from attention.wording import Head, head_name


def writing_frame(
    found: DirectWriting,
    heads: Sequence[Head],
    weights: Array,
    labels: Sequence[str],
    without: Array | None = None,
) -> pd.DataFrame:
    """Return a row per head: `Head, Writes, Weight, Key`, and `Ablated` if measured.

    Parameters
    ----------
    weights : (L, H, W) the last token's rows over the words that `labels` name
    without : (heads,) how the log-odds change without each of them
    """
    keys = [int(weights[head].argmax()) for head in heads]
    ablated = {} if without is None else {"Ablated": without}
    return pd.DataFrame(
        {
            "Head": [head_name(head) for head in heads],
            "Writes": [float(found.heads[head]) for head in heads],
            **ablated,
            "Weight": [float(weights[head][key]) for head, key in zip(heads, keys, strict=True)],
            "Key": [f"{key} {labels[key]}" for key in keys],
        }
    )


def lens_frame(lens: Lens, labels: Mapping[int, str], spell: Callable[[int], str]) -> pd.DataFrame:
    """Return a row per layer and word: `layer, at, word, token, chance, followed`.

    Layer 0 is the embedding, and layer l the output of layer l - 1, counted from 0.
    """
    layers, places = (axis.ravel() for axis in np.indices(lens.ids.shape))
    names = np.array([labels[p] for p in lens.positions], dtype=object)
    return pd.DataFrame(
        {
            "layer": layers,
            "at": places,
            "word": names[places],
            "token": [spell(int(i)) for i in lens.ids.ravel()],
            "chance": lens.chances.ravel(),
            "followed": lens.followed.ravel(),
        }
    )
