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
_LIKE_BERT = {
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "vocab_size": 11,
    "max_position_embeddings": 12,
}
_NO_START = {"pad_token_id": 0, "bos_token_id": None, "eos_token_id": None}
_LIKE_ROBERTA = _LIKE_BERT | {"max_position_embeddings": 14, "bos_token_id": 0, "eos_token_id": 2}
_SHARED = _LIKE_BERT | _NO_START | {"num_key_value_heads": 1, "head_dim": 4}
_GEMMA = _SHARED | {"sliding_window": 3, "query_pre_attn_scalar": 6}
SIZES = {
    "bert": _LIKE_BERT,
    "roberta": _LIKE_ROBERTA,
    "xlm-roberta": _LIKE_ROBERTA,
    "camembert": _LIKE_ROBERTA,
    "distilbert": {
        "dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 12, "vocab_size": 11,
        "max_position_embeddings": 12,
    },
    "electra": _LIKE_BERT | {"embedding_size": 6},
    "mpnet": _LIKE_ROBERTA,
    "gpt2": {"n_embd": 8, "n_layer": 2, "n_head": 2, "vocab_size": 11, "n_positions": 12},
    "gpt_neox": _LIKE_BERT | _NO_START | {"num_attention_heads": 1},
    "opt": _NO_START | {
        "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "ffn_dim": 12,
        "vocab_size": 11, "max_position_embeddings": 12, "word_embed_proj_dim": 8,
    },
    "llama": _LIKE_BERT,
    "mistral": _SHARED | {"sliding_window": 3},
    "qwen2": _LIKE_BERT | _NO_START | {"num_key_value_heads": 1},
    "qwen3": _SHARED,
    "gemma": _SHARED,
    "gemma2": _GEMMA | {"attn_logit_softcapping": 0.7, "final_logit_softcapping": 2.0},
    "gemma3_text": _GEMMA | {"sliding_window_pattern": 2},
    "phi3": _LIKE_BERT | _NO_START | {"num_key_value_heads": 1},
}  # fmt: skip
ENCODERS = ("bert", "roberta", "xlm-roberta", "camembert", "distilbert", "electra", "mpnet")
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
    second: int | None = None  # where a second text begins
    times: int = 1  # how often the words are read, one after the other


def _rope(name, kind="llama", made_by="LlamaForCausalLM", options=(), **told):
    """Return a case whose rotations are scaled."""
    scaled = {"rope_parameters": {"rope_theta": 100.0, **told}}
    return {f"{name} with {told['rope_type']}": Case(kind, made_by, scaled | dict(options))}


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
    "llama with biases": Case("llama", "LlamaForCausalLM", {"attention_bias": True,
                                                            "mlp_bias": True}),
    **_rope("llama", rope_type="linear", factor=4.0),
    **_rope("llama", rope_type="dynamic", factor=4.0),
    **_rope("llama", rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
            original_max_position_embeddings=16, options={"head_dim": 16}),
    **_rope("llama", rope_type="yarn", factor=4.0, original_max_position_embeddings=64,
            options={"head_dim": 16, "max_position_embeddings": 256}),
    "llama with yarn in all its settings": Case("llama", "LlamaForCausalLM", {
        "head_dim": 16, "max_position_embeddings": 256,
        "rope_parameters": {"rope_theta": 50.0, "rope_type": "yarn", "factor": 8.0,
                            "original_max_position_embeddings": 64, "beta_fast": 8.0,
                            "beta_slow": 0.5, "mscale": 1.5, "mscale_all_dim": 0.7,
                            "truncate": False},
    }),
    "llama of version 3.1 as its file says it": Case(
        "llama", "LlamaForCausalLM", {"head_dim": 16}, drop=_ROPE,
        add={"rope_theta": 500.0, "rope_scaling": {
            "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 32, "rope_type": "llama3"}},
    ),
    **{
        f"roberta {head}": Case("roberta", f"Roberta{head}")
        for head in ("Model", "ForMaskedLM", "ForSequenceClassification", "ForQuestionAnswering")
    },
    "roberta of few settings": Case(
        "roberta", "RobertaModel", drop=(*_BARE_BERT, "pad_token_id"), embeddings=1e-6
    ),
    **{
        f"{kind} of two texts": Case(kind, made_by, {"type_vocab_size": 2}, second=5)
        for kind, made_by in (("bert", "BertModel"), ("electra", "ElectraModel"),
                              ("roberta", "RobertaModel"))
    },
    "mpnet of two texts": Case("mpnet", "MPNetModel", second=5),
    "roberta with ReLU": Case("roberta", "RobertaModel", {"hidden_act": "relu"}),
    "xlm-roberta": Case("xlm-roberta", "XLMRobertaForMaskedLM"),
    "camembert": Case("camembert", "CamembertForTokenClassification"),
    **{
        f"distilbert {head}": Case("distilbert", f"DistilBert{head}")
        for head in ("Model", "ForMaskedLM", "ForSequenceClassification")
    },
    "electra": Case("electra", "ElectraForPreTraining"),
    "electra as wide as it is embedded": Case("electra", "ElectraModel", {"embedding_size": 8}),
    "mpnet": Case("mpnet", "MPNetForMaskedLM"),
    "mpnet with a long text": Case("mpnet", "MPNetModel", {"max_position_embeddings": 50}, times=5),
    "mistral": Case("mistral", "MistralForCausalLM"),
    "mistral without a window": Case("mistral", "MistralModel", {"sliding_window": None}),
    "mistral of few settings": Case(
        "mistral", "MistralForCausalLM", {"num_key_value_heads": 2},
        drop=(*_ROPE, "rms_norm_eps", "hidden_act", "tie_word_embeddings"), embeddings=1e-3,
    ),
    "qwen2": Case("qwen2", "Qwen2ForCausalLM", {"tie_word_embeddings": True}),
    "qwen2 with windows above": Case("qwen2", "Qwen2ForCausalLM", {
        "use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1}),
    "qwen2 with windows above, in its old file": Case(
        "qwen2", "Qwen2ForCausalLM", drop=("layer_types",),
        add={"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1}),
    "qwen3": Case("qwen3", "Qwen3ForCausalLM"),
    "qwen3 with biases": Case("qwen3", "Qwen3Model", {"attention_bias": True}),
    "gemma": Case("gemma", "GemmaForCausalLM"),
    "gemma with the activation of its first files": Case(
        "gemma", "GemmaForCausalLM", add={"hidden_act": "gelu"}),
    "gemma2": Case("gemma2", "Gemma2ForCausalLM"),
    "gemma2 of few settings": Case(
        "gemma2", "Gemma2ForCausalLM",
        {"attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0},
        drop=(*_ROPE, "rms_norm_eps", "hidden_activation", "tie_word_embeddings", "layer_types",
              "attn_logit_softcapping", "final_logit_softcapping"), embeddings=1e-3),
    "gemma3_text": Case("gemma3_text", "Gemma3ForCausalLM"),
    "gemma3_text of few settings": Case(
        "gemma3_text", "Gemma3ForCausalLM",
        drop=(*_ROPE, "rms_norm_eps", "hidden_activation", "tie_word_embeddings", "layer_types"),
        add={"sliding_window_pattern": 2}, embeddings=1e-3),
    "gemma3_text as its first files say it": Case(
        "gemma3_text", "Gemma3ForCausalLM", drop=(*_ROPE, "layer_types"),
        add={"rope_theta": 500.0, "rope_local_base_freq": 20.0, "sliding_window_pattern": 2,
             "rope_scaling": {"factor": 8.0, "rope_type": "linear"}}),
    "phi3": Case("phi3", "Phi3ForCausalLM"),
    "phi3 with a window, a part of it rotated": Case("phi3", "Phi3ForCausalLM", {
        "sliding_window": 3, "partial_rotary_factor": 0.5}),
    "phi3 for long texts": Case("phi3", "Phi3ForCausalLM", {
        "max_position_embeddings": 48, "original_max_position_embeddings": 12,
        "rope_parameters": {"rope_theta": 100.0, "rope_type": "longrope",
                            "short_factor": [1.1, 1.7], "long_factor": [2.0, 9.0]}}),
    "gpt_neox": Case("gpt_neox", "GPTNeoXForCausalLM"),
    "gpt_neox with more heads, one after the other": Case("gpt_neox", "GPTNeoXForCausalLM", {
        "num_attention_heads": 2, "hidden_size": 16, "use_parallel_residual": False}),
    "gpt_neox of few settings": Case(
        "gpt_neox", "GPTNeoXForCausalLM",
        drop=(*_ROPE, "layer_norm_eps", "hidden_act", "tie_word_embeddings",
              "use_parallel_residual"), embeddings=1e-3),
    "gpt_neox as Pythia's files say it": Case(
        "gpt_neox", "GPTNeoXForCausalLM", drop=_ROPE,
        add={"rotary_pct": 0.5, "rotary_emb_base": 500}),
    "opt": Case("opt", "OPTForCausalLM"),
    "opt without a head": Case("opt", "OPTModel"),
}  # fmt: skip


def ids_of(case):
    """Return what a case reads."""
    return IDS * case.times


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
        if re.search(r"_embeddings|embed_tokens|embed_in|wte|wpe", name):
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
    """Return the weights `(L, H, T, T)`, and where there is a head logits; needs transformers.

    What is `exact` is of a pass in float64: what is apart from it is rounding.
    """
    import torch
    import transformers

    def load(made_by):
        made = getattr(transformers, made_by).from_pretrained
        model, told = made(folder, attn_implementation="eager", output_loading_info=True)
        return model.eval(), told["missing_keys"]

    ids = torch.tensor([ids_of(case)])
    model, missing = load(case.made_by)
    assert not missing, missing
    told = {}
    if case.second is not None and case.kind in ("bert", "electra"):  # as their tokenizers tell
        told["token_type_ids"] = (torch.arange(len(ids[0]))[None] >= case.second).long()
    found = {}
    with torch.inference_mode():
        for part, kind in ("weights", torch.float32), ("exact weights", torch.float64):
            out = model.to(kind).base_model(ids, output_attentions=True, **told)
            found[part] = torch.cat(out.attentions).numpy()
    if case.kind not in ENCODERS:
        model, missing = load("AutoModelForCausalLM")
        if not missing:
            with torch.inference_mode():
                found["logits"] = model(ids).logits[0].numpy()
                found["exact logits"] = model.double()(ids).logits[0].numpy()
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
