"""Published shapes of transformers, and what follows from them: parameters, operations, bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """The sizes that decide what a transformer costs. Biases and norms are too small to matter."""

    name: str
    source: str
    layers: int  # L
    width: int  # D
    heads: int  # H, of queries
    kv_heads: int  # G; fewer than H where query heads share keys and values
    head_width: int  # E
    mlp_width: int  # M
    vocabulary: int  # V
    is_causal: bool = True
    gated: bool = False  # the MLP has three matrices, as in SwiGLU, not two
    tied: bool = True  # one matrix for the word embeddings and the output

    @property
    def layer_parameters(self) -> int:
        """Query, key, value and output projections and the MLP: `2 D E (H + G) + 2 or 3 D M`."""
        projections = 2 * self.width * self.head_width * (self.heads + self.kv_heads)
        return projections + (3 if self.gated else 2) * self.width * self.mlp_width

    @property
    def parameters(self) -> int:
        """All layers and the word embeddings, twice where the output has its own.

        >>> f"{shape('Llama 3 8B').parameters / 1e9:.2f} billion"
        '8.03 billion'
        """
        words = self.vocabulary * self.width * (1 if self.tied else 2)
        return self.layers * self.layer_parameters + words

    def kv_numbers(self, kv_heads: int | None = None) -> int:
        """Return the numbers that a KV cache holds for each token: `2 L G E`."""
        return 2 * self.layers * (kv_heads or self.kv_heads) * self.head_width

    def pairs(self, n: int) -> int:
        """Return how many pairs of query and key there are: `n^2`, or `n (n + 1) / 2` causal."""
        return n * (n + 1) // 2 if self.is_causal else n * n


_LLAMA_3 = "Grattafiori et al. 2024, The Llama 3 Herd of Models, table 3"
SHAPES = (
    Shape(
        "all-MiniLM-L6-v2", "its config.json", 6, 384, 12, 12, 32, 1536, 30_522, is_causal=False
    ),
    Shape(
        "BERT base", "Devlin et al. 2019, section 3", 12, 768, 12, 12, 64, 3072, 30_522,
        is_causal=False,
    ),
    Shape("GPT-2 small", "Radford et al. 2019, table 2", 12, 768, 12, 12, 64, 3072, 50_257),
    Shape(
        "SmolLM2 135M", "its config.json", 30, 576, 9, 3, 64, 1536, 49_152, gated=True
    ),
    Shape(
        "Mistral 7B", "Jiang et al. 2023, table 1", 32, 4096, 32, 8, 128, 14_336, 32_000,
        gated=True, tied=False,
    ),
    Shape(
        "Llama 3 8B", _LLAMA_3, 32, 4096, 32, 8, 128, 14_336, 128_256, gated=True, tied=False
    ),
    Shape(
        "Llama 3 70B", _LLAMA_3, 80, 8192, 64, 8, 128, 28_672, 128_256, gated=True, tied=False
    ),
)  # fmt: skip


def shape_code(name: str) -> str:
    """Return the name of a shape as an address spells it.

    >>> shape_code("Llama 3 8B")
    'llama-3-8b'
    """
    return name.lower().replace(" ", "-")


def shape(name: str) -> Shape:
    """Return a published shape.

    Raises
    ------
    ValueError : no shape has this name; the message lists those that there are.

    >>> shape("GPT-2 small").layer_parameters == 12 * 768**2
    True
    """
    for known in SHAPES:
        if known.name == name:
            return known
    raise ValueError(f"no shape is named {name!r}; there are {', '.join(s.name for s in SHAPES)}")
