"""What a decoder has written, as a text and its tokens."""

from __future__ import annotations

from itertools import accumulate, pairwise

from tokenizers import Tokenizer

from attention.arrays import Array
from attention.characters import joined, with_codes
from attention.models.spelling import spelling
from attention.models.trace import Tokens


def target_tokens(ids: Array, tokenizer: Tokenizer, end: int) -> Tokens:
    """Return tokens `(T,)` with the text that they spell; `end` is no part of it."""
    special = tuple(i == end for i in ids.tolist())
    pieces = tuple(tokenizer.id_to_token(i) or f"#{i}" for i in ids.tolist())
    texts = spelling(tokenizer).texts(pieces)
    said = ["" if own else text for own, text in zip(special, texts, strict=True)]
    whole = joined("".join(said))
    space = len(whole) - len(whole.lstrip(" "))
    ends = [max(len(joined(text)) - space, 0) for text in accumulate(said, initial="")]
    spans = zip(special, pairwise(ends), strict=True)
    return Tokens(
        text=with_codes(whole[space:]),
        ids=ids,
        pieces=pieces,
        spans=tuple((0, 0) if own else span for own, span in spans),
        special=special,
        texts=texts,
    )
