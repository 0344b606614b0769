"""BERT's relatives: how each names its parts, and what it does otherwise.

A family is one row of a table; `BertConfig` is what a row and a file say together. Sources: Liu et
al. 2019, "RoBERTa"; Conneau et al. 2020, "XLM-R"; Martin et al. 2020, "CamemBERT"; Sanh et al.
2019, "DistilBERT"; Clark et al. 2020, "ELECTRA", section 3.2; Song et al. 2020, "MPNet", section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from attention.models import activations, settings
from attention.models.architecture import Names
from attention.models.config import Config

_SIZES = {
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "hidden_size": 768,
    "intermediate_size": 3_072,
    "vocab_size": 30_522,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
    "pad_token_id": 1,
}
_NAMES = Names(
    words="embeddings.word_embeddings",
    layer="encoder.layer",
    qkv="attention.qkv",
    w_o="attention.output.dense",
    attention_norm="attention.output.LayerNorm",
    mlp_norm="output.LayerNorm",
    mlp_in="intermediate.dense",
    mlp_out="output.dense",
)
_QKV = ("attention.self.query", "attention.self.key", "attention.self.value")
_COMPUTED = {"position_embedding_type": "absolute", "is_decoder": False, "per_layer_config": None}


class BertFamily(NamedTuple):
    """What is the same in all models of one `model_type`."""

    name: str  # as people say it
    defaults: Mapping[str, Any] = {}  # of the configuration class of transformers
    aliases: Mapping[str, str] = {}  # its names of settings, and those of BERT
    names: Names = _NAMES
    qkv_parts: tuple[str, str, str] = _QKV
    after_padding: bool = False  # positions are counted from behind the padding's number
    projects: bool = False  # embeddings may be narrower than the stream
    distances: bool = False  # every score has a learned bias for how far apart its tokens are


_DISTILBERT = BertFamily(
    "DistilBERT",
    {"num_hidden_layers": 6, "type_vocab_size": 0},
    {"n_layers": "num_hidden_layers", "n_heads": "num_attention_heads", "dim": "hidden_size",
     "hidden_dim": "intermediate_size", "activation": "hidden_act"},
    names=_NAMES._replace(
        layer="transformer.layer", w_o="attention.out_lin", attention_norm="sa_layer_norm",
        mlp_norm="output_layer_norm", mlp_in="ffn.lin1", mlp_out="ffn.lin2",
    ),
    qkv_parts=("attention.q_lin", "attention.k_lin", "attention.v_lin"),
)  # fmt: skip
_MPNET = BertFamily(
    "MPNet",
    {"vocab_size": 30_527, "type_vocab_size": 0, "relative_attention_num_buckets": 32},
    names=_NAMES._replace(w_o="attention.attn.o", attention_norm="attention.LayerNorm"),
    qkv_parts=("attention.attn.q", "attention.attn.k", "attention.attn.v"),
    after_padding=True,
    distances=True,
)
BERT_FAMILIES = {  # the `model_type` of a config.json
    "bert": BertFamily("Bert"),
    "roberta": BertFamily("RoBERTa", {"vocab_size": 50_265}, after_padding=True),
    "xlm-roberta": BertFamily("XLM-R", after_padding=True),
    "camembert": BertFamily("CamemBERT", after_padding=True),
    "distilbert": _DISTILBERT,
    "electra": BertFamily(
        "ELECTRA",
        {"embedding_size": 128, "hidden_size": 256, "num_attention_heads": 4,
         "intermediate_size": 1_024},
        projects=True,
    ),
    "mpnet": _MPNET,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class BertConfig(Config):
    """The sizes of a model like BERT, and what it does otherwise."""

    type_vocab_size: int  # 0 where texts are not told apart
    names: Names = _NAMES
    qkv_parts: tuple[str, str, str] = _QKV
    embedding_size: int | None = None  # where that is not the width of the stream
    padding: int | None = None  # the token behind whose number positions are counted
    distance_buckets: int = 0
    distance_name = "encoder.relative_attention_bias.weight"

    @classmethod
    def from_dict(cls, config: dict[str, Any]) -> Self:
        """Take the sizes from a `config.json`; refuse what this module does not compute."""
        kind = config.get("model_type", "bert")
        family = BERT_FAMILIES.get(kind) if isinstance(kind, str) else None
        if family is None:
            raise ValueError(f"model_type is {kind!r}; computed are {', '.join(BERT_FAMILIES)}")
        config = settings.complete(config, _SIZES | dict(family.defaults), family.aliases)
        settings.check_settings(config, _COMPUTED)
        if family.distances:  # the program of transformers has these numbers, whatever a file says
            settings.check_settings(config, {"relative_attention_num_buckets": 32})
        heads, width = settings.heads_and_width(config, "num_attention_heads", "hidden_size")
        padding = 1 if family.distances else config["pad_token_id"]
        if family.after_padding and (not isinstance(padding, int) or padding < 0):
            raise ValueError(f"pad_token_id must be a whole number, got {padding!r}")
        before = padding + 1 if family.after_padding else 0
        return cls(
            num_hidden_layers=settings.whole_number(config, "num_hidden_layers"),
            num_attention_heads=heads,
            num_key_value_heads=heads,
            head_dim=width // heads,
            hidden_size=width,
            intermediate_size=settings.whole_number(config, "intermediate_size"),
            vocab_size=settings.whole_number(config, "vocab_size"),
            max_position_embeddings=settings.whole_number(config, "max_position_embeddings")
            - before,
            type_vocab_size=_types(config),
            norm_eps=settings.epsilon(config, "layer_norm_eps"),
            activation=activations.named(config, "hidden_act"),
            family=family.name,
            names=family.names,
            qkv_parts=family.qkv_parts,
            embedding_size=_embedding_size(config, width) if family.projects else None,
            padding=padding if family.after_padding else None,
            distance_buckets=32 if family.distances else 0,
        )

    @property
    def tells_texts_apart(self) -> bool:
        """Whether the tokens of a second text get a vector of their own; RoBERTa's never do."""
        return self.type_vocab_size > 1 and self.padding is None

    @property
    def projects(self) -> bool:
        """Whether a matrix makes embeddings as wide as the stream."""
        return self.embedding_size is not None

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the name and shape of every tensor that the forward pass uses: `(out, in)`."""
        shapes = self._embedding_shapes()
        width, inner, names = self.hidden_size, self.intermediate_size, self.names
        for layer in range(self.num_hidden_layers):
            for part, rows, columns in (
                *((part, width, width) for part in (*self.qkv_parts, names.w_o)),
                (names.mlp_in, inner, width),
                (names.mlp_out, width, inner),
            ):
                shapes[f"{names.layer}.{layer}.{part}.weight"] = (rows, columns)
                shapes[f"{names.layer}.{layer}.{part}.bias"] = (rows,)
            for part in (names.attention_norm, names.mlp_norm):
                shapes[f"{names.layer}.{layer}.{part}.weight"] = (width,)
                shapes[f"{names.layer}.{layer}.{part}.bias"] = (width,)
        return shapes

    def _embedding_shapes(self) -> dict[str, tuple[int, ...]]:
        own = self.embedding_size or self.hidden_size
        before = 0 if self.padding is None else self.padding + 1
        shapes: dict[str, tuple[int, ...]] = {
            "embeddings.word_embeddings.weight": (self.vocab_size, own),
            "embeddings.position_embeddings.weight": (self.max_position_embeddings + before, own),
            "embeddings.LayerNorm.weight": (own,),
            "embeddings.LayerNorm.bias": (own,),
        }
        if self.type_vocab_size:
            shapes["embeddings.token_type_embeddings.weight"] = (self.type_vocab_size, own)
        if self.projects:
            shapes["embeddings_project.weight"] = (self.hidden_size, own)
            shapes["embeddings_project.bias"] = (self.hidden_size,)
        if self.distance_buckets:
            shapes[self.distance_name] = (self.distance_buckets, self.num_attention_heads)
        return shapes


def _types(config: Mapping[str, Any]) -> int:
    """Return how many texts can be told apart; 0 in families that do not."""
    asked = config["type_vocab_size"]
    return 0 if asked == 0 else settings.whole_number(config, "type_vocab_size", 1_000)


def _embedding_size(config: Mapping[str, Any], width: int) -> int | None:
    own = settings.whole_number(config, "embedding_size", 100_000)
    return None if own == width else own
