"""Attention learned from examples, beside networks that recur or convolve."""

from attention.lazily import submodules

__getattr__, __dir__ = submodules(__name__, __path__)
