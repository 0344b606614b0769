import pytest
from hypothesis import settings

import attention
from attention import presets
from attention.analysis import words

# Whether a machine is busy says nothing about the code.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def model():
    return attention.load_model("minilm")


@pytest.fixture(scope="session")
def cat_trace(model):
    return model.trace(presets.CAT.text)


@pytest.fixture(scope="session")
def cat_view(cat_trace):
    return words.view(cat_trace)
