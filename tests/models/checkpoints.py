"""Tiny models as transformers saves them, changed as real files are, and what it computes.

    python -m tests.models.checkpoints    # writes tests/golden/checkpoints.npz; needs transformers

Every file is loaded by transformers itself after it was changed: the figures are what it makes of
the very names and settings that this package has to read.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from safetensors.numpy import load_file, save_file

GOLDEN = Path(__file__).parents[1] / "golden" / "checkpoints.npz"
FILES = ("config.json", "model.safetensors")
IDS = [0, 1, 2, 3, 0, 4, 8, 9]
SIZES = {
    "bert": {
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 12,
        "vocab_size": 11,
        "max_position_embeddings": 12,
    },
    "gpt2": {"n_embd": 8, "n_layer": 2, "n_head": 2, "vocab_size": 11, "n_positions": 12},
    "llama": {
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 12,
        "vocab_size": 11,
        "max_position_embeddings": 12,
    },
}
GPT2_ALIASES = {
    "hidden_size": "n_embd",
    "num_hidden_layers": "n_layer",
    "num_attention_heads": "n_head",
    "max_position_embeddings": "n_positions",
}
OLD_NAMES = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}


@dataclass(frozen=True)
class Case:
    """A class of transformers, and what is changed in the folder that it has saved."""

    kind: str
    made_by: str
    options: dict = field(default_factory=dict)  # of the configuration
    drop: tuple[str, ...] = ()  # keys that go from config.json
    add: dict = field(default_factory=dict)  # keys that are set in config.json
    rename: dict = field(default_factory=dict)  # parts of the tensors' names
    embeddings: float = 1.0  # their size: where it is small, the epsilon of the first norm shows


_ROPE = ("rope_parameters", "rope_theta", "rope_scaling")
_BARE_LLAMA = (
    *_ROPE, "rms_norm_eps", "hidden_act", "num_key_value_heads", "head_dim", "attention_bias",
    "mlp_bias", "tie_word_embeddings", "pretraining_tp",
)  # fmt: skip
_BARE_GPT2 = (
    "layer_norm_epsilon", "activation_function", "n_inner", "scale_attn_weights",
    "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn", "tie_word_embeddings",
)  # fmt: skip
_BARE_BERT = ("layer_norm_eps", "hidden_act", "type_vocab_size", "is_decoder")

CASES = {
    **{
        f"bert {head}": Case("bert", f"Bert{head}")
        for head in (
            "Model", "ForMaskedLM", "ForPreTraining", "ForNextSentencePrediction",
            "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering",
            "ForMultipleChoice",
        )
    },
    "bert with gamma and beta": Case("bert", "BertForPreTraining", rename=OLD_NAMES),
    "bert alone with gamma and beta": Case("bert", "BertModel", rename=OLD_NAMES),
    "bert of few settings": Case("bert", "BertModel", drop=_BARE_BERT, embeddings=1e-6),
    **{
        f"gpt2 {head}": Case("gpt2", f"GPT2{head}", {"pad_token_id": 0})
        for head in (
            "Model", "LMHeadModel", "DoubleHeadsModel", "ForSequenceClassification",
            "ForTokenClassification", "ForQuestionAnswering",
        )
    },
    "gpt2 with a head of its own": Case("gpt2", "GPT2LMHeadModel", {"tie_word_embeddings": False}),
    "gpt2 without a head": Case("gpt2", "GPT2Model", {"tie_word_embeddings": False}),
    "gpt2 of few settings": Case("gpt2", "GPT2LMHeadModel", drop=_BARE_GPT2, embeddings=2e-3),
    "gpt2 under other names": Case(
        "gpt2", "GPT2LMHeadModel", drop=("n_embd", "n_layer", "n_head", "n_positions"),
        add={name: SIZES["gpt2"][own] for name, own in GPT2_ALIASES.items()},
    ),
    **{
        f"gpt2 {name}": Case("gpt2", "GPT2LMHeadModel", {"activation_function": name})
        for name in ("gelu_pytorch_tanh", "gelu_fast", "gelu_accurate", "gelu_python_tanh")
    },
    **{
        f"llama {head}": Case("llama", f"Llama{head}", {"pad_token_id": 0})
        for head in (
            "Model", "ForCausalLM", "ForSequenceClassification", "ForTokenClassification",
            "ForQuestionAnswering",
        )
    },
    "llama with a tied head": Case("llama", "LlamaForCausalLM", {"tie_word_embeddings": True}),
    "llama alone, tied": Case("llama", "LlamaModel", {"tie_word_embeddings": True}),
    "llama said to be tied, with a head": Case(
        "llama", "LlamaForCausalLM", add={"tie_word_embeddings": True}
    ),
    "llama with shared keys": Case(
        "llama", "LlamaForCausalLM",
        {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 6},
    ),
    "llama of few settings": Case("llama", "LlamaForCausalLM", drop=_BARE_LLAMA, embeddings=1e-3),
    "llama with a stale rope_theta": Case(
        "llama", "LlamaForCausalLM",
        add={"rope_parameters": {"rope_type": "default", "rope_theta": 500_000.0},
             "rope_theta": 10_000.0},
    ),
    "llama with rope_theta outside": Case(
        "llama", "LlamaForCausalLM", drop=_ROPE, add={"rope_theta": 500_000.0}
    ),
    "llama with rope_scaling of the default type": Case(
        "llama", "LlamaForCausalLM", drop=_ROPE,
        add={"rope_theta": 700.0, "rope_scaling": {"rope_type": "default"}},
    ),
    "llama with rope_scaling of the default type, old": Case(
        "llama", "LlamaForCausalLM", drop=_ROPE,
        add={"rope_theta": 700.0, "rope_scaling": {"type": "default"}},
    ),
    "llama with rope_theta in rope_scaling": Case(
        "llama", "LlamaForCausalLM",
        add={"rope_scaling": {"rope_type": "default", "rope_theta": 300.0},
             "rope_parameters": {"rope_type": "default", "rope_theta": 500_000.0},
             "rope_theta": 10_000.0},
    ),
    "llama with swish": Case("llama", "LlamaForCausalLM", {"hidden_act": "swish"}),
}  # fmt: skip


def save(case, folder):
    """Let transformers save a random model, then change the files; needs transformers."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(case.kind, **(SIZES[case.kind] | case.options))
    model = getattr(transformers, case.made_by)(config)
    for name, weight in model.named_parameters():
        gain = weight.ndim == 1 and name.endswith("weight")
        torch.nn.init.normal_(weight, float(gain), 0.5)
        if re.search(r"_embeddings|embed_tokens|wte|wpe", name):
            weight.data *= case.embeddings
    model.save_pretrained(folder)
    told = json.loads((folder / "config.json").read_text())
    told = {key: value for key, value in told.items() if key not in case.drop} | case.add
    (folder / "config.json").write_text(json.dumps(told))
    tensors = load_file(folder / "model.safetensors")
    for old, new in case.rename.items():
        tensors = {name.replace(old, new): tensor for name, tensor in tensors.items()}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def computed(case, folder):
    """Return the weights `(L, H, T, T)`, and logits where there is a head; needs transformers."""
    import torch
    import transformers

    def load(made_by):
        made = getattr(transformers, made_by).from_pretrained
        model, told = made(folder, attn_implementation="eager", output_loading_info=True)
        return model.eval(), told["missing_keys"]

    ids = torch.tensor([IDS])
    model, missing = load(case.made_by)
    assert not missing, missing
    with torch.inference_mode():
        out = model.base_model(ids, output_attentions=True)
    found = {"weights": torch.cat(out.attentions).numpy()}
    if case.kind != "bert":
        model, missing = load("AutoModelForCausalLM")
        if not missing:
            with torch.inference_mode():
                found["logits"] = model(ids).logits[0].numpy()
    return found


def stored():
    """Return what the golden file has of each case: two files, and what is computed from them."""
    cases = {}
    with np.load(GOLDEN) as kept:
        for name in kept.files:
            case, part = name.split("/")
            cases.setdefault(case, {})[part] = kept[name]
    return cases


def make():
    """Write the golden file."""
    import transformers

    everything = {}
    for kind in SIZES:
        told = json.dumps(transformers.AutoConfig.for_model(kind).to_dict())
        everything[f"defaults/{kind}"] = np.array(told)
    for name, case in CASES.items():
        with TemporaryDirectory() as place:
            save(case, Path(place))
            parts = {
                file: np.frombuffer((Path(place) / file).read_bytes(), np.uint8) for file in FILES
            } | computed(case, Path(place))
        everything |= {f"{name}/{part}": value for part, value in parts.items()}
    np.savez_compressed(GOLDEN, **everything)


if __name__ == "__main__":
    make()
