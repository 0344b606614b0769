"""Gradients the slow and obvious way: move every number a little and look at the loss."""

import numpy as np

STEP = 1e-5  # the error of a central difference goes with its square


def numeric_gradient(loss, array):
    """Return `(loss(a + h) - loss(a - h)) / 2h` for every number of `array`, moved in place."""
    gradient = np.empty_like(array)
    for place in np.ndindex(array.shape):
        kept = array[place]
        array[place] = kept + STEP
        above = loss()
        array[place] = kept - STEP
        below = loss()
        array[place] = kept
        gradient[place] = (above - below) / (2 * STEP)
    return gradient


def assert_gradients(loss, arrays, found):
    """Hold gradients to differences: 1e-6 of the largest number in each of them.

    What is 0 but for rounding is held to 1e-6 of the loss's own size.
    """
    assert len(arrays) == len(found)
    floor = abs(loss())
    for array, gradient in zip(arrays, found, strict=True):
        expected = numeric_gradient(loss, array)
        assert gradient.shape == array.shape
        scale = max(np.abs(expected).max(initial=0.0), 1e-3 * floor, 1e-4)
        assert np.abs(gradient - expected).max(initial=0.0) <= 1e-6 * scale
