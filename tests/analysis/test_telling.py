"""Weights held against what the other words give: by pencil, by a slow loop, on the real models."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention import presets
from attention.analysis import telling, words
from tests.views import causal, view

STRIPE = [[0.1, 0.7, 0.2], [0.1, 0.8, 0.1], [0.0, 0.9, 0.1]]  # every word attends to the second


def test_the_base_rate_by_pencil():
    found = telling.base_rate(STRIPE)
    assert found[0] == pytest.approx([0.05, 0.85, 0.1])  # the mean of the second and third row
    assert found[2] == pytest.approx([0.1, 0.75, 0.15])
    assert telling.selectivity(STRIPE)[0] == pytest.approx([0.05, -0.15, 0.1])


def test_only_asking_words_count_and_a_special_token_is_held_against_all_of_them():
    found = telling.base_rate(STRIPE, [False, True, True])
    assert found[1] == pytest.approx([0.0, 0.9, 0.1])  # the third row alone
    assert found[0] == pytest.approx([0.05, 0.85, 0.1])  # the second and the third


def test_a_word_that_cannot_see_a_key_says_nothing_of_it():
    rows = [[1.0, 0, 0], [0.4, 0.6, 0], [0.1, 0.2, 0.7]]
    found = telling.base_rate(rows, is_causal=True)
    assert found[2] == pytest.approx([0.7, 0.6, np.nan], nan_ok=True)
    assert found[1, 0] == pytest.approx(0.55)
    assert telling.selectivity(rows, is_causal=True)[2] == pytest.approx([-0.6, -0.4, 0.7])


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.booleans())
def test_against_a_slow_loop(seed, size, is_causal):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.ones(size), size=(2, size)) * (
        np.tri(size) if is_causal else np.ones((size, size))
    )
    asking = rng.random(size) < 0.7
    found = telling.base_rate(weights, asking, is_causal=is_causal)
    for h, q, k in np.ndindex(found.shape):
        others = [
            weights[h, r, k]
            for r in range(size)
            if r != q and asking[r] and (r >= k or not is_causal)
        ]
        expected = np.mean(others) if others else np.nan
        assert found[h, q, k] == pytest.approx(expected, abs=1e-12, nan_ok=True)
    for q in range(size):
        row = telling.base_rate(weights, asking, is_causal=is_causal, query=q)
        np.testing.assert_array_equal(row, found[:, q])


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_the_rate_at_a_distance_against_a_slow_loop(seed, size):
    rng = np.random.default_rng(seed)
    weights, asking = rng.dirichlet(np.ones(size), size=(2, size)), rng.random(size) < 0.7
    for q in range(size):
        found = telling.distance_rate(weights, q, asking)
        for h, k in np.ndindex(found.shape):
            pairs = [(r, r + k - q) for r in range(size) if r != q and asking[r]]
            others = [weights[h, r, at] for r, at in pairs if 0 <= at < size]
            expected = np.mean(others) if others else np.nan
            assert found[h, k] == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("preset", "head", "weight", "others"),
    [
        (presets.CAT, (3, 1), 0.49, 0.11),
        (presets.TROPHY_BIG, (3, 1), 0.54, 0.18),
        (presets.BANK, (0, 4), 0.69, 0.10),
        (presets.STEEP, (0, 4), 0.72, 0.17),
    ],
)
def test_the_heads_that_the_lesson_opens_on(model, preset, head, weight, others):
    view = words.view(model.trace(preset.text))
    query, key = view.find(preset.query), view.find(preset.key)
    assert telling.telling_heads(view, query, key, 1) == [head]
    assert view.weights[head][query, key] == pytest.approx(weight, abs=0.005)
    assert telling.others_give(view, head, query)[key] == pytest.approx(others, abs=0.005)


def test_a_head_in_which_every_word_attends_to_cat_tells_nothing(cat_view):
    it, cat = cat_view.find("it"), cat_view.find("cat")
    assert cat_view.weights[5, 11, it, cat] == pytest.approx(0.68, abs=0.005)  # the largest of all
    assert telling.others_give(cat_view, (5, 11), it)[cat] == pytest.approx(0.64, abs=0.005)
    assert (5, 11) not in telling.telling_heads(cat_view, it, cat, 10)


def test_heads_are_ranked_by_what_this_word_adds():
    stripe, own = np.array(STRIPE), np.array([[0.2, 0.6, 0.2], [1, 0, 0], [1, 0, 0]])
    both = view(*STRIPE)
    both = type(both)(both.units, np.stack([stripe, own])[None], np.zeros((1, 2, 3)))
    assert telling.telling_heads(both, 0, 1, 2) == [(0, 1), (0, 0)]


def test_the_telling_link_prefers_distant_words():
    link = view([0.1, 0.2, 0.7], [0.9, 0.1, 0], [0.3, 0.7, 0])
    assert telling.telling_link(link) == (0, 2, 0, 0)
    assert telling.telling_link(link, least=1) == (0, 2, 0, 0)  # 0.7 - 0; the other: 0.9 - 0.2
    assert telling.telling_link(link, least=1, query=1) == (1, 0, 0, 0)
    assert telling.telling_link(link, least=1, but=0) == (1, 0, 0, 0)


def test_the_telling_link_of_two_words_and_of_one():
    two = view([0.4, 0.6], [0.7, 0.3], labels="ab")
    assert telling.telling_link(two, query=1) == (1, 0, 0, 0)  # between two, both are as selective
    assert telling.telling_link(view([1.0], labels="a")) == (0, 0, 0, 0)


def test_the_telling_link_of_a_decoder_spares_its_first_word():
    sink = causal([1, 0, 0, 0], [0.9, 0.1, 0, 0], [0.8, 0.1, 0.1, 0], [0.6, 0.1, 0.2, 0.1],
                  labels="abcd")  # fmt: skip
    assert telling.telling_link(sink) == (3, 1, 0, 0)  # a would be 0.6
    assert telling.telling_link(sink, query=3) == (3, 1, 0, 0)
    assert telling.telling_link(sink, query=2) == (2, 1, 0, 0)
    assert telling.telling_link(sink, query=1) == (1, 0, 0, 0)  # no other is there
    assert telling.telling_link(sink, query=0) == (0, 0, 0, 0)
