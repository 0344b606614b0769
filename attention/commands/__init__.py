"""The command line: `attention`, or `python -m attention`."""

from attention.lazily import submodules

__getattr__, __dir__ = submodules(__name__, __path__)
