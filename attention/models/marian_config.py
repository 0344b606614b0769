"""What a Marian file says of its model: sizes, and the names and shapes of its tensors.

Computed is what the students of Bergamot and Firefox are, of any size: an encoder as in Vaswani et
al. 2017, and a decoder whose layers have a recurrent cell (SSRU) in place of self-attention.
Source: Kim et al. 2019, "From research to production and back: ludicrously fast neural machine
translation", section 3; Marian's own names and defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from attention.models import settings
from attention.models.config import Config

_DEFAULTS = {  # Marian's own
    "type": "amun",
    "dim-emb": 512,
    "enc-depth": 6,
    "dec-depth": 6,
    "dec-cell": "gru",
    "tied-embeddings": False,
    "tied-embeddings-src": False,
    "tied-embeddings-all": False,
    "transformer-heads": 8,
    "transformer-dim-ffn": 2_048,
    "transformer-ffn-activation": "swish",
    "transformer-decoder-autoreg": "self-attention",
}
_COMPUTED = {
    "type": "transformer",
    "transformer-decoder-autoreg": "rnn",
    "dec-cell": "ssru",
    "transformer-preprocess": "",
    "transformer-postprocess": "dan",
    "transformer-postprocess-emb": "d",
    "transformer-postprocess-top": "",
    "transformer-ffn-activation": "relu",
    "transformer-ffn-depth": 2,
    "transformer-decoder-ffn-depth": (2, 0),
    "transformer-decoder-dim-ffn": 0,
    "transformer-tied-layers": [],
    "transformer-no-projection": False,
    "transformer-rnn-projection": False,
    "transformer-train-position-embeddings": False,
    "transformer-no-bias": False,
    "transformer-no-affine": False,
    "transformer-pool": False,
    "output-omit-bias": False,
    "layer-normalization": False,
    "lemma-dim-emb": 0,
    "input-types": [],
    "right-left": False,
    "skip": False,
    "ulr": False,
}
_MOST_POSITIONS = 4_096  # positions are sines, which have no end
_LINE = re.compile(r"([\w-]+): ?(.*)")
_NAMES = {  # what a part of a layer is called here and, behind the layer's number, in a file
    "attention.query.weight": "self_Wq",
    "attention.query.bias": "self_bq",
    "attention.key.weight": "self_Wk",
    "attention.key.bias": "self_bk",
    "attention.value.weight": "self_Wv",
    "attention.value.bias": "self_bv",
    "attention.output.weight": "self_Wo",
    "attention.output.bias": "self_bo",
    "attention.norm.weight": "self_Wo_ln_scale",
    "attention.norm.bias": "self_Wo_ln_bias",
    "recurrent.candidate.weight": "rnn_W",
    "recurrent.forget.weight": "rnn_Wf",
    "recurrent.forget.bias": "rnn_bf",
    "recurrent.norm.weight": "rnn_ffn_ln_scale",
    "recurrent.norm.bias": "rnn_ffn_ln_bias",
    "mlp.inner.weight": "ffn_W1",
    "mlp.inner.bias": "ffn_b1",
    "mlp.outer.weight": "ffn_W2",
    "mlp.outer.bias": "ffn_b2",
    "mlp.norm.weight": "ffn_ffn_ln_scale",
    "mlp.norm.bias": "ffn_ffn_ln_bias",
}


@dataclass(frozen=True, kw_only=True)
class MarianConfig(Config):
    """The sizes of a translation model; those without a name of their own are the encoder's."""

    decoder_layers: int
    target_vocab_size: int
    shared_embeddings: bool  # one table of vectors for source and target
    tied_output: bool  # next words are scored by the target's vectors

    def __post_init__(self) -> None:
        """Refuse sizes that no such model has."""
        super().__post_init__()
        settings.whole_number(vars(self), "decoder_layers", 1_000)
        settings.whole_number(vars(self), "target_vocab_size", 4_000_000)
        if self.hidden_size % 2:
            raise ValueError(f"a width of {self.hidden_size} has no room for sines and cosines")
        if self.shared_embeddings and self.target_vocab_size != self.vocab_size:
            raise ValueError(
                f"dim-vocabs are {self.vocab_size} and {self.target_vocab_size}, which cannot be "
                "one table"
            )

    @classmethod
    def from_dict(cls, config: dict[str, Any]) -> Self:
        """Take the sizes from a file's configuration; refuse what is not computed here."""
        config = settings.complete(config, _DEFAULTS)
        settings.check_settings(config, _COMPUTED)
        heads, width = settings.heads_and_width(config, "transformer-heads", "dim-emb")
        words = config.get("dim-vocabs")
        if not isinstance(words, list) or len(words) != 2:
            raise ValueError(f"dim-vocabs must be two numbers, got {words!r}")
        one_table = bool(config["tied-embeddings-all"])
        return cls(
            num_hidden_layers=settings.whole_number(config, "enc-depth"),
            num_attention_heads=heads,
            num_key_value_heads=heads,
            head_dim=width // heads,
            hidden_size=width,
            intermediate_size=settings.whole_number(config, "transformer-dim-ffn"),
            vocab_size=words[0],
            max_position_embeddings=_MOST_POSITIONS,
            norm_eps=1e-9,
            decoder_layers=settings.whole_number(config, "dec-depth"),
            target_vocab_size=words[1],
            shared_embeddings=one_table or bool(config["tied-embeddings-src"]),
            tied_output=one_table or bool(config["tied-embeddings"]),
        )

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every tensor; matrices are `(out, in)`."""
        width, target = self.hidden_size, self.target_vocab_size
        shapes: dict[str, tuple[int, ...]] = {"words.weight": (self.vocab_size, width)}
        if not self.shared_embeddings:
            shapes["decoder.words.weight"] = (target, width)
        if not self.tied_output:
            shapes["decoder.output.weight"] = (target, width)
        shapes["decoder.output.bias"] = (target,)
        encoder = self._attention() | self._mlp()
        decoder = self._recurrent() | self._attention() | self._mlp()
        for side, layers, parts in (
            ("encoder", self.num_hidden_layers, encoder),
            ("decoder", self.decoder_layers, decoder),
        ):
            for layer in range(layers):
                shapes |= {f"{side}.{layer}.{part}": shape for part, shape in parts.items()}
        return shapes

    def file_name(self, name: str) -> str:
        """Return what a tensor of `shapes` is called in a file.

        Layers count from 1 there, and the decoder's attention is called its context.
        """
        if name.endswith("words.weight"):
            side = "decoder" if name.startswith("decoder") else "encoder"
            return "Wemb" if self.shared_embeddings else f"{side}_Wemb"
        if name.startswith("decoder.output"):
            return f"decoder_ff_logit_out_{'W' if name.endswith('weight') else 'b'}"
        side, layer, part = name.split(".", 2)
        theirs = _NAMES[part]
        if side == "decoder":
            theirs = theirs.replace("self_", "context_")
        return f"{side}_l{int(layer) + 1}_{theirs}"

    def _attention(self) -> dict[str, tuple[int, ...]]:
        parts = (f"attention.{part}" for part in ("query", "key", "value", "output"))
        return _linear(dict.fromkeys(parts, (self.hidden_size,) * 2)) | _norm(
            "attention", self.hidden_size
        )

    def _mlp(self) -> dict[str, tuple[int, ...]]:
        width, inner = self.hidden_size, self.intermediate_size
        matrices = {"mlp.inner": (inner, width), "mlp.outer": (width, inner)}
        return _linear(matrices) | _norm("mlp", width)

    def _recurrent(self) -> dict[str, tuple[int, ...]]:
        square = (self.hidden_size,) * 2
        shapes: dict[str, tuple[int, ...]] = {"recurrent.candidate.weight": square}
        return shapes | _linear({"recurrent.forget": square}) | _norm("recurrent", square[0])


def read_settings(text: str) -> dict[str, Any]:
    """Return the settings in a file's configuration: lines `name: value`, and lists of `- value`.

    Raises
    ------
    ValueError : a line is neither; the message has it.

    >>> read_settings("enc-depth: 6\\nskip: false\\ndim-vocabs:\\n  - 32000\\n  - 500\\n")
    {'enc-depth': 6, 'skip': False, 'dim-vocabs': [32000, 500]}
    """
    found: dict[str, Any] = {}
    name = ""
    for line in text.splitlines():
        if line.strip().startswith("- ") and isinstance(found.get(name), list):
            found[name].append(_value(line.strip()[2:]))
        elif match := _LINE.fullmatch(line.rstrip()):
            name, value = match.groups()
            found[name] = _value(value) if value else []
        elif line.strip():
            raise ValueError(f"its configuration has a line {line[:100]!r}, which is not read")
    return found


def _value(text: str) -> Any:
    text = text.strip()
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    return [] if text == "[]" else text.strip("\"'")


def _norm(part: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{part}.norm.weight": (width,), f"{part}.norm.bias": (width,)}


def _linear(matrices: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, ...]]:
    return {
        f"{part}.{kind}": shape if kind == "weight" else shape[:1]
        for part, shape in matrices.items()
        for kind in ("weight", "bias")
    }
