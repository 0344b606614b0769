"""What every model offers, whatever its architecture: what experiments are written against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast, runtime_checkable

from tokenizers import Tokenizer

from attention.arrays import Array
from attention.edits import Edits
from attention.models.trace import Tokens, Trace


class Sizes(Protocol):
    """The part of a configuration that all architectures share."""

    @property
    def num_hidden_layers(self) -> int:
        """L, how many layers there are."""

    @property
    def num_attention_heads(self) -> int:
        """H, how many heads ask in each layer."""


class Model(Protocol):
    """A transformer that shows its forward pass, and lets it be changed and restarted.

    Safe to share between threads: experiments run several passes side by side.
    """

    @property
    def name(self) -> str:
        """The name that `load_model` takes."""

    @property
    def tokenizer(self) -> Tokenizer:
        """What makes tokens of a text."""

    @property
    def word_embeddings(self) -> Array:
        """The learned vector of every vocabulary entry, `(V, D)`, read-only."""

    @property
    def longest_trace(self) -> int:
        """How many tokens a text may have."""

    @property
    def config(self) -> Sizes:
        """How large the model is."""

    @property
    def predicts(self) -> bool:
        """Whether it says which token comes next: an encoder does not, nor one without a head."""

    def __hash__(self) -> int:
        """Models are compared as objects, so they can be keys."""

    def tokenize(self, text: str) -> Tokens:
        """Return the text as tokens; `ValueError` where it is too long."""

    def trace(self, text: str, edits: Edits = ()) -> Trace:
        """Run the whole forward pass, changed as `edits` ask for, and keep everything."""

    def hidden(self, text: str, edits: Edits = ()) -> Array:
        """Return the stream `(L + 1, T, D)` of a forward pass."""

    def edited(self, trace: Trace, edits: Edits) -> Trace:
        """Return the pass of a trace with these edits, too; what they leave is taken over."""

    def resume(self, x: Array, layer: int, edits: Edits = (), *, stop: int | None = None) -> Array:
        """Run layers, to the last or up to `stop`, on streams `(..., T, D)`; return its output."""

    def last_streams(self, trace: Trace, changes: Sequence[Edits]) -> Array:
        """Return the last layer's streams `(B, T, D)` of passes, each with edits of its own."""

    def output_projection(self, layer: int) -> tuple[Array, Array]:
        """Return W_O `(H * E, D)`, the rows of each head together, and its bias `(D,)`."""

    def after_attention(self, layer: int, x: Array, attended: Array) -> Array:
        """Finish a layer: what it gives `(T, D)` for the stream and what attention adds to it."""


@runtime_checkable
class Decoder(Model, Protocol):
    """A model that says which token comes next, if it `predicts`."""

    def logits(self, x: Array) -> Array:
        """Return `(..., V)` for rows `(..., D)` of the last layer's stream, `hidden[-1]`."""


def predictor(model: Model) -> Decoder | None:
    """Return the model if it predicts: an encoder does not, nor a decoder without a head."""
    return cast(Decoder, model) if model.predicts else None
