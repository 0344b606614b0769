import importlib.util

import numpy as np
import pytest

from attention.runtime import timing
from attention.runtime.timing import Timing
from attention.scaling import methods
from attention.scaling.methods import (
    CAUSAL,
    DECODE,
    FULL,
    TILES,
    TORCH,
    WINDOW,
    MethodCost,
)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(timing, "_WARM_UP_SECONDS", 1e-4)
    monkeypatch.setattr(timing, "_ROUND_SECONDS", 1e-5)


def test_every_method_is_timed_at_every_length(quick):
    found = list(methods.compare([8, 40], window=4, width=16, heads=3, repeats=3))
    expected = [FULL, TILES, CAUSAL, WINDOW, DECODE, *[TORCH][: methods.torch_installed()]]
    assert [[cost.method for cost in costs] for costs in found] == [expected] * 2
    assert [{cost.n for cost in costs} for costs in found] == [{8}, {40}]


def test_exact_methods_differ_by_rounding_and_the_window_by_more(quick):
    costs = next(methods.compare([64], window=2, width=16, heads=2, repeats=3))
    for cost in costs:
        assert (cost.difference > 0.1) == (cost.method == WINDOW), cost
        assert cost.method == WINDOW or cost.difference < 2e-6
        assert 0.1 < cost.largest < 10


def test_a_window_as_wide_as_the_text_is_full_attention(quick):
    costs = next(methods.compare([16], window=16, repeats=3))
    assert all(cost.difference < 2e-6 for cost in costs)


def test_what_is_computed_by_hand():
    """Two tokens with equal scores: full attention averages, a causal first token does not."""
    zeros, value = np.zeros((1, 2, 1), np.float32), np.array([[[1.0], [3.0]]], np.float32)
    calls = methods.calls(zeros, zeros, value, window=1)
    for method, expected in {
        FULL: [2, 2], TILES: [2, 2], CAUSAL: [1, 2], WINDOW: [2, 2], DECODE: [2],
    }.items():  # fmt: skip
        np.testing.assert_allclose(calls[method]().ravel(), expected, err_msg=method)


@pytest.mark.skipif(not methods.torch_installed(), reason="PyTorch is not installed")
def test_pytorch_computes_the_same():
    query, key, value = np.random.default_rng(0).standard_normal((3, 2, 40, 8), np.float32)
    calls = methods.calls(query, key, value, window=1)
    np.testing.assert_allclose(calls[TORCH](), calls[FULL](), atol=2e-6)


def test_without_pytorch_it_is_left_out(monkeypatch):
    monkeypatch.setattr(methods, "find_spec", lambda name: None)
    zeros = np.zeros((1, 2, 1), np.float32)
    assert TORCH not in methods.calls(zeros, zeros, zeros, window=1)
    assert importlib.util.find_spec("numpy") is not None  # the real one is untouched


def test_growth_is_fitted_for_each_method_apart():
    def cost(method, n, power):
        return MethodCost(method, n, Timing(n**power, 1, 1), 0.0, 1.0, 0.0)

    costs = [cost(m, n, p) for n in (8, 16, 32, 64) for m, p in ((FULL, 2), (WINDOW, 1))]
    assert methods.growth(costs, FULL).exponent == pytest.approx(2)
    assert methods.growth(costs, WINDOW).exponent == pytest.approx(1)
    assert methods.growth(costs[:6], FULL) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"window": 0}, "window must be at least 1, got 0"),
        ({"heads": 0}, "heads must be at least 1, got 0"),
        ({"repeats": 2}, "repeats must be at least 3, got 2"),
        ({"lengths": [10**6]}, "1,000,000 tokens"),
    ],
)
def test_wrong_numbers_are_refused_before_anything_is_timed(arguments, message):
    with pytest.raises(ValueError, match=message):
        methods.compare(**{"lengths": [8], **arguments})
