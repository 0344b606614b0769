"""The points of the lesson, each measured on a real model."""

from attention.lazily import submodules

__getattr__, __dir__ = submodules(__name__, __path__)
