"""What a change to a forward pass does: effects, ablation, pruning, steering."""

from attention.lazily import submodules

__getattr__, __dir__ = submodules(__name__, __path__)
