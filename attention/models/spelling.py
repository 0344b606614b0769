"""How a tokenizer spells text: the one place that knows its signs for spaces and bytes.

Vocabularies write the space before a word into its token, as `Ġcat` (byte-level BPE) or `▁cat`
(SentencePiece), and bytes that are no whole character as signs of their own or as `<0xE4>`. The
tokenizer's own decoder undoes that, token by token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from tokenizers import Tokenizer, decoders, pre_tokenizers

from attention.characters import joined, with_codes

_BEFORE = "a"  # decoders strip the space at the beginning of a text: nothing begins with a token
_BYTE = re.compile("<0x([0-9A-F]{2})>")


class Spelling:
    """What the tokens of one tokenizer say. Safe to share between threads."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Find out how this tokenizer writes spaces, bytes and words that it does not know."""
        decoder = tokenizer.decoder
        self._tokenizer = tokenizer
        # WordPiece marks the pieces that continue a word, not the spaces: `##s` stays `##s`.
        self._decoder = None if isinstance(decoder, decoders.WordPiece) else decoder
        self._added = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
        self.unknown = _unknown(tokenizer)
        first = (self._pieces(self._ids(space + "the"))[0] for space in ("", " "))
        self._adds_space, self._keeps_space = (text.startswith(" ") for text in first)

    def texts(self, pieces: Iterable[str]) -> tuple[str, ...]:
        """Return what each piece says, with the space before it.

        Bytes that are no whole character are surrogates: see `attention.characters`.
        """
        if self._decoder is None:
            return tuple(pieces)
        decode = self._decoder.decode
        return tuple(
            piece if piece in self._added else self._whole(piece, decode([_BEFORE, piece])[1:])
            for piece in pieces
        )

    def text(self, ids: Sequence[int]) -> str:
        """Return what tokens say together; one that the tokenizer does not know, its number."""
        gap = "" if self._decoder else " "  # without a decoder every token is a word
        return joined(gap.join(self._pieces(ids)))

    def after_space(self, word: str) -> list[int]:
        """Return the tokens of a word inside a text, where a space comes before it."""
        return self._ids(f" {word}" if self._keeps_space and not self._adds_space else word)

    def words(self) -> dict[int, str]:
        """Return the whole words of the vocabulary, by their tokens: letters only."""
        vocabulary = self._tokenizer.get_vocab()
        start = " " if self._keeps_space or self._adds_space else ""
        said = zip(vocabulary.values(), self.texts(vocabulary), strict=True)
        return {
            i: text.removeprefix(start)
            for i, text in said
            if text.startswith(start) and text.removeprefix(start).isalpha()
        }

    def unknown_in(
        self, ids: Sequence[int], spans: Sequence[tuple[int, int]], text: str
    ) -> tuple[str, ...]:
        """Return for each token how an unknown word is spelled if it is one, else nothing.

        A reader who types that very spelling means it.
        """
        if self.unknown is None:
            return ("",) * len(ids)
        number, name = self.unknown
        return tuple(
            name if i == number and text[slice(*span)].strip() != name else ""
            for i, span in zip(ids, spans, strict=True)
        )

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _pieces(self, ids: Sequence[int]) -> list[str]:
        """Return what each token says; of one that the tokenizer does not know, its number."""
        known = self.texts(self._tokenizer.id_to_token(i) or "" for i in ids)
        return [text or f"#{i}" for text, i in zip(known, ids, strict=True)] or [""]

    def _whole(self, piece: str, decoded: str) -> str:
        """Return what a piece says: what is decoded, or its bytes where that is not possible."""
        if "\ufffd" not in decoded:
            return decoded
        if byte := _BYTE.fullmatch(piece):
            return chr(0xDC00 + int(byte[1], 16))
        return said_by_bytes(piece, decoded)


@lru_cache(maxsize=16)
def spelling(tokenizer: Tokenizer) -> Spelling:
    """Return how a tokenizer spells; it is found out once."""
    return Spelling(tokenizer)


def text_of(tokenizer: Tokenizer, ids: Sequence[int]) -> str:
    """Return what tokens say together; bytes that make no whole character as `<F0>`.

    A token that the tokenizer does not know is shown as its number.
    """
    return with_codes(spelling(tokenizer).text(ids))


def said_by_bytes(piece: str, otherwise: str | None = None) -> str:
    """Return what a piece of byte-level BPE says; another one is returned as it is, or `otherwise`.

    >>> said_by_bytes("Ġcat"), said_by_bytes("▁cat")
    (' cat', '▁cat')
    """
    signs = _byte_signs()
    if not signs.keys() >= set(piece):
        return piece if otherwise is None else otherwise
    return bytes(signs[sign] for sign in piece).decode(errors="surrogateescape")


def _unknown(tokenizer: Tokenizer) -> tuple[int, str] | None:
    """Return the token that stands for any unknown word, if there is one."""
    if hasattr(tokenizer.model, "unk_token"):
        name = tokenizer.model.unk_token
        number = tokenizer.token_to_id(name) if name else None
    else:  # a Unigram model tells only in its file
        number = json.loads(tokenizer.to_str())["model"].get("unk_id")
    return None if number is None else (number, str(tokenizer.id_to_token(number)))


@lru_cache(maxsize=1)
def _byte_signs() -> dict[str, int]:
    """Return the byte that each sign of byte-level BPE stands for.

    Bytes that are printable characters of Latin-1 stand for themselves, the others in their order
    for the characters from U+0100 on. Source: Radford et al. 2019, `bytes_to_unicode` of GPT-2.
    """
    signs = sorted(pre_tokenizers.ByteLevel.alphabet())
    own = {sign: ord(sign) for sign in signs if ord(sign) < 256}
    left = sorted(set(range(256)) - set(own.values()))
    return own | dict(zip(signs[len(own) :], left, strict=True))
