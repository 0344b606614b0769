"""The ONNX operator `Attention`, versions 23 to 25, as a call of this package.

Only names and layouts differ: 3-D inputs carry their heads side by side, a mask may be shorter than
the keys, and the position of the queries follows from what the cache is.
"""

import numpy as np

import attention

INPUTS = ("Q", "K", "V", "attn_mask", "past_key", "past_value", "nonpad_kv_seqlen")
OUTPUTS = ("Y", "present_key", "present_value", "qk_matmul_output")
STAGES = ("scaled", "capped", "masked", "weights")  # by qk_matmul_output_mode


def onnx_attention(
    Q,
    K,
    V,
    attn_mask=None,
    past_key=None,
    past_value=None,
    nonpad_kv_seqlen=None,
    *,
    is_causal=0,
    scale=None,
    softcap=0.0,
    q_num_heads=None,
    kv_num_heads=None,
    left_window_size=-1,
    right_window_size=-1,
    qk_matmul_output_mode=0,
    softmax_precision=None,  # nothing to do: never below float32, and no type of a result
):
    """Return the operator's four outputs, in its order."""
    flat = Q.ndim == 3
    if flat:
        Q = heads_apart(Q, q_num_heads)
        K, V = heads_apart(K, kv_num_heads), heads_apart(V, kv_num_heads)
    past = None if past_key is None else attention.KVCache(past_key, past_value)
    present = attention.extend_cache(past, K, V)
    stages = attention.attention_stages(
        Q,
        *present,
        attn_mask=None if attn_mask is None else lengthened(attn_mask, present.length),
        is_causal=bool(is_causal),
        scale=scale,
        softcap=softcap or None,
        window=tuple(None if side < 0 else side for side in (left_window_size, right_window_size)),
        enable_gqa=True,
        query_offset=offset(past, nonpad_kv_seqlen, Q.shape[-2]),
        key_lengths=None if nonpad_kv_seqlen is None else nonpad_kv_seqlen[:, None],
    )
    output = heads_together(stages.output) if flat else stages.output
    return output, *present, getattr(stages, STAGES[qk_matmul_output_mode])


def offset(past, lengths, queries):
    """Return the position of the first query: after the cache, or so that the last comes last."""
    if lengths is not None:
        return lengths[:, None] - queries
    return 0 if past is None else past.length


def lengthened(mask, keys):
    """Return the mask with hidden keys behind those that it speaks of."""
    missing = [(0, 0)] * (mask.ndim - 1) + [(0, keys - mask.shape[-1])]
    return np.pad(mask, missing, constant_values=False if mask.dtype == bool else -np.inf)


def heads_apart(x, heads):
    """Return `(B, T, H * E)` as `(B, H, T, E)`."""
    return x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)


def heads_together(x):
    """Return `(B, H, T, E)` as `(B, T, H * E)`."""
    return x.swapaxes(1, 2).reshape(x.shape[0], x.shape[2], -1)
