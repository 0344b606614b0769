"""What every head does over any number of texts: measured text by text, streamed, gone on with."""

from attention.lazily import submodules
from attention.survey.running import run

__all__ = ["run"]

__getattr__, __dir__ = submodules(__name__, __path__)
