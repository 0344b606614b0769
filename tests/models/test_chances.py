"""Which tokens can be written next, and how probable each is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention.models.decoder import chances
from attention.models.llama import Llama
from tests.models import tiny


def by_sorting(logits, temperature, top_k):
    """Go through all tokens, the best first and of equal ones the first, one at a time."""
    order = sorted(range(len(logits)), key=lambda i: (-logits[i], i))
    kept = order[: 1 if temperature == 0 else top_k]
    top = logits[kept[0]]
    odds = {i: np.exp((float(logits[i]) - float(top)) / (temperature or 1.0)) for i in kept}
    return [odds.get(i, 0.0) / sum(odds.values()) for i in range(len(logits))]


@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=9),  # few values: many are equal
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    st.integers(1, 12),
)
def test_the_k_best_share_all_and_of_equal_ones_the_first(logits, temperature, top_k):
    found = chances(np.array(logits, np.float32), temperature, top_k)
    np.testing.assert_allclose(found, by_sorting(logits, temperature, top_k), atol=1e-12)


@pytest.mark.parametrize("temperature", [np.nan, np.inf, -0.1])
def test_a_temperature_that_is_none_is_refused_at_once(tmp_path, temperature):
    model = Llama.from_folder("tiny", tiny.write(tmp_path / "m", "llama"))
    with pytest.raises(ValueError, match=f"temperature must be finite.*{temperature}"):
        model.generate("the cat", temperature=temperature)
