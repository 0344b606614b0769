"""The sizes that every transformer has, taken from what a file says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from attention.models import settings

_MOST = {  # no model is larger, but a file may claim anything
    "num_hidden_layers": 1_000,
    "num_attention_heads": 1_000,
    "num_key_value_heads": 1_000,
    "head_dim": 4_096,
    "hidden_size": 100_000,
    "intermediate_size": 1_000_000,
    "vocab_size": 4_000_000,
    "max_position_embeddings": 100_000_000,
}


@dataclass(frozen=True, kw_only=True)
class Config(ABC):
    """The sizes that every transformer has, under the names of a `config.json`."""

    num_hidden_layers: int  # L
    num_attention_heads: int  # H
    num_key_value_heads: int  # G
    head_dim: int  # E
    hidden_size: int  # D
    intermediate_size: int
    vocab_size: int  # V
    max_position_embeddings: int
    norm_eps: float
    activation: str = "gelu"  # of the MLP; see `activations`
    family: str = ""  # how people call models of this kind; "" is the name of the class

    def __post_init__(self) -> None:
        """Refuse sizes that no such model has."""
        for name, most in _MOST.items():
            settings.whole_number(vars(self), name, most)
        settings.epsilon(vars(self), "norm_eps")
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"{self.num_attention_heads} query heads cannot share "
                f"{self.num_key_value_heads} heads of keys and values evenly"
            )

    @classmethod
    @abstractmethod
    def from_dict(cls, config: dict[str, Any]) -> Self:
        """Take the sizes from a `config.json`; refuse what is not computed here."""

    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every tensor that the forward pass uses."""

    def head(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of what else is read, where a file has it."""
        return {}


def biased_layers(
    layers: int, width: int, norms: Sequence[str], matrices: Sequence[tuple[str, int, int]]
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of `layers.0` and so on, where norms and matrices have biases.

    Parameters
    ----------
    width : of the norms
    matrices : name, rows and columns of each, `(out, in)`

    >>> biased_layers(1, 2, ["norm"], [("dense", 3, 2)])["layers.0.dense.bias"]
    (3,)
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for at in (f"layers.{layer}" for layer in range(layers)):
        for norm in norms:
            shapes |= {f"{at}.{norm}.weight": (width,), f"{at}.{norm}.bias": (width,)}
        for part, rows, columns in matrices:
            shapes |= {f"{at}.{part}.weight": (rows, columns), f"{at}.{part}.bias": (rows,)}
    return shapes
