"""How many traces are kept: many of short texts, few of long ones."""

import gc
import weakref

import pytest

from attention.ui import readings


def kept(texts):
    """Return how many of the traces of these texts are still held after all have been read."""
    held = [weakref.ref(readings.trace("minilm", text)) for text in texts]
    gc.collect()
    return sum(ref() is not None for ref in held)


@pytest.mark.slow
def test_few_long_traces_are_kept_and_many_short_ones():
    assert kept([f"word {i} " * 120 for i in range(5)]) == 2
    assert kept([f"word {i}" for i in range(15)]) == 12


def test_a_text_that_is_read_again_is_the_same_trace():
    for text in ("A cat", "a cat sat " * 90):
        assert readings.trace("minilm", text) is readings.trace("minilm", text)
