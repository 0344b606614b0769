"""Models of unusual sizes and tokenizers, as folders that a registry could find.

One layer, one head, one number a head, 16 positions; tokens that span words, and tokens that are
letters: whatever a page takes for granted of its model fails with one of them.
"""

from tokenizers import Tokenizer, models

from tests.models import tiny

POSITIONS = 16
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ' ,.?"
SPANNING = ("the cat", " sat on", " the mat", " it was", "I went", " to the")
ONE = {
    "bert": {"num_hidden_layers": 1, "num_attention_heads": 1, "hidden_size": 4,
             "max_position_embeddings": POSITIONS},
    "gpt2": {"n_layer": 1, "n_head": 1, "n_embd": 4, "n_positions": POSITIONS},
    "llama": {"num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1,
              "hidden_size": 4, "max_position_embeddings": POSITIONS},
}  # fmt: skip
THIN = {"num_attention_heads": 4, "hidden_size": 4, "max_position_embeddings": 64}
PIECES = {  # name -> kind, its tokens, and how many of them it reads
    "spanning-bert": ("bert", (*SPANNING, *LETTERS), {"max_position_embeddings": 256}),
    "spanning-llama": ("llama", (*SPANNING, *LETTERS), {"max_position_embeddings": POSITIONS}),
    "letters-gpt2": ("gpt2", LETTERS, {"n_positions": 256}),
    "one-token-bert": ("bert", ("a",), {"max_position_embeddings": 512}),
}
NAMES = (*(f"one-{kind}" for kind in ONE), "thin-bert", *PIECES)


def write_all(folder):
    """Write every model into a folder of its own."""
    for kind, sizes in ONE.items():
        tiny.write(folder / f"one-{kind}", kind, **sizes)
    tiny.write(folder / "thin-bert", "bert", **THIN)
    for name, (kind, pieces, sizes) in PIECES.items():
        tiny.write(folder / name, kind, vocab_size=len(pieces) + 1, **sizes)
        _tokenizer(pieces).save(str(folder / name / "tokenizer.json"))


def _tokenizer(pieces):
    """Return one whose tokens are these pieces wherever they stand, long ones before letters."""
    scores = [("[UNK]", -99.0), *((piece, -1.0 if len(piece) > 1 else -9.0) for piece in pieces)]
    return Tokenizer(models.Unigram(scores, unk_id=0))
