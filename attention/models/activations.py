"""The bends between the two matrices of an MLP, by the names that a `config.json` has for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from attention.arrays import Array
from attention.models import gradients
from attention.models.layers import gelu_in_place, silu_in_place


class Activation(NamedTuple):
    """A function of one number."""

    name: str  # in formulas
    in_place: Callable[[Array], Array]  # overwrites an array with what it makes of it; returns it
    slope: Callable[[Array], Array]


def gelu_tanh_in_place(x: Array) -> Array:
    """Overwrite `x` with `x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`; return it.

    Source: Hendrycks and Gimpel 2016, "Gaussian error linear units", section 2.

    >>> gelu_tanh_in_place(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1588,  0.    ,  0.8412])
    """
    inner = x * x
    inner *= 0.044715
    inner += 1
    inner *= x
    inner *= math.sqrt(2 / math.pi)
    np.tanh(inner, out=inner)
    inner += 1
    inner *= 0.5
    x *= inner
    return x


def relu_in_place(x: Array) -> Array:
    """Overwrite `x` with `max(0, x)`; return it.

    >>> relu_in_place(np.array([-2.0, 3.0]))
    array([0., 3.])
    """
    return np.maximum(x, 0, out=x)


_GELU = Activation("GELU", gelu_in_place, gradients.gelu_slope)
_GELU_TANH = Activation("GELU", gelu_tanh_in_place, gradients.gelu_tanh_slope)
_SILU = Activation("silu", silu_in_place, gradients.silu_slope)
ACTIVATIONS = {  # what names of the same function differ by is in the last digit
    **dict.fromkeys(("gelu", "gelu_python"), _GELU),
    **dict.fromkeys(
        ("gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate"),
        _GELU_TANH,
    ),
    **dict.fromkeys(("silu", "swish"), _SILU),
    "relu": Activation("ReLU", relu_in_place, gradients.relu_slope),
}


def named(config: Mapping[str, Any], setting: str) -> str:
    """Return the name of an activation in a config; `ValueError` where it is not computed here.

    >>> named({"hidden_act": "relu"}, "hidden_act")
    'relu'
    """
    name = config[setting]
    if not isinstance(name, str) or name not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ValueError(f"{setting} is {name!r}, which is not computed here; known are {known}")
    return name
