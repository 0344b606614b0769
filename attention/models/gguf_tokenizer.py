"""The tokenizer of a GGUF file, from the file's own metadata."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors

from attention.models.gguf_header import Fields, Strings, field

_LLAMA_3_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LLAMA_3 = "llama-bpe"
_SPLITTERS: dict[str, list[pre_tokenizers.PreTokenizer]] = {
    "gpt-2": [],
    "smollm": [pre_tokenizers.Digits(individual_digits=True)],
    _LLAMA_3: [pre_tokenizers.Split(Regex(_LLAMA_3_WORDS), behavior="isolated")],
}
_OTHER_TOKENIZERS = {
    "llama": "SentencePiece BPE",
    "bert": "WordPiece",
    "t5": "SentencePiece unigram",
    "rwkv": "greedy",
    "none": "no tokenizer",
}
_CONTROL = 3  # the type of tokens that are no text


class Parts(NamedTuple):
    """What a byte-level BPE tokenizer is made of."""

    words: Strings
    merges: Strings
    before: str  # how texts are split into words
    first: int | None  # the token that every text begins with


def parts(fields: Fields) -> Parts:
    """Return the parts of the tokenizer; `ValueError` where it is of another kind."""
    kind = field(fields, "tokenizer.ggml.model", str)
    if kind != "gpt2":
        name = _OTHER_TOKENIZERS.get(kind, "not known here")
        raise ValueError(
            f"its tokenizer is of the kind {kind!r} ({name}); only 'gpt2' (byte-level BPE) is read"
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
    return Parts(words, field(fields, "tokenizer.ggml.merges", Strings), before, first)


def tokenizer_of(fields: Fields) -> Tokenizer:
    """Return the byte-level BPE tokenizer that the metadata describes.

    Raises
    ------
    ValueError : it is of another kind, or its parts do not fit together.
    """
    made_of = parts(fields)
    words, llama_3 = made_of.words.read(), made_of.before == _LLAMA_3
    merges: list[Any] = [tuple(pair.split(" ", 1)) for pair in made_of.merges.read()]
    try:
        vocabulary = {word: i for i, word in enumerate(words)}
        tokenizer = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=llama_3))
        _add_special(tokenizer, fields, words, made_of.first)
    except Exception as error:  # the library raises nothing more exact
        raise ValueError(f"the parts of the tokenizer do not fit together: {error}") from error
    # `use_regex` is GPT-2's own rule for words
    bytes_in = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not llama_3)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*_SPLITTERS[made_of.before], bytes_in])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _add_special(tokenizer: Tokenizer, fields: Fields, words: list[str], first: int | None) -> None:
    """Name the tokens that are no text, and put the first one before every text."""
    kinds = field(fields, "tokenizer.ggml.token_type", np.ndarray, np.zeros(0))
    special = [word for word, kind in zip(words, kinds, strict=False) if kind == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(word, special=True) for word in special])
    if first is not None:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{words[first]} $A", special_tokens=[(words[first], first)]
        )
