"""The tokenizer of a GGUF file, from the file's own metadata."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

from attention.arrays import Array
from attention.models import gguf_sentencepiece
from attention.models.gguf_header import Fields, Strings, field

_LLAMA_3_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN_WORDS = _LLAMA_3_WORDS.replace(r"\p{N}{1,3}", r"\p{N}")
_LLAMA_3, _QWEN = "llama-bpe", "qwen2"
_SPLITTERS: dict[str, list[pre_tokenizers.PreTokenizer]] = {
    "gpt-2": [],
    "smollm": [pre_tokenizers.Digits(individual_digits=True)],
    _LLAMA_3: [pre_tokenizers.Split(Regex(_LLAMA_3_WORDS), behavior="isolated")],
    _QWEN: [pre_tokenizers.Split(Regex(_QWEN_WORDS), behavior="isolated")],
}
_OTHER_TOKENIZERS = {
    "bert": "WordPiece",
    "t5": "SentencePiece unigram",
    "rwkv": "greedy",
    "none": "no tokenizer",
}
_SENTENCEPIECE = "llama"
_CONTROL, _USER_DEFINED = 3, 4  # types of tokens: no text; never cut


class Parts(NamedTuple):
    """What a byte-level BPE tokenizer is made of."""

    words: Strings
    merges: Strings
    before: str  # how texts are split into words
    first: int | None  # the token that every text begins with
    kinds: Array  # (V,), or none


def check_tokenizer(fields: Fields) -> None:
    """Refuse a tokenizer of another kind, or parts of it that cannot be right."""
    if field(fields, "tokenizer.ggml.model", str) == _SENTENCEPIECE:
        gguf_sentencepiece.sentencepiece_parts(fields)
    else:
        _byte_level_parts(fields)


def _byte_level_parts(fields: Fields) -> Parts:
    kind = field(fields, "tokenizer.ggml.model", str)
    if kind != "gpt2":
        name = _OTHER_TOKENIZERS.get(kind, "not known here")
        raise ValueError(
            f"its tokenizer is of the kind {kind!r} ({name}); 'gpt2' (byte-level BPE) and 'llama' "
            "(SentencePiece BPE) are read"
        )
    before = field(fields, "tokenizer.ggml.pre", str)
    if before not in _SPLITTERS:
        raise ValueError(
            f"its tokenizer splits texts as {before!r} does; known are {', '.join(_SPLITTERS)}"
        )
    words = field(fields, "tokenizer.ggml.tokens", Strings)
    first = None
    if field(fields, "tokenizer.ggml.add_bos_token", bool, before == _LLAMA_3):
        first = field(fields, "tokenizer.ggml.bos_token_id", int)
        if not 0 <= first < len(words):
            raise ValueError(f"texts begin with token {first} of {len(words)}")
    merges = field(fields, "tokenizer.ggml.merges", Strings)
    kinds = field(fields, "tokenizer.ggml.token_type", np.ndarray, np.zeros(0))
    return Parts(words, merges, before, first, kinds)


def tokenizer_of(fields: Fields) -> Tokenizer:
    """Return the tokenizer that the metadata describes.

    Raises
    ------
    ValueError : it is of another kind, or its parts do not fit together.
    """
    try:
        if field(fields, "tokenizer.ggml.model", str) == _SENTENCEPIECE:
            return gguf_sentencepiece.sentencepiece_tokenizer(
                gguf_sentencepiece.sentencepiece_parts(fields)
            )
        return _byte_level(fields)
    except ValueError:
        raise
    except Exception as error:  # the library raises nothing more exact
        raise ValueError(f"the parts of the tokenizer do not fit together: {error}") from error


def _byte_level(fields: Fields) -> Tokenizer:
    made_of = _byte_level_parts(fields)
    words, llama_3 = made_of.words.read(), made_of.before == _LLAMA_3
    merges: list[Any] = [tuple(pair.split(" ", 1)) for pair in made_of.merges.read()]
    vocabulary = {word: i for i, word in enumerate(words)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=llama_3))
    _add_special(tokenizer, words, made_of)
    if made_of.before == _QWEN:
        tokenizer.normalizer = normalizers.NFC()
    # `use_regex` is GPT-2's own rule for words
    own_rule = made_of.before not in (_LLAMA_3, _QWEN)
    bytes_in = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=own_rule)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*_SPLITTERS[made_of.before], bytes_in])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _add_special(tokenizer: Tokenizer, words: list[str], made_of: Parts) -> None:
    """Name the tokens that are no text, and put the first one before every text."""
    kinds, first = made_of.kinds.tolist(), made_of.first
    special = [word for word, kind in zip(words, kinds, strict=False) if kind == _CONTROL]
    whole = [word for word, kind in zip(words, kinds, strict=False) if kind == _USER_DEFINED]
    tokenizer.add_special_tokens([AddedToken(word, special=True) for word in special])
    tokenizer.add_tokens([AddedToken(word, normalized=False) for word in whole])
    if first is not None:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{words[first]} $A", special_tokens=[(words[first], first)]
        )
