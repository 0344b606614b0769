"""Memory of forward passes: arrays are apart from one another, and blocks come round again."""

import gc

import numpy as np

from attention.models import memory


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
