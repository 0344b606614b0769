"""Tiny translators with random weights as Marian's files, written as `marian-conv` does."""

import struct

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from attention.models.marian_config import MarianConfig
from attention.models.marian_header import FLOAT32, INT8, TEXT

WORDS = ("the", "cat", "sat", "on", "mat", "dog", "ran", "away", "it", "was", "s", "where", "a")
PIECES = [("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0), *((f"▁{word}", -1.0) for word in WORDS)]
CONFIG = {
    "type": "transformer",
    "dim-vocabs": [len(PIECES), len(PIECES)],
    "dim-emb": 16,
    "enc-depth": 2,
    "dec-depth": 2,
    "dec-cell": "ssru",
    "tied-embeddings-all": True,
    "transformer-heads": 4,
    "transformer-dim-ffn": 24,
    "transformer-ffn-activation": "relu",
    "transformer-decoder-autoreg": "rnn",
    "transformer-tied-layers": [],
    "version": "v1.9.56 94aeaa46 2021-04-28 00:28:35 +0100",
}
TWO = {"tied-embeddings-all": False, "tied-embeddings": True, "dim-vocabs": [len(PIECES), 9]}
UNTIED = TWO | {"tied-embeddings": False}


def tensors(seed=0, **changes):
    """Return random tensors by the names of `MarianConfig`; gains are about 1."""
    rng = np.random.default_rng(seed)
    shapes = MarianConfig.from_dict(CONFIG | changes).shapes()
    made = {
        name: rng.normal(name.endswith("norm.weight"), 0.4, shape).astype("f4")
        for name, shape in shapes.items()
    }
    made["decoder.output.bias"][0] = -2  # so that it does not end at once
    return made


def as_text(config):
    """Return a configuration as Marian writes it."""

    def value(of):
        return str(of).lower() if isinstance(of, bool) else ('""' if of == "" else str(of))

    lines = [
        "\n".join([f"{name}:", *(f"  - {value(one)}" for one in of)])
        if isinstance(of, list) and of
        else f"{name}: {value(of)}"
        for name, of in config.items()
    ]
    return "\n".join(lines)


def rounded(tensor):
    """Return a tensor as int8 and the number that it was multiplied with."""
    scale = np.float32(127 / np.abs(tensor).max())
    return np.rint(tensor * scale).astype(np.int8), scale


def record(name, tensor, kind):
    """Return the type, the shape and the bytes of a tensor; matrices `(out, in)` come in."""
    matrix = tensor.ndim == 2 and not name.endswith("words.weight")
    shape = (1, *tensor.shape) if tensor.ndim == 1 else tensor.shape[:: -1 if matrix else 1]
    if tensor.ndim == 2 and kind == INT8:
        stored, scale = rounded(tensor)
        return INT8, shape, _filled(stored.tobytes() + struct.pack("<f", scale))
    return FLOAT32, shape, _filled((tensor.T if matrix else tensor).astype("<f4").tobytes())


def file_bytes(records, skip=8):
    """Return a file of `(name, type, shape, bytes)`."""
    names = [f"{name}\0".encode() for name, *_ in records]
    heads = [
        struct.pack("<4Q", len(name), kind, len(shape), len(data))
        for name, (_, kind, shape, data) in zip(names, records, strict=True)
    ]
    shapes = [struct.pack(f"<{len(shape)}i", *shape) for _, _, shape, _ in records]
    data = [data for *_, data in records]
    start = struct.pack("<QQ", 1, len(records))
    return b"".join([start, *heads, *names, *shapes, struct.pack("<Q", skip), bytes(skip), *data])


def records(weights=None, *, kind=INT8, extra=(), leave_out=(), **changes):
    """Return what a file has, by the names in it; `extra` records come on top."""
    config = CONFIG | changes
    spelled = MarianConfig.from_dict(config).file_name
    weights = tensors(**changes) if weights is None else weights
    found = [(spelled(name), *record(name, tensor, kind)) for name, tensor in weights.items()]
    text = f"{as_text(config)}\0".encode()
    found.append(("special:model.yml", TEXT, (len(text),), text))
    return [*(entry for entry in found if entry[0] not in leave_out), *extra]


def write(folder, weights=None, *, vocabulary="tokenizer.json", **options):
    """Write `model.tiny.bin` and its vocabulary; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tiny.bin").write_bytes(file_bytes(records(weights, **options)))
    if vocabulary == "tokenizer.json":
        tokenizer().save(str(folder / vocabulary))
    elif vocabulary:
        (folder / vocabulary).write_bytes(spm())
    return folder


def tokenizer():
    made = Tokenizer(models.Unigram(PIECES, unk_id=1))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    return made


def spm(pieces=None, *, trainer=b"", normalizer=b""):
    """Return a SentencePiece file of pieces `(text, score, kind)`."""
    if pieces is None:
        kinds = {"</s>": 3, "<unk>": 2}
        pieces = [(text, score, kinds.get(text, 1)) for text, score in PIECES]
    found = [
        field(1, field(1, text.encode()) + b"\x15" + struct.pack("<f", score) + b"\x18" + varint(k))
        for text, score, k in pieces
    ]
    return b"".join([*found, field(2, trainer), field(3, normalizer)])


def field(number, content):
    """Return a field of a protocol buffer: bytes with their length before them."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(number):
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def _filled(data):
    return data + bytes(-len(data) % 256)
