"""From texts to tokens: what a tokenizer makes of one text or of two, within what a model reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from tokenizers import Encoding, Tokenizer

from attention.models.spelling import spelling, text_of
from attention.models.trace import Tokens

MAX_CHARACTERS = 20_000  # refused before tokenizing, so that a huge paste costs nothing

_Spans = tuple[tuple[int, int], ...]


def encoded(
    tokenizer: Tokenizer,
    text: str,
    limit: int,
    vocabulary: int,
    *,
    pair: str | None = None,
    control: bool = False,
) -> Tokens:
    """Return `text` as at most `limit` tokens with numbers below `vocabulary`.

    Parameters
    ----------
    pair : a second text; spans count on in it, behind a line break
    control : a token that is no word is special where it stands in the text, too, as those that
        open and close the turns of a chat

    Raises
    ------
    ValueError : the text is too long, the message has its length and the limit; or it is no text,
        or the tokenizer cannot read it, or knows a word that the model has no vector for.
    """
    texts = [_clean(each) for each in ((text,) if pair is None else (text, pair))]
    has = "The text has" if pair is None else "Both texts together have"
    if (length := sum(map(len, texts))) > MAX_CHARACTERS:
        raise ValueError(f"{has} {length:,} characters; the limit is {MAX_CHARACTERS:,}.")
    try:
        encoding = tokenizer.encode(texts[0], texts[1] if len(texts) > 1 else None)
    except Exception as error:  # the library raises nothing more exact
        raise ValueError(f"The tokenizer cannot read this text: {error}") from error
    if len(encoding) > limit:
        raise ValueError(f"{has} {len(encoding)} tokens; the model reads at most {limit} at once.")
    ids = np.asarray(encoding.ids, dtype=np.int64)
    if len(ids) and ids.max() >= vocabulary:
        raise ValueError(
            f"The tokenizer gives {encoding.tokens[ids.argmax()]!r} the number {ids.max():,}; the "
            f"model has {vocabulary:,} words."
        )
    second = len(texts[0]) + 1 if pair is not None else None
    spells, spans, whole = spelling(tokenizer), _spans(encoding, second), "\n".join(texts)
    return Tokens(
        text=whole,
        ids=ids,
        pieces=tuple(encoding.tokens),
        spans=spans,
        special=_special(tokenizer, encoding, control=control),
        texts=spells.texts(encoding.tokens),
        unknown=spells.unknown_in(encoding.ids, spans, whole),
        second=second,
        segments=() if pair is None else tuple(encoding.type_ids),
    )


def extended(tokenizer: Tokenizer, tokens: Tokens, ids: Sequence[int], limit: int) -> Tokens:
    """Return tokens with more behind them; each stands in the text where it makes it longer.

    Raises
    ------
    ValueError : there are more than `limit`.
    """
    if (count := len(tokens) + len(ids)) > limit:
        raise ValueError(f"The text has {count} tokens; the model reads at most {limit} at once.")
    spells, control = spelling(tokenizer), _control_tokens(tokenizer)
    pieces = [tokenizer.id_to_token(i) or f"#{i}" for i in ids]
    written = text_of(tokenizer, ids) if ids else ""
    # Bytes that make a character together are shorter than each by itself.
    lengths = [len(text_of(tokenizer, ids[:n])) if n else 0 for n in range(len(ids) + 1)]
    ends = [len(tokens.text) + min(lengths[n:]) for n in range(len(lengths))]
    return replace(
        tokens,
        text=tokens.text + written,
        ids=np.concatenate([tokens.ids, np.array(ids, np.int64)]),
        pieces=(*tokens.pieces, *pieces),
        spans=(*tokens.spans, *pairwise(ends)),
        special=(*tokens.special, *(i in control for i in ids)),
        texts=(*tokens.texts, *spells.texts(pieces)),
        unknown=(*tokens.unknown, *("" for _ in ids)),
    )


def _clean(text: Any) -> str:
    if not isinstance(text, str):
        raise ValueError(f"a text is one str, got {type(text).__name__}; trace each by itself")
    if len(text) > MAX_CHARACTERS:
        return text  # refused by its length
    # A lone surrogate is no character and has no UTF-8 form: show it as the replacement sign.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _spans(encoding: Encoding, second: int | None) -> _Spans:
    """Return where each token stands in both texts with a line break between them."""
    if second is None:
        return tuple(encoding.offsets)
    return tuple(
        (start + second, end + second) if which == 1 else (start, end)
        for (start, end), which in zip(encoding.offsets, encoding.sequence_ids, strict=True)
    )


def _special(tokenizer: Tokenizer, encoding: Encoding, *, control: bool) -> tuple[bool, ...]:
    added = map(bool, encoding.special_tokens_mask)
    if not control:
        return tuple(added)
    known = _control_tokens(tokenizer)
    return tuple(own or i in known for own, i in zip(added, encoding.ids, strict=True))


@lru_cache(maxsize=16)
def _control_tokens(tokenizer: Tokenizer) -> frozenset[int]:
    """Return the tokens that are no words, but for the one that stands for unknown words."""
    unknown = spelling(tokenizer).unknown
    found = tokenizer.get_added_tokens_decoder().items()
    own = {i for i, token in found if token.special}
    return frozenset(own - ({unknown[0]} if unknown else set()))
