"""A decoder small enough for slow loops: random weights, no tokenizer, words are numbers."""

import math
from types import SimpleNamespace

import numpy as np

from attention.edits import check_edits
from attention.models.editing import weights_in_place
from attention.models.layers import merge_heads
from attention.models.trace import Tokens, Trace

LAYERS, HEADS, SHARED, WIDTH, VOCABULARY = 3, 4, 2, 3, 11  # two query heads share a key and value


class ToyDecoder:
    """Causal attention and a one-matrix MLP in each layer; positions are part of the words."""

    name = "toy"
    predicts = True
    tokenizer = None
    longest_trace = 64
    config = SimpleNamespace(num_hidden_layers=LAYERS, num_attention_heads=HEADS)

    def __init__(self):
        rng, size = np.random.default_rng(7), HEADS * WIDTH

        def matrix(*shape):
            return rng.normal(0, 0.8 / math.sqrt(size), shape).astype(np.float32)

        self.words = rng.normal(size=(VOCABULARY, size)).astype(np.float32)
        self.word_embeddings = self.words
        self.positions = rng.normal(size=(64, size)).astype(np.float32)
        self.layers = [
            SimpleNamespace(
                q=matrix(HEADS, size, WIDTH),
                k=matrix(HEADS // SHARED, size, WIDTH),
                v=matrix(HEADS // SHARED, size, WIDTH),
                o=matrix(size, size),
                bias=matrix(size),
                mlp=matrix(size, size),
            )
            for _ in range(LAYERS)
        ]

    def tokenize(self, text):
        """Read numbers."""
        pieces = tuple(text.split())
        ids = np.array([int(piece) for piece in pieces])
        spans = ((0, 0),) * len(ids)
        return Tokens(text, ids, pieces, spans, (False,) * len(ids))

    def trace(self, text, edits=()):
        """Run the whole pass."""
        tokens = self.tokenize(text)
        check_edits(edits, self.name, LAYERS, HEADS, len(tokens), is_causal=True)
        hidden = [self.words[tokens.ids] + self.positions[: len(tokens)]]
        kept = []
        for layer in range(LAYERS):
            *arrays, x = self.layer(hidden[-1], layer, edits)
            kept.append(arrays)
            hidden.append(x)
        arrays = (np.stack(of_layers) for of_layers in zip(*kept, strict=True))
        return Trace(self.name, tokens, *arrays, np.stack(hidden), edits)

    def hidden(self, text, edits=()):
        """Return the streams."""
        return self.trace(text, edits).hidden

    def resume(self, x, layer, edits=(), *, stop=LAYERS):
        """Run each stream by itself."""
        check_edits(edits, self.name, LAYERS, HEADS, x.shape[-2], is_causal=True)
        if x.ndim > 2:
            return np.stack([self.resume(one, layer, edits, stop=stop) for one in x])
        for at in range(layer, stop):
            x = self.layer(x, at, edits)[-1]
        return x

    def last_streams(self, trace, changes):
        """Run a whole pass for each."""
        return np.stack([self.hidden(trace.text, trace.edits + edits)[-1] for edits in changes])

    def edited(self, trace, edits):
        """Run the whole pass."""
        return self.trace(trace.text, trace.edits + edits)

    def layer(self, x, layer, edits):
        """Return query, key, value, weights, head output and what the layer gives."""
        w = self.layers[layer]
        q, k, v = x @ w.q, x @ w.k, x @ w.v
        scores = q @ np.repeat(k, SHARED, axis=0).mT / np.float32(math.sqrt(WIDTH))
        scores[:, np.triu(np.ones((len(x), len(x)), bool), 1)] = -np.inf
        weights = weights_in_place(scores, edits, layer)
        z = weights @ np.repeat(v, SHARED, axis=0)
        return q, k, v, weights, z, self.after_attention(layer, x, merge_heads(z) @ w.o + w.bias)

    def output_projection(self, layer):
        """Return W_O and its bias."""
        return self.layers[layer].o, self.layers[layer].bias

    def after_attention(self, layer, x, attended):
        """Add, then the MLP."""
        x = x + attended
        return x + np.tanh(x @ self.layers[layer].mlp)

    def logits(self, x):
        """Score every word by its own vector."""
        return x @ self.words.T
