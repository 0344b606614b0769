"""Translation, where attention began: what a decoder looks at, and what one cut line changes."""

from attention.lazily import submodules

__getattr__, __dir__ = submodules(__name__, __path__)
