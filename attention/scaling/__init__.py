"""What the n x n core costs: measured, modelled, and planned for."""

from attention.lazily import submodules

__getattr__, __dir__ = submodules(__name__, __path__)
