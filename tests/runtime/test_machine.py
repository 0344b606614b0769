import tracemalloc

import numpy as np

from attention.runtime import machine


def test_the_share_of_other_programs_by_hand():
    """Of 8 processor seconds 2 were idle or ours."""
    assert machine._share_of_others((100.0, 50.0), (108.0, 52.0)) == 0.75
    assert machine._share_of_others((100.0, 50.0), (100.0, 50.0)) == 0.0  # the clock ticks slowly
    assert machine._share_of_others((100.0, 50.0), (101.0, 51.1)) == 0.0


def test_peak_memory_counts_what_was_freed_again_and_leaves_tracing_as_it_was():
    def grow_and_shrink():
        np.ones(1_000_000)
        return np.ones(10)

    assert 8_000_000 <= machine.peak_bytes(grow_and_shrink) < 8_100_000
    assert not tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        machine.peak_bytes(grow_and_shrink)
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_free_memory_respects_the_limit_of_a_container(tmp_path):
    assert 0 < machine.available_bytes() < 2**60
    assert machine._container_bytes(tmp_path) > 2**60
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 300\ninactive_file 150\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert machine._container_bytes(tmp_path) > 2**60
    (tmp_path / "memory.max").write_text("1000\n")
    assert machine._container_bytes(tmp_path) == 1000 - 700 + 150
