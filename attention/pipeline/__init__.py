"""One number followed from dot product to output, step by step."""

from attention.lazily import submodules

__getattr__, __dir__ = submodules(__name__, __path__)
