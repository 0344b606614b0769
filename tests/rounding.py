"""How far two right answers may be apart: what is compared decides, not the machine it runs on.

BLAS sums in another order on every kind of processor, and each order rounds differently. A
tolerance here is a number of roundings times the spacing of the type at the size of the values.
"""

import numpy as np


def assert_within(found, expected, *, roundings):
    """Check `|found - expected| <= roundings * eps * max |expected|`, with the type of `found`."""
    found, expected = np.asarray(found), np.asarray(expected)
    spacing = np.finfo(found.dtype).eps * np.abs(expected).max(initial=0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=roundings * spacing)


def assert_rounded(found, theirs, exact, *, layers):
    """Check that a float32 pass is as near to one in float64 as rounding allows.

    How much a model amplifies rounding depends on its numbers. Another's float32 pass over the same
    ones shows it: four times its distance is allowed, and never less than the roundings of a pass.
    """
    spacing = np.finfo(np.float32).eps * np.abs(exact).max(initial=0)
    shown = np.abs(np.asarray(theirs) - exact).max(initial=0)
    allowed = max(4 * shown, whole_pass(layers) * spacing)
    np.testing.assert_allclose(found, exact, rtol=0, atol=allowed)


def whole_pass(layers):
    """Return how many roundings a value has behind it after so many layers.

    A layer has eight matrix products in a row or so (q, k, v, scores, blend, W_O, and two or three
    of the MLP); the errors of one product of unit vectors are about one spacing together.
    """
    return 8 * layers


def attention_error(query, key, value, scale=None):
    """Return how far two computations of one attention may be apart, in the output's unit.

    A score is a sum of products, each rounded: two sums of the same differ by up to 2 eps times the
    sum of sizes `S = scale * sum |q| |k|`. Weights change by up to that share, twice (themselves
    and the sum they are divided by), and then weigh values. The result is rounded to its type.
    """
    computed = np.result_type(query.dtype, np.float32)
    q, k = (np.abs(a.astype(np.float64)) for a in (query, key))
    if k.ndim >= 3 and q.ndim >= 3 and k.shape[-3] not in (1, q.shape[-3]):
        k = k.repeat(q.shape[-3] // k.shape[-3], axis=-3)
    scale = abs(1 / np.sqrt(q.shape[-1]) if scale is None else scale)
    sizes = (q @ np.swapaxes(k, -1, -2)).max(initial=0) * scale
    share = 4 * np.finfo(computed).eps * (1 + sizes)
    return float((share + np.finfo(value.dtype).eps) * np.abs(value).max(initial=0))
