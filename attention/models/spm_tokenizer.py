"""SentencePiece vocabularies (`.spm`) as tokenizers: Unigram, read from the file's own bytes.

The file is a protocol buffer: fields of a number and a wire type, nested. Source of the format:
github.com/google/sentencepiece, src/sentencepiece_model.proto; of the scores: Kudo 2018, "Subword
regularization", section 3.2.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

from attention.models import files

END = "</s>"

_UNIGRAM = 1
_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = range(1, 7)
_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3  # fields of the file
_MOST_PIECES = 1_000_000
_FLOAT = struct.Struct("<f").unpack
_Value = int | bytes


class Piece(NamedTuple):
    """An entry of the vocabulary."""

    text: str
    score: float  # its log-probability
    kind: int = _NORMAL


def load_spm(path: Path) -> Tokenizer:
    """Return the tokenizer that a SentencePiece file describes; texts end with `</s>`.

    Raises
    ------
    ValueError : the file is damaged, or of another kind; says which file and why.
    """
    try:
        if not os.path.isfile(path):  # a pipe would be waited for without end
            raise ValueError("it is not a file")
        if path.stat().st_size > files.SMALL_FILE:
            raise ValueError(f"more than {files.SMALL_FILE:,} bytes")
        return _tokenizer(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path.name}: {files.shortened(error)}") from error


def ending(tokenizer: Tokenizer) -> Tokenizer:
    """Let every text end with `</s>`, and let no text that is typed make that token.

    Raises
    ------
    ValueError : the tokenizer knows no such token.
    """
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, end_of(tokenizer))]
    )
    apart = pre_tokenizers.Split(Regex(f"{END[0]}(?={re.escape(END[1:])})"), "isolated")
    before = tokenizer.pre_tokenizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([before, apart] if before else [apart])
    return tokenizer


def end_of(tokenizer: Tokenizer) -> int:
    """Return the token `</s>`; `ValueError` where there is none."""
    end = tokenizer.token_to_id(END)
    if end is None:
        raise ValueError(f"its vocabulary has no {END}")
    return int(end)


def _tokenizer(data: bytes) -> Tokenizer:
    pieces: list[Piece] = []
    trainer = normalizer = b""
    for number, value in _fields(data):
        if number == _PIECES:
            pieces.append(_piece(value))
        elif number == _TRAINER:
            trainer = _bytes(value)
        elif number == _NORMALIZER:
            normalizer = _bytes(value)
    _check(pieces, dict(_fields(trainer)))
    return ending(_unigram(pieces, dict(_fields(normalizer))))


def _check(pieces: list[Piece], trainer: dict[int, _Value]) -> None:
    if not 0 < len(pieces) <= _MOST_PIECES:
        raise ValueError(f"a vocabulary of {len(pieces):,} pieces; expected are 1 to 1,000,000")
    if (kind := trainer.get(3, _UNIGRAM)) != _UNIGRAM:
        raise ValueError(f"its model is of type {kind!r}; only Unigram (type {_UNIGRAM}) is read")
    if trainer.get(24, 0):
        raise ValueError("it writes spaces behind words, which is not read here")
    texts = {piece.text for piece in pieces}
    if len(texts) < len(pieces):
        raise ValueError("it has a piece twice")


def _unigram(pieces: list[Piece], normalizer: dict[int, _Value]) -> Tokenizer:
    unknown = [i for i, piece in enumerate(pieces) if piece.kind == _UNKNOWN]
    if len(unknown) != 1:
        raise ValueError(f"it has {len(unknown)} pieces for unknown words; expected is 1")
    best = max(piece.score for piece in pieces)
    has_bytes = any(piece.kind == _BYTE for piece in pieces)
    scored = [(piece.text, _score(piece, best)) for piece in pieces]
    try:
        tokenizer = Tokenizer(models.Unigram(scored, unknown[0], has_bytes))
        tokenizer.normalizer = _normalizer(normalizer)
    except Exception as error:  # the library raises nothing more exact
        raise ValueError(f"its parts do not fit together: {error}") from error
    scheme = "always" if normalizer.get(3, 1) else "never"
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", scheme)
    spaces = decoders.Metaspace("▁", scheme)
    tokenizer.decoder = (
        decoders.Sequence([decoders.ByteFallback(), spaces, decoders.Fuse()])
        if has_bytes
        else spaces
    )
    return tokenizer


def _score(piece: Piece, best: float) -> float:
    """Return what a piece is worth: one that a user has defined is always taken."""
    return len(piece.text) * best - 0.1 if piece.kind == _USER_DEFINED else piece.score


def _normalizer(settings: dict[int, _Value]) -> normalizers.Normalizer:
    charsmap = _bytes(settings.get(2, b""))
    parts: list[normalizers.Normalizer] = []
    if charsmap:
        parts.append(normalizers.Precompiled(charsmap))
    if settings.get(4, 1):  # extra spaces are removed
        parts += [normalizers.Replace(Regex(" {2,}"), " "), normalizers.Strip()]
    return normalizers.Sequence(parts)


def _piece(value: _Value) -> Piece:
    fields = dict(_fields(_bytes(value)))
    score = fields.get(2, 0)
    number = float(_FLOAT(_bytes(score))[0]) if score else 0.0
    if not abs(number) < 1e6:  # NaN is not, either
        raise ValueError(f"a piece has the score {number}")
    kind = fields.get(3, _NORMAL)
    if kind not in range(_NORMAL, _BYTE + 1):
        raise ValueError("a piece is of a kind that is not read here")
    return Piece(str(_bytes(fields.get(1, b"")), "utf-8"), number, int(kind))


def _bytes(value: _Value) -> bytes:
    if isinstance(value, int):
        raise ValueError("a field has a number where text is expected")
    return value


def _fields(data: bytes) -> Iterator[tuple[int, _Value]]:
    """Yield the number of each field and its value; numbers of four or eight bytes as bytes."""
    place, end = 0, len(data)
    while place < end:
        key, place = _varint(data, place)
        wire = key & 7
        if wire == 0:
            value, place = _varint(data, place)
            yield key >> 3, value
            continue
        if wire == 2:
            size, place = _varint(data, place)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"it has a field of wire type {wire}, which is not read")
        if size > end - place:
            raise ValueError(f"claims {size:,} bytes at {place:,}; there are {end:,}")
        yield key >> 3, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and the place behind it."""
    if place < len(data) and data[place] < 128:  # as nearly all are
        return data[place], place + 1
    number = 0
    for at, byte in enumerate(data[place : place + 10]):
        number |= (byte & 127) << 7 * at
        if byte < 128:
            return number, place + at + 1
    raise ValueError("a number has no end")
