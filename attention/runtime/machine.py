"""What this machine has left and what a call takes: memory, and time that other programs use."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import process_time

import psutil


def available_bytes() -> int:
    """Return the memory that can be used without swapping, within a container's limit if any."""
    return min(psutil.virtual_memory().available, _container_bytes())


def peak_bytes(call: Callable[[], object]) -> int:
    """Return the most memory that `call` had allocated at any moment, as tracemalloc sees it.

    NumPy reports its arrays to tracemalloc. So does every other thread: what another one allocates
    meanwhile is counted as well.

    >>> import numpy as np
    >>> peak_bytes(lambda: np.ones(1_000_000, dtype=np.float32)) // 1_000_000
    4
    """
    was_tracing = tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not was_tracing:
            tracemalloc.stop()


def others_since(start: tuple[float, float]) -> float:
    """Return the share of all processor time that other programs took since `processor_seconds`."""
    return _share_of_others(start, processor_seconds())


def processor_seconds() -> tuple[float, float]:
    """Return the seconds so far of all processors together, and those that were idle or ours."""
    times = psutil.cpu_times()._asdict()
    twice = times.get("guest", 0.0) + times.get("guest_nice", 0.0)  # Linux has them in "user" too
    return sum(times.values()) - twice, times["idle"] + times.get("iowait", 0.0) + process_time()


def _share_of_others(start: tuple[float, float], end: tuple[float, float]) -> float:
    whole, free = end[0] - start[0], end[1] - start[1]
    return min(max(1 - free / whole, 0.0), 1.0) if whole > 0 else 0.0


def _container_bytes(folder: Path = Path("/sys/fs/cgroup")) -> int:
    """Return what a container (cgroup v2) may still allocate; huge where there is no limit.

    The machine's own figure says nothing about that limit, and to pass it ends the whole server.
    """
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except OSError:
        return sys.maxsize
    cache = int(stat.get("inactive_file", 0))  # counted as used, but given back on demand
    return sys.maxsize if limit == "max" else max(int(limit) - used + cache, 0)
