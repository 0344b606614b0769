"""Models in a folder, where the registry looks for the reader's own."""

from contextlib import contextmanager

import pytest

from attention.models import places, registry


@contextmanager
def offered(folder):
    """Let the models of this folder be among those that can be picked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(places.OWN_FOLDER, str(folder))
        registry.entries.cache_clear()
        yield
    registry.entries.cache_clear()
