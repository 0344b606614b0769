"""How alike heads are: by pencil, by a slow loop, and what is made of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import attention
from attention.analysis import head_map, metrics, words
from attention.analysis.words import Unit, View
from attention.models import registry
from tests.optional import with_smollm2


def random_view(layers, heads, size, seed, *, causal=False, special=()):
    weights = np.random.default_rng(seed).dirichlet(np.full(size, 0.3), (layers, heads, size))
    if causal:
        weights = np.tril(weights)
        weights /= weights.sum(axis=-1, keepdims=True)
    units = tuple(Unit(f"w{i}", (i,), i in special) for i in range(size))
    return View(units, weights, np.zeros((layers, heads, size)), causal)


@given(st.integers(0, 1000), st.booleans())
def test_distances_against_a_slow_loop(seed, causal):
    shown = random_view(2, 2, 5, seed, causal=causal, special=(0,))
    found = head_map.head_distances(shown)
    rows = shown.weights.reshape(4, 5, 5)[:, 1:]
    for i in range(4):
        for j in range(4):
            slow = np.mean(
                [metrics.jensen_shannon(p, q) for p, q in zip(rows[i], rows[j], strict=True)]
            )
            assert found[i, j] == pytest.approx(slow, abs=1e-12)


def test_equal_and_disjoint_heads_by_pencil():
    eye = np.eye(3)
    weights = np.stack([eye, eye, eye[:, ::-1]])[None]
    units = tuple(Unit(w, (i,), False) for i, w in enumerate("abc"))
    found = head_map.head_distances(View(units, weights, np.zeros((1, 3, 3))))
    assert found[0, 1] == pytest.approx(0, abs=1e-12)
    assert found[0, 2] == pytest.approx(2 / 3)  # the middle word is the same


def test_fewer_rows_of_a_long_text_are_evenly_spread():
    shown = random_view(1, 3, 20, 4)
    few = head_map.head_distances(shown, most=2)
    ends = View(shown.units, shown.weights, shown.removed)
    rows = ends.weights[0][:, [0, 19]]
    slow = np.mean([metrics.jensen_shannon(rows[0][r], rows[1][r]) for r in (0, 1)])
    assert few[0, 1] == pytest.approx(slow, abs=1e-12)


def test_it_is_heard_after_every_few_rows_of_a_long_text(monkeypatch):
    shown, shares = random_view(1, 3, 20, 4), []
    whole = head_map.head_distances(shown, on_progress=shares.append)
    assert shares == [1.0]
    monkeypatch.setattr(head_map, "_AT_ONCE", 2 * 3 * 20)  # weights of two rows
    parts = head_map.head_distances(shown, on_progress=shares.append)
    assert shares[1:] == pytest.approx([(i + 1) / 10 for i in range(10)])
    np.testing.assert_allclose(parts, whole, atol=1e-12)


def slow_order(distances):
    """Join the two nearest clusters, with all pairs averaged anew each time."""
    clusters = [[i] for i in range(len(distances))]
    joined = []
    while len(clusters) > 1:
        pairs = [
            (np.mean([[distances[a, b] for b in two] for a in one]), i, j)
            for i, one in enumerate(clusters)
            for j, two in enumerate(clusters)
            if i < j
        ]
        _, i, j = min(pairs)
        joined.append(frozenset(clusters[i] + clusters[j]))
        clusters[i] += clusters.pop(j)
    return joined  # fmt: skip


@given(st.integers(0, 1000), st.integers(2, 9))
def test_every_cluster_of_a_slow_loop_stands_together(seed, size):
    table = np.random.default_rng(seed).random((size, size))
    table = np.triu(table, 1) + np.triu(table, 1).T
    order = head_map.leaf_order(table)
    assert sorted(order) == list(range(size))
    for cluster in slow_order(table):
        places = sorted(order.index(head) for head in cluster)
        assert places == list(range(places[0], places[0] + len(cluster)))


def test_points_of_a_plane_are_laid_out_as_they_are():
    points = np.random.default_rng(0).normal(size=(6, 2))
    squares = ((points[:, None] - points) ** 2).sum(axis=-1)
    places, share = head_map.layout(squares)
    assert share == pytest.approx(1)
    assert ((places[:, None] - places) ** 2).sum(axis=-1) == pytest.approx(squares)
    np.testing.assert_allclose(head_map.layout(squares)[0], places)


@pytest.mark.parametrize("size", [1, 2])
def test_one_or_two_heads_have_places(size):
    places, share = head_map.layout(1.0 - np.eye(size))
    assert places.shape == (size, 2)
    assert np.isfinite(places).all()
    assert share == 1


def test_nearest_and_what_stays_so():
    table = np.array([[0, 1, 2, 3], [1, 0, 4, 5], [2, 4, 0, 6], [3, 5, 6, 0]]) / 6
    assert head_map.nearest(table, 0, 2) == [1, 2]
    turned = table[::-1, ::-1]
    assert head_map.in_common(table, [table], 2).tolist() == [2, 2, 2, 2]
    assert head_map.in_common(table, [turned], 1).tolist() == [0, 0, 0, 0]
    assert np.isnan(head_map.in_common(table, [], 1)).all()


def test_the_previous_word_heads_of_the_embedded_model_are_near(model):
    view = words.view(model.trace("The river was low that summer and the people walked across it"))
    distances = head_map.head_distances(view)
    near = head_map.nearest(distances, 2, 5)  # L0 H2 attends to the word before
    assert 2 * 12 + 11 in near  # L2 H11, the next best at that
    order = head_map.leaf_order(distances)
    assert sorted(order) == list(range(72))


@with_smollm2
def test_all_heads_of_a_decoder_are_compared():
    view = words.view(attention.load_model(registry.SMOLLM2).trace("The cat sat on the mat"))
    distances = head_map.head_distances(view)
    assert distances.shape == (270, 270)
    assert distances == pytest.approx(distances.T)
    assert ((distances >= 0) & (distances <= 1)).all()
