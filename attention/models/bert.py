"""BERT and its relatives: post-norm blocks, learned positions, no mask.

What they differ by is in `bert_families`. Source: Devlin et al. 2019, "BERT", section 3.
"""

from __future__ import annotations

import numpy as np
from tokenizers import Tokenizer

from attention.arrays import Array
from attention.models.bert_families import BertConfig
from attention.models.encoder import Encoder
from attention.models.scoring import Scoring, bias_by_distance
from attention.models.trace import Tokens

_TABLES = "embeddings.{}_embeddings.weight"


class Bert(Encoder):
    """An encoder like BERT with its weights and tokenizer. Safe to share between threads."""

    config: BertConfig
    config_class = BertConfig
    prefixes = ("bert.", "roberta.", "distilbert.", "electra.", "mpnet.")
    reads_pairs = True
    norm_first = False
    norm = "LayerNorm"

    def __init__(
        self, name: str, config: BertConfig, weights: dict[str, Array], tokenizer: Tokenizer
    ) -> None:
        """Keep the weights; each layer's query, key and value projections become one matrix."""
        self.names = config.names
        super().__init__(name, config, weights, tokenizer)
        if config.distance_buckets:
            bias = bias_by_distance(self._weights[config.distance_name])
            self.scoring = Scoring(bias=bias)
        if config.projects:
            self._join("embeddings_project", ["embeddings_project"])
        for layer in range(config.num_hidden_layers):
            parts = [self._part(layer, part) for part in config.qkv_parts]
            self._join(self._part(layer, self.names.qkv), parts)
            for part in (self.names.w_o, self.names.mlp_in, self.names.mlp_out):
                self._join(self._part(layer, part), [self._part(layer, part)])

    def embedded(self, tokens: Tokens) -> Array:
        """Return the stream `(T, D)` below the first layer, with segments where there are two."""
        told = self.config.tells_texts_apart and tokens.segments
        return self.embed(tokens.ids, segments=np.array(tokens.segments) if told else None)

    def embed(self, ids: Array, start: int = 0, segments: Array | None = None) -> Array:
        """Return word + position + segment, normalised: `(T, D)`.

        Parameters
        ----------
        segments : (T,), which of two texts each token belongs to; None is the first one
        """
        x = self.word_embeddings[ids]
        x += self._weights[_TABLES.format("position")][self._positions(ids, start)]
        if self.config.type_vocab_size:
            x += self._weights[_TABLES.format("token_type")][0 if segments is None else segments]
        x = self._norm("embeddings.LayerNorm", x)
        return self._linear("embeddings_project", x) if self.config.projects else x

    def _positions(self, ids: Array, start: int) -> Array:
        """Return the row of each token in the table of positions.

        RoBERTa counts from behind the number of its padding, which counts for nothing itself.
        """
        padding = self.config.padding
        if padding is None:
            return np.arange(start, start + len(ids))
        real = ids != padding
        return padding + (start + np.cumsum(real)) * real
