"""What a forward pass leaves behind: the text as tokens, and every array on the way."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from attention.arrays import Array
from attention.core import attention_scores, causal_mask, softmax
from attention.edits import Edits
from attention.models.editing import scores_in_place
from attention.models.scoring import Scoring

if TYPE_CHECKING:
    import pandas as pd

LONGEST_TRACE = 512  # tokens
NO_HEAD = "its file has no head for that, and none is shared with the word embeddings"
_BEYOND_WEIGHTS = ("query", "key", "value", "scores", "head_output", "hidden")
MOST_WEIGHTS = 71_000_000  # of all heads, 284 MB: a model of many heads traces shorter texts


@dataclass(frozen=True, eq=False)
class Tokens:
    """A text as the model takes it in."""

    text: str
    ids: Array  # (T,) int
    pieces: tuple[str, ...]  # as the model's own tokenizer spells them
    spans: tuple[tuple[int, int], ...]  # where each piece stands in the text; (0, 0) if nowhere
    special: tuple[bool, ...]  # added by the model, such as [CLS]; not part of the text
    texts: tuple[str, ...] = ()  # what each piece says, see `models.spelling`; else as its piece
    unknown: tuple[
        str, ...
    ] = ()  # "" or, where the model knows no such word, what stands in for it
    second: int | None = None  # where the second of two texts begins in `text`, if there are two
    segments: tuple[int, ...] = ()  # which of the two each token belongs to; none: all to the first

    def __post_init__(self) -> None:
        """Freeze the ids: they are shared with the trace."""
        self.ids.flags.writeable = False
        object.__setattr__(self, "texts", self.texts or self.pieces)
        object.__setattr__(self, "unknown", self.unknown or ("",) * len(self.pieces))

    def __len__(self) -> int:
        """Return T, the number of tokens with the special ones."""
        return len(self.pieces)

    @property
    def pair(self) -> tuple[str, str] | None:
        """The two texts, if there are two: in `text` a line break stands between them."""
        if self.second is None:
            return None
        return self.text[: self.second - 1], self.text[self.second :]

    @property
    def as_code(self) -> str:
        """The arguments, as Python, with which `Model.trace` reads the same."""
        if self.pair is None:
            return repr(self.text)
        return f"{self.pair[0]!r}, pair={self.pair[1]!r}"

    @property
    def of_second(self) -> int:
        """The first position of the second text, all behind it being of it; T where there is one.

        By the words, not by `segments`: models that give both texts one segment read pairs, too.
        """
        begins = len(self.text) + 1 if self.second is None else self.second
        own = zip(self.spans, self.special, strict=True)
        found = (i for i, ((at, _), special) in enumerate(own) if at >= begins and not special)
        return next(found, len(self))

    def said(self, position: int) -> str:
        """Return what a token says; of one that the model does not know, its part of the text."""
        if self.special[position]:
            return self.pieces[position]
        if self.unknown[position]:
            return self.text[slice(*self.spans[position])]
        return self.texts[position]


class NotHeldError(ValueError, AttributeError):
    """A trace of weights alone was asked for more."""


@dataclass(frozen=True, eq=False)
class Trace:
    """A whole forward pass, nothing hidden. The arrays are read-only float32.

    `L` layer, `H` head, `Q` query, `K` key, `T` tokens, `E` head width, `D` model width, `V` words.
    Where query heads share keys and values these have G heads: query head h uses head h * G // H.
    """

    model: str
    input: Tokens
    query: Array  # (L, H, T, E)
    key: Array  # (L, H or G, T, E)
    value: Array  # (L, H or G, T, E)
    weights: Array  # (L, H, Q, K) after softmax: rows sum to 1
    head_output: Array  # (L, H, T, E) weights @ value, before W_O
    hidden: Array  # (L + 1, T, D) the embeddings, then the output of each layer
    edits: Edits = ()  # what was changed on the way; `weights` and all that follows show it
    is_causal: bool = False  # a query attends to itself and what came before
    next_logits: Array | None = None  # (V,) of the token after the text; decoders only
    spelling: Callable[[int], str] | None = None  # the text of each of them
    keys: Tokens | None = None  # of cross-attention: the other text, whose tokens are the keys
    scoring: Scoring | None = None  # what became of scores before softmax, if anything did

    def __post_init__(self) -> None:
        """Freeze the arrays: a trace is shared by every reader who asks for the same text."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @classmethod
    def from_weights(
        cls,
        tokens: Tokens | Sequence[str],
        weights: Any,
        *,
        keys: Tokens | Sequence[str] | None = None,
        special: Sequence[bool] | None = None,
        is_causal: bool | None = None,
        name: str = "weights",
    ) -> Trace:
        """Return a trace of weights that were computed elsewhere, by any framework.

        All that needs weights only works on it: `attention.view`, the figures of heads, the base
        rate, `attention.plot`. What needs more, such as `query`, is refused in a sentence.

        Parameters
        ----------
        tokens : of the queries, as their tokenizer spells them
        weights : `(L, H, Q, K)` or `(L, 1, H, Q, K)`, or one `(1, H, Q, K)` a layer: the
            `attentions` or `cross_attentions` of a transformers output. Tensors are taken as they
            are, from any device and of any type
        keys : tokens of the keys where these are another text's, as in cross-attention
        special : which tokens the model has added; by default the usual names, such as `[CLS]`
        is_causal : whether a query attends to itself and what came before; found out by default
        name : of the model

        Raises
        ------
        ValueError : shapes and tokens do not fit, or rows do not sum to 1.

        >>> Trace.from_weights(["the", "cat"], [[[[1.0, 0.0], [0.5, 0.5]]]])
        Trace of weights: 2 tokens, 1 x 1 heads
        """
        from attention.models.from_weights import trace_of_weights

        return trace_of_weights(
            tokens, weights, keys=keys, special=special, is_causal=is_causal, name=name
        )

    @classmethod
    def holding(cls, **held: Any) -> Trace:
        """Return a trace that holds these fields, and the others only where they have a default."""
        trace: Trace = object.__new__(cls)
        for field in fields(cls):
            if field.name in held or field.default is not MISSING:
                object.__setattr__(trace, field.name, held.get(field.name, field.default))
        for array in vars(trace).values():
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
        return trace

    if not TYPE_CHECKING:  # a checker would take it for anything

        def __getattr__(self, name: str) -> Any:
            """Say what a trace of weights alone has not."""
            if name in _BEYOND_WEIGHTS:
                raise NotHeldError(
                    f"this trace has no {name}: it was made of weights alone, which were computed "
                    "elsewhere; model.trace(text) holds everything"
                )
            raise AttributeError(f"'Trace' object has no attribute {name!r}")

    def __repr__(self) -> str:
        """Return the model and the sizes on one line."""
        layers, heads, tokens = self.weights.shape[:3]
        edited = f", {_counted(len(self.edits), 'edit')}" if self.edits else ""
        counted = _counted(tokens, "token")
        if self.keys is not None:
            counted += f" attending to {len(self.keys)}"
        return f"Trace of {self.model}: {counted}, {layers} x {heads} heads{edited}"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the tokens and a picture of all heads."""
        from attention.models.trace_html import trace_html

        return trace_html(self)

    def save(self, file: str | PathLike[str] | BinaryIO) -> None:
        """Write everything to a `.npz` file, which `Trace.load` reads, and NumPy without us."""
        from attention.models.trace_files import write_trace

        write_trace(self, file)

    @classmethod
    def load(cls, file: str | PathLike[str] | BinaryIO) -> Trace:
        """Return the trace in a file.

        Raises
        ------
        ValueError : it holds none.
        """
        from attention.models.trace_files import read_trace

        return read_trace(file)

    def find(self, word: str) -> int | None:
        """Return the position of the first token that spells `word`, ignoring case.

        A space before it, which many tokenizers make a part of it, is ignored, too. None where no
        single token spells it: a word may be cut into pieces, see `attention.view`.
        """
        if not isinstance(word, str):
            raise ValueError(f"a word is a str, got {type(word).__name__}")
        found = map(str.casefold, map(self.input.said, range(len(self.input))))
        wanted = word.casefold(), f" {word.casefold()}"
        return next((position for position, said in enumerate(found) if said in wanted), None)

    def to_frame(self, layer: int, head: int) -> pd.DataFrame:
        """Return one head's map as a tidy table: `q, k, query, key, score, weight`.

        One row per query and key; those that a mask hides are absent. Tokens are spelled as text.
        A trace of weights alone has no scores, and no such column.

        Raises
        ------
        ValueError : there is no such layer or head; the message has how many there are.
        """
        from attention.models.trace_frames import trace_frame

        return trace_frame(self, layer, head)

    @cached_property
    def scores(self) -> Array:
        """The scaled scores before softmax, `(L, H, Q, K)`, with what edits have added to them.

        Where a model has a `scoring`, after that.

        Made again from queries and keys when first asked for: they are as large as the weights,
        and few readers want both.
        """
        scores = attention_scores(self.query, self.key, enable_gqa=True)
        hidden = ~causal_mask(len(self.tokens)) if self.is_causal else False
        for layer, here in enumerate(scores):
            if self.scoring is not None:
                self.scoring.in_place(here, layer)
            np.copyto(here, -math.inf, where=hidden)
            scores_in_place(here, self.edits, layer)
        scores.flags.writeable = False
        return scores

    def next_token(self, k: int = 10, temperature: float = 1.0) -> list[tuple[str, float]]:
        """Return the k most probable next tokens of a decoder with their probabilities.

        Raises
        ------
        ValueError : the model is an encoder or has no head for that, there is no token to go on
            from, or a number is not positive.
        """
        if self.is_causal and not self.tokens:
            raise ValueError("the text has no tokens, so there is nothing to go on from")
        if self.next_logits is None or self.spelling is None:
            raise ValueError(f"{self.model} predicts no next token: {self.why_no_next}")
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        probabilities = softmax(self.next_logits.astype(np.float64), temperature=temperature)
        best = np.argsort(-probabilities, kind="stable")[:k].tolist()
        return [(self.spelling(i), float(probabilities[i])) for i in best]

    @property
    def why_no_next(self) -> str:
        """Why there are no `next_logits`, where there are none."""
        if not self.is_causal:
            return "it is an encoder, which takes in a text as a whole"
        return NO_HEAD if self.tokens else "the text has no tokens"

    @property
    def text(self) -> str:
        """The text that went in; of two texts, both with a line break between them."""
        return self.input.text

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens, as the model's own tokenizer spells them."""
        return self.input.pieces


def longest(heads: int, positions: int) -> int:
    """Return how many tokens a trace may have, for a model of so many heads and positions.

    >>> longest(heads=270, positions=8192), longest(heads=384, positions=8192)
    (512, 429)
    """
    return min(positions, LONGEST_TRACE, math.isqrt(MOST_WEIGHTS // heads))


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
