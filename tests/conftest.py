import pytest

import attention
from attention import lesson, words


@pytest.fixture(scope="session")
def model():
    return attention.load_model("minilm")


@pytest.fixture(scope="session")
def cat_trace(model):
    return model.trace(lesson.CAT.text)


@pytest.fixture(scope="session")
def cat_view(cat_trace):
    return words.view(cat_trace)
