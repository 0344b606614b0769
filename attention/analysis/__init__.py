"""What one trace says: words, figures of heads, links, embeddings, and tables of them."""

from attention.lazily import submodules

__getattr__, __dir__ = submodules(__name__, __path__)
