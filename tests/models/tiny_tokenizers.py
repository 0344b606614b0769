"""Small tokenizers of the kinds that models come with: each knows a few English words."""

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.processors import ByteLevel, TemplateProcessing

from attention.models import encoding
from tests.models import tiny

WORDS = ("The", "the", "cat", "sat", "on", "mat", "it", "was", "river", "bank")
_BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def _merges(words):
    """Return the pairs that make whole words of letters, and all that they make."""
    pairs = [(word[:end], word[end]) for word in words for end in range(1, len(word))]
    pairs = list(dict.fromkeys(pairs))
    return pairs, [one + other for one, other in pairs]


def sentencepiece(prepend="legacy"):
    """Return BPE with `▁` for spaces and bytes for what it does not know, as Llama 1 and 2 have.

    `prepend` says how a space comes before a text: by the normalizer, as the files of Llama 2 say
    ("legacy"), or as in `Metaspace`.
    """
    pairs, made = _merges([f"▁{word}" for word in WORDS])
    letters = sorted({letter for word in WORDS for letter in f"▁{word}"})
    vocabulary = ["<unk>", "<s>", "</s>", *_BYTES, *letters, *made]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(vocabulary))}
    tokenizer = Tokenizer(
        models.BPE(vocabulary, pairs, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    if prepend == "legacy":
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend, split=False)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
         decoders.Strip(" ", 1, 0)]
    )  # fmt: skip
    special = [AddedToken(name, normalized=False) for name in ("<unk>", "<s>", "</s>")]
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def byte_level(*, trim=False):
    """Return BPE over bytes with `Ġ` for spaces, as GPT-2 and SmolLM2 have."""
    pairs, made = _merges([*(f"Ġ{word}" for word in WORDS), *WORDS])
    vocabulary = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *made]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(vocabulary))}
    tokenizer = Tokenizer(models.BPE(vocabulary, pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if trim:
        tokenizer.post_processor = ByteLevel(trim_offsets=True)
    return tokenizer


def unigram():
    """Return words with `▁` before them, one token for all others, as multilingual BERTs have."""
    words = [
        ("<unk>", 0.0),
        ("▁", -3.0),
        *((f"▁{word}", -1.0) for word in WORDS),
        ("s", -2.0),
        (".", -2.0),
    ]
    tokenizer = Tokenizer(models.Unigram(words, unk_id=0, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def word_level():
    """Return whole words without pieces, spaces left out."""
    vocabulary = {word: i for i, word in enumerate([*WORDS, "[UNK]"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


MAKERS = {
    "sentencepiece": sentencepiece,
    "metaspace": lambda: sentencepiece("first"),
    "no prefix": lambda: sentencepiece("never"),
    "bytes": byte_level,
    "trimmed bytes": lambda: byte_level(trim=True),
    "unigram": unigram,
    "words": word_level,
}


def write_model(folder, architecture, kind, **changes):
    """Write a tiny model of an architecture with one of these tokenizers; return the folder."""
    tokenizer = MAKERS[kind]()
    longest = "n_positions" if architecture == "gpt2" else "max_position_embeddings"
    sizes = {longest: 128, "vocab_size": tokenizer.get_vocab_size(), **changes}
    tiny.write(folder, architecture, **sizes)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def tokens(kind, text):
    """Return a text as one of these tokenizers reads it."""
    tokenizer = MAKERS[kind]()
    return encoding.encoded(tokenizer, text, 10_000, tokenizer.get_vocab_size())
