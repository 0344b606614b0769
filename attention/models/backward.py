"""The backward pass of a decoder: how a number changes with what each head writes.

Activations come from a trace; what is missing, the inside of each MLP, is computed again.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from attention.arrays import Array
from attention.models.architecture import Projected
from attention.models.decoder import CausalModel
from attention.models.gradients import layer_norm_gradient, rms_norm_gradient, softmax_gradient
from attention.models.layers import merge_heads, rotate, split_heads
from attention.models.scoring import cap_slope, capped_in_place
from attention.models.trace import Trace


class DifferentiableModel(CausalModel):
    """A decoder that can be differentiated: what it says of itself says how."""

    def mlp_gradient(self, layer: int, x: Array, upstream: Array) -> Array:
        """Return the gradient of `mlp` at rows `(T, D)`; see `gradients`."""
        first, second = (
            self._part(layer, part) for part in (self.names.mlp_in, self.names.mlp_out)
        )
        inner = self._linear(first, x)
        through = upstream @ self._weights[f"{second}.weight"].T
        if self.gated_mlp:
            gate, up = np.split(inner, 2, axis=-1)
            slopes = through * up * self.activation.slope(gate)
            through = np.concatenate([slopes, through * self.activation.in_place(gate)], axis=-1)
        else:
            through = through * self.activation.slope(inner)
        gradient: Array = through @ self._weights[f"{first}.weight"].T
        return gradient

    def logits_gradient(self, x: Array, upstream: Array) -> Array:
        """Return the gradient of `logits` at rows `(T, D)`, for upstream `(T, V)`."""
        if self.config.logit_cap is not None:
            upstream = upstream * cap_slope(self.logits(x), self.config.logit_cap)
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
        x = trace.hidden[layer, rows]
        y = x if self.parallel_mlp else self.add_and_norm(layer, x, attended)
        through = self._added_gradient(layer, y, flow[rows])
        upstream = flow[rows].copy() if self.parallel_mlp else flow[rows] + through
        flow[rows] += through
        if self.names.attended_norm:
            name = self._part(layer, self.names.attended_norm)
            upstream = self._norm_gradient(name, attended, upstream)
        gradients[:, rows] = split_heads(upstream @ w_o.T, len(gradients))

    def _added_gradient(self, layer: int, y: Array, upstream: Array) -> Array:
        """Return the gradient of what the MLP of a layer adds, with respect to its input."""
        name = self._part(layer, self.names.mlp_norm)
        read = self._norm(name, y)
        if self.names.added_norm:
            added = self._part(layer, self.names.added_norm)
            upstream = self._norm_gradient(added, self.mlp(layer, read), upstream)
        return self._norm_gradient(name, y, self.mlp_gradient(layer, read, upstream))

    def _attention_gradient(self, trace: Trace, layer: int, upstream: Array) -> Projected:
        """Return the gradients with respect to queries, keys and values before any rotation."""
        query, key, value = trace.query[layer], trace.key[layer], trace.value[layer]
        heads, groups = len(query), len(key)
        shared = groups, heads // groups, *query.shape[1:]  # (G, H / G, T, E)
        weights = trace.weights[layer].reshape(*shared[:3], -1)
        upstream, query = upstream.reshape(shared), query.reshape(shared)
        scores = softmax_gradient(weights, upstream @ value.mT[:, None])
        if self.config.score_cap is not None:
            dots = query @ key.mT[:, None] * np.float32(self.config.head_dim**-0.5)
            cap = self.config.score_cap
            scores *= cap_slope(capped_in_place(dots, cap), cap)
        scores *= np.float32(self.config.head_dim**-0.5)
        made = Projected(
            (scores @ key[:, None]).reshape(trace.query[layer].shape),
            (scores.mT @ query).sum(axis=1),
            (weights.mT @ upstream).sum(axis=1),
        )
        if not self.rotary:
            return made
        cos, sin = self.angles(made.query.shape[-2], layer=layer)
        return Projected(rotate(made.query, cos, -sin), rotate(made.key, cos, -sin), made.value)

    def _projection_part(self, layer: int, x: Array, made: Projected) -> Array:
        """Return the gradient of queries, keys and values with respect to the layer's input."""
        matrix, _ = self._matrix_and_bias(self._part(layer, self.names.qkv))
        if self.head_norms:
            plain = self.projected(layer, x)
            query, key = (
                self._norm_gradient(self._part(layer, name), rows, upstream)
                for name, rows, upstream in (
                    (self.names.query_norm, plain.query, made.query),
                    (self.names.key_norm, plain.key, made.key),
                )
            )
            made = Projected(query, key, made.value)
        joined = merge_heads(np.concatenate(made))
        name = self._part(layer, self.names.attention_norm)
        return self._norm_gradient(name, x, joined @ matrix.T)

    def _norm_gradient(self, name: str, x: Array, upstream: Array) -> Array:
        gradient = rms_norm_gradient if self.norm == "RMSNorm" else layer_norm_gradient
        return gradient(x, self._weights[f"{name}.weight"], self.config.norm_eps, upstream)
