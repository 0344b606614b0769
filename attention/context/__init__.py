"""How far apart words reach each other, by attention and by networks that recur or convolve."""

from attention.lazily import submodules

__getattr__, __dir__ = submodules(__name__, __path__)
