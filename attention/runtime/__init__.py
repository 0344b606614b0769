"""The machine underneath: threads, clocks, memory, and whose turn it is."""

from attention.lazily import submodules

__getattr__, __dir__ = submodules(__name__, __path__)
