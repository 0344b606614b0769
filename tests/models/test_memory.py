"""Memory of models and of forward passes: what a model takes is known before it is taken."""

import gc
import tracemalloc

import ml_dtypes
import numpy as np
import pytest

import attention
from attention.models import memory, registry
from attention.models.bert import Bert
from attention.models.gpt2 import Gpt2
from attention.models.llama import Llama
from attention.runtime import machine
from tests.models import tiny

KINDS = {"bert": Bert, "gpt2": Gpt2, "llama": Llama}
WIDE = {
    "bert": {"hidden_size": 128, "intermediate_size": 512, "vocab_size": 1_000},
    "gpt2": {"n_embd": 128, "vocab_size": 1_000},
    "llama": {"hidden_size": 128, "intermediate_size": 300, "vocab_size": 1_000},
}


def address(array):
    return array.__array_interface__["data"][0]


def test_arrays_have_their_shapes_and_do_not_overlap():
    first, second, empty = memory.arrays((2, 3), (4,), (0, 5))
    assert (first.shape, second.shape, empty.shape) == ((2, 3), (4,), (0, 5))
    assert first.dtype == np.float32
    first[:] = 1
    second[:] = 2
    assert first.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_a_block_is_used_again_only_when_no_view_is_left():
    size = 2_000_003  # unlike that of any other test
    (array,) = memory.arrays((size,))
    view, taken = array[5:7], address(array)
    view[:] = 7
    del array
    gc.collect()
    (other,) = memory.arrays((size,))
    assert address(other) != taken
    assert view.tolist() == [7, 7]
    del view
    gc.collect()
    (again,) = memory.arrays((size,))
    assert address(again) == taken


def test_a_block_far_too_large_is_not_taken():
    memory.arrays((4_000_003,))
    gc.collect()
    (small,) = memory.arrays((900_000,))
    assert small.base.size <= 2 * small.size


def peak_of(load):
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        model = load()
        return tracemalloc.get_traced_memory()[1] - before, model
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("kind", KINDS)
def test_loading_takes_what_was_said_and_no_more(tmp_path, kind, dtype):
    """The allowance: a layer of these few weighs more than one of many does."""
    tensors = {name: a.astype(dtype) for name, a in tiny.weights(kind, **WIDE[kind]).items()}
    folder = tiny.write(tmp_path / "m", kind, tensors, **WIDE[kind])
    KINDS[kind].from_folder("m", folder)  # what is imported on the way is not the model's
    needed = memory.needed(KINDS[kind].check_folder(folder))
    peak, _ = peak_of(lambda: KINDS[kind].from_folder("m", folder))
    assert 0.6 * needed < peak < needed + 100_000  # the tokenizer and the rest


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted({"minilm", "en-pt", "smollm2"} & {*attention.available_models()})
)
def test_loading_a_published_model_takes_what_was_said(name):
    entry = registry.entries()[name]
    entry.load()
    peak, _ = peak_of(entry.load)
    assert 0.9 * entry.needed < peak < entry.needed + 10_000_000  # its tokenizer


def little_is_free(monkeypatch, size):
    monkeypatch.setattr(machine, "available_bytes", lambda: size)


def test_a_model_that_does_not_fit_is_refused_before_it_takes_anything(monkeypatch):
    entry = registry.entries()["minilm"]
    little_is_free(monkeypatch, 50_000_000)
    told = r"minilm needs 0\.10 GB of memory; 0\.05 GB is free"

    def load():
        with pytest.raises(ValueError, match=told):
            entry.load()

    peak, _ = peak_of(load)
    assert peak < 1_000_000


def test_memory_that_is_refused_is_told_with_the_same_figures(monkeypatch):
    def fails():
        raise MemoryError("Unable to allocate 26.9 GiB")

    little_is_free(monkeypatch, 7_000)
    told = r"m needs 0\.00 GB of memory; 0\.00 GB is free"
    with pytest.raises(ValueError, match=told), memory.enough_for("m", 6_000):
        fails()


def test_a_pass_that_does_not_fit_is_told(monkeypatch):
    with pytest.raises(ValueError, match=r"the pass needs 4000000\.0 GB of memory; .* is free"):
        memory.arrays((10**6, 10**9))


def test_what_a_model_needs_is_listed():
    needed = attention.models.memory_needed()
    assert list(needed) == attention.available_models()
    assert needed["minilm"] == pytest.approx(4 * 22.6e6, rel=0.1)  # 22.6 million numbers
