"""Published models by their own sizes: as many parameters as they are known to have.

A file with a pooler or another head has more: these count what a pass uses, and the matrix that
scores next words where it is no copy of the embeddings.
"""

import math

import pytest

from tests.models import tiny

_BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
         "intermediate_size": 3_072}  # fmt: skip
_ROBERTA = _BASE | {"max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
_POOLER = 768 * 768 + 768
LLAMA_3 = {"vocab_size": 128_256, "num_key_value_heads": 8, "max_position_embeddings": 131_072}
PUBLISHED = {
    "roberta-base": ("roberta", _ROBERTA | {"vocab_size": 50_265}, 124_645_632 - _POOLER),
    "xlm-roberta-base": ("xlm-roberta", _ROBERTA | {"vocab_size": 250_002}, 278_043_648 - _POOLER),
    "camembert-base": ("camembert", _ROBERTA | {"vocab_size": 32_005}, 110_621_952 - _POOLER),
    "distilbert-base-uncased": ("distilbert", {}, 66_362_880),
    "electra-small-discriminator": ("electra", {}, 13_483_008),
    "all-mpnet-base-v2": (
        "mpnet", _BASE | {"max_position_embeddings": 514, "vocab_size": 30_527},
        109_486_464 - _POOLER,
    ),
    "gpt2": ("gpt2", {}, 124_439_808),
    "pythia-70m": (
        "gpt_neox",
        {"vocab_size": 50_304, "hidden_size": 512, "num_hidden_layers": 6,
         "num_attention_heads": 8, "intermediate_size": 2_048},
        70_426_624,
    ),
    "opt-125m": ("opt", {}, 125_239_296),
    "Llama-2-7b": ("llama", {"max_position_embeddings": 4_096}, 6_738_415_616),
    "TinyLlama-1.1B": (
        "llama",
        {"hidden_size": 2_048, "intermediate_size": 5_632, "num_hidden_layers": 22,
         "num_key_value_heads": 4},
        1_100_048_384,
    ),
    "Llama-3.1-8B": ("llama", LLAMA_3 | {"intermediate_size": 14_336}, 8_030_261_248),
    "Llama-3.2-1B": (
        "llama",
        LLAMA_3 | {"hidden_size": 2_048, "intermediate_size": 8_192, "num_hidden_layers": 16,
                   "head_dim": 64, "tie_word_embeddings": True},
        1_235_814_400,
    ),
    "Mistral-7B-v0.1": ("mistral", {}, 7_241_732_096),
    "Qwen2.5-0.5B": (
        "qwen2",
        {"hidden_size": 896, "intermediate_size": 4_864, "num_hidden_layers": 24,
         "num_attention_heads": 14, "num_key_value_heads": 2, "tie_word_embeddings": True},
        494_032_768,
    ),
    "Qwen3-0.6B": (
        "qwen3",
        {"hidden_size": 1_024, "intermediate_size": 3_072, "num_hidden_layers": 28,
         "num_attention_heads": 16, "num_key_value_heads": 8, "tie_word_embeddings": True},
        596_049_920,
    ),
    "gemma-2-2b": ("gemma2", {}, 2_614_341_888),
    "gemma-3-1b": (
        "gemma3_text",
        {"vocab_size": 262_144, "hidden_size": 1_152, "intermediate_size": 6_912,
         "num_attention_heads": 4, "num_key_value_heads": 1, "sliding_window": 512},
        999_885_952,
    ),
    "Phi-3-mini-4k": ("phi3", {"sliding_window": 2_047}, 3_821_079_552),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_model_has_as_many_parameters_as_are_known(name):
    kind, sizes, count = PUBLISHED[name]
    config = tiny.loader(kind).config_class.from_dict({"model_type": kind, **sizes})
    shapes = config.shapes()
    if config.head() and not config.tie_word_embeddings:
        shapes = shapes | config.head()
    assert sum(map(math.prod, shapes.values())) == count


def test_gemma_3_looks_far_in_every_sixth_layer_only():
    kind, sizes, _ = PUBLISHED["gemma-3-1b"]
    config = tiny.loader(kind).config_class.from_dict({"model_type": kind, **sizes})
    far = [layer for layer, window in enumerate(config.windows) if window is None]
    assert far == [5, 11, 17, 23]
    assert (config.rope.theta, config.local_rope.theta) == (1e6, 1e4)
