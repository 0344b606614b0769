"""The backward pass of a decoder: how a number changes with what each head writes.

Activations come from a trace; what is missing, the inside of each MLP, is computed again.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import partial

import numpy as np

from attention.arrays import Array
from attention.models.architecture import Projected
from attention.models.decoder import CausalModel
from attention.models.gradients import layer_norm_gradient, rms_norm_gradient, softmax_gradient
from attention.models.layers import merge_heads, rotate, split_heads
from attention.models.trace import Trace


class DifferentiableModel(CausalModel):
    """A decoder that can be differentiated: its architecture says how its MLP is."""

    @abstractmethod
    def mlp_gradient(self, layer: int, x: Array, upstream: Array) -> Array:
        """Return the gradient of `mlp` at rows `(T, D)`; see `gradients`."""

    def logits_gradient(self, x: Array, upstream: Array) -> Array:
        """Return the gradient of `logits` at rows `(T, D)`, for upstream `(T, V)`."""
        return self._norm_gradient(self.last_norm_name, x, upstream @ self._head)

    def head_gradients(self, trace: Trace, upstream: Array) -> Array:
        """Return the gradient with respect to the output of every head, `(L, H, T, E)`.

        Source: Rumelhart et al. 1986, "Learning representations by back-propagating errors".

        Parameters
        ----------
        trace : of a pass without edits
        upstream : (T, D), the gradient of some number with respect to `trace.hidden[-1]`

        Raises
        ------
        ValueError : the trace has edits: they may stand between scores and weights.
        """
        if trace.edits:
            raise ValueError(f"the gradient of a pass with {len(trace.edits)} edits is not known")
        gradients, flow = np.empty_like(trace.head_output), upstream.copy()
        with self._team(len(flow)) as share:
            for layer in reversed(range(self.config.num_hidden_layers)):
                share(partial(self._through_mlp, trace, layer, flow, gradients[layer]), len(flow))
                made = self._attention_gradient(trace, layer, gradients[layer])
                flow += self._projection_part(layer, trace.hidden[layer], made)
        return gradients

    def _through_mlp(
        self, trace: Trace, layer: int, flow: Array, gradients: Array, rows: slice
    ) -> None:
        """Take some rows `(T, D)` back below the MLP, and on to the heads `(H, T, E)`."""
        w_o, bias = self.output_projection(layer)
        attended = merge_heads(trace.head_output[layer, :, rows]) @ w_o + bias
        y = self.add_and_norm(layer, trace.hidden[layer, rows], attended)
        flow[rows] += self._mlp_part(layer, y, flow[rows])
        gradients[:, rows] = split_heads(flow[rows] @ w_o.T, len(gradients))

    def _mlp_part(self, layer: int, y: Array, upstream: Array) -> Array:
        """Return the gradient of what the MLP of a layer adds, with respect to its input."""
        name = self._part(layer, self.names.mlp_norm)
        return self._norm_gradient(name, y, self.mlp_gradient(layer, self._norm(name, y), upstream))

    def _attention_gradient(self, trace: Trace, layer: int, upstream: Array) -> Projected:
        """Return the gradients with respect to queries, keys and values before any rotation."""
        query, key, value = trace.query[layer], trace.key[layer], trace.value[layer]
        heads, groups = len(query), len(key)
        shared = groups, heads // groups, *query.shape[1:]  # (G, H / G, T, E)
        weights = trace.weights[layer].reshape(*shared[:3], -1)
        upstream, query = upstream.reshape(shared), query.reshape(shared)
        scores = softmax_gradient(weights, upstream @ value.mT[:, None])
        scores *= np.float32(self.config.head_dim**-0.5)
        made = Projected(
            (scores @ key[:, None]).reshape(trace.query[layer].shape),
            (scores.mT @ query).sum(axis=1),
            (weights.mT @ upstream).sum(axis=1),
        )
        if not self.rotary:
            return made
        cos, sin = self.angles(made.query.shape[-2])
        return Projected(rotate(made.query, cos, -sin), rotate(made.key, cos, -sin), made.value)

    def _projection_part(self, layer: int, x: Array, made: Projected) -> Array:
        """Return the gradient of queries, keys and values with respect to the layer's input."""
        matrix, _ = self._matrix_and_bias(self._part(layer, self.names.qkv))
        joined = merge_heads(np.concatenate(made))
        name = self._part(layer, self.names.attention_norm)
        return self._norm_gradient(name, x, joined @ matrix.T)

    def _norm_gradient(self, name: str, x: Array, upstream: Array) -> Array:
        gradient = rms_norm_gradient if self.norm == "RMSNorm" else layer_norm_gradient
        return gradient(x, self._weights[f"{name}.weight"], self.config.norm_eps, upstream)
