"""The SentencePiece BPE tokenizer in a GGUF file, as Llama 1 and 2, Mistral, Gemma and Phi-3 have.

Source: Kudo and Richardson 2018, "SentencePiece", section 3; the pieces' scores say in which order
pairs are merged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors

from attention.arrays import Array
from attention.models.gguf_header import Fields, Strings, field

_UNKNOWN, _CONTROL, _USER_DEFINED, _BYTE = 2, 3, 4, 6
_LONGEST = 100  # characters of a piece that is cut in two: what is longer was defined by hand


class SentencePieces(NamedTuple):
    """What such a tokenizer is made of."""

    words: Strings
    scores: Array  # (V,)
    kinds: Array  # (V,)
    unknown: int
    ends: tuple[int | None, int | None]  # the tokens that every text begins and ends with
    space_first: bool  # a text begins as if a space came before it


def sentencepiece_parts(fields: Fields) -> SentencePieces:
    """Return the parts of the tokenizer; `ValueError` where they are not as many as the words."""
    words = field(fields, "tokenizer.ggml.tokens", Strings)
    scores = field(fields, "tokenizer.ggml.scores", np.ndarray)
    kinds = field(fields, "tokenizer.ggml.token_type", np.ndarray)
    if not len(words) == len(scores) == len(kinds):
        raise ValueError(
            f"{len(words):,} tokens with {len(scores):,} scores and {len(kinds):,} types"
        )
    if not np.isfinite(scores).all():
        raise ValueError("a token has a score that is not finite")
    unknown = field(fields, "tokenizer.ggml.unknown_token_id", int, 0)
    return SentencePieces(
        words, scores, kinds, _token(words, unknown, "stand for unknown words as"),
        (_end(fields, words, "bos", default=True), _end(fields, words, "eos", default=False)),
        field(fields, "tokenizer.ggml.add_space_prefix", bool, True),
    )  # fmt: skip


def sentencepiece_tokenizer(made_of: SentencePieces) -> Tokenizer:
    """Return the tokenizer; any error of the library where its parts do not fit together."""
    words = made_of.words.read()
    vocabulary = {word: i for i, word in enumerate(words)}
    merges = _merges(vocabulary, made_of)
    tokenizer = Tokenizer(
        models.BPE(
            vocabulary, merges, unk_token=words[made_of.unknown], fuse_unk=True,
            byte_fallback=bool((made_of.kinds == _BYTE).any()),
        )
    )  # fmt: skip
    spaces = normalizers.Replace(" ", "▁")
    first = [normalizers.Prepend("▁")] if made_of.space_first else []
    tokenizer.normalizer = normalizers.Sequence([*first, spaces])
    strip = [decoders.Strip(" ", 1, 0)] if made_of.space_first else []
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip]
    )
    _add_tokens(tokenizer, words, made_of)
    return tokenizer


def _merges(vocabulary: dict[str, int], made_of: SentencePieces) -> list[tuple[str, str]]:
    """Return every pair that makes a piece, those first whose piece has the highest score."""
    plain = (made_of.kinds != _BYTE) & (made_of.kinds != _CONTROL)
    best_first = np.argsort(-made_of.scores, kind="stable").tolist()
    words = list(vocabulary)
    return [
        pair
        for i in best_first
        if i < len(words) and plain[i] and 1 < len(words[i]) <= _LONGEST
        for pair in _halves(words[i])
        if pair[0] in vocabulary and pair[1] in vocabulary
    ]


def _halves(word: str) -> Iterator[tuple[str, str]]:
    for at in range(1, len(word)):
        yield word[:at], word[at:]


def _add_tokens(tokenizer: Tokenizer, words: Sequence[str], made_of: SentencePieces) -> None:
    """Name the tokens that are no text or are never cut, and put some around every text."""
    kinds = made_of.kinds.tolist()
    special = [word for word, kind in zip(words, kinds, strict=True) if kind == _CONTROL]
    whole = [word for word, kind in zip(words, kinds, strict=True) if kind == _USER_DEFINED]
    tokenizer.add_special_tokens(
        [AddedToken(word, special=True, normalized=False) for word in special]
    )
    tokenizer.add_tokens([AddedToken(word, normalized=False) for word in whole])
    around = [None if i is None else words[i] for i in made_of.ends]
    if any(around):
        template = " ".join(filter(None, (around[0], "$A", around[1])))
        named = [(words[i], i) for i in made_of.ends if i is not None]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=template, special_tokens=named
        )


def _end(fields: Fields, words: Strings, name: str, *, default: bool) -> int | None:
    if not field(fields, f"tokenizer.ggml.add_{name}_token", bool, default):
        return None
    token = field(fields, f"tokenizer.ggml.{name}_token_id", int)
    return _token(words, token, "begin with" if name == "bos" else "end with")


def _token(words: Strings, token: int, what: str) -> int:
    if not 0 <= token < len(words):
        raise ValueError(f"texts {what} token {token} of {len(words)}")
    return token
