import pytest

from tests.models import tiny, tiny_marian
from tests.models.offered import offered


@pytest.fixture(scope="module")
def small_models(tmp_path_factory):
    """Offer one small model of each kind of layer, and one without a head, beside the others."""
    folder = tmp_path_factory.mktemp("models")
    for kind in tiny.DIFFERENT:
        tiny.write(folder / f"small-{kind}", kind)
    tiny_marian.write(folder / "small-marian")
    tiny.write(folder / "small-headless", "llama", tie_word_embeddings=False)
    with offered(folder):
        yield
