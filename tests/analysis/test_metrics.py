import numpy as np
import pytest

from attention.analysis import metrics
from attention.analysis.words import View
from tests.views import causal, view

ONE_BACK = view([1, 0, 0], [1, 0, 0], [0, 1, 0])
EVEN = view([1 / 3] * 3, [1 / 3] * 3, [1 / 3] * 3)


def test_entropy_counts_bits():
    rows = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4])
    assert metrics.entropy(rows).tolist() == [0, 1, 2]


def test_distance_weighs_positions():
    rows = np.array([[0, 0, 1], [0.5, 0, 0.5], [0, 0, 1]])
    assert metrics.distance(rows).tolist() == [2, 1, 0]


def test_jensen_shannon_by_hand():
    one, other, even = [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]
    assert metrics.jensen_shannon(one, one) == 0
    assert metrics.jensen_shannon(one, other) == 1
    # The middle is (3/4, 1/4): its entropy less the mean of 0 and 1 bit.
    expected = 0.75 * np.log2(4 / 3) + 0.25 * np.log2(4) - 0.5
    assert metrics.jensen_shannon(one, even) == pytest.approx(expected)
    assert metrics.jensen_shannon(even, one) == pytest.approx(expected)


def test_jensen_shannon_broadcasts_and_stays_between_0_and_1():
    rows = np.random.default_rng(0).dirichlet(np.full(6, 0.2), size=(3, 5)).astype(np.float32)
    found = metrics.jensen_shannon(rows[:, :, None], rows[:, None])
    assert found.shape == (3, 5, 5)
    assert ((found >= 0) & (found <= 1)).all()
    for layer, a, b in np.ndindex(found.shape):
        p, q = rows[layer, a].astype(float), rows[layer, b].astype(float)
        slow = sum(x / 2 * np.log2(2 * x / (x + y)) for x, y in zip(p, q, strict=True) if x)
        slow += sum(y / 2 * np.log2(2 * y / (x + y)) for x, y in zip(p, q, strict=True) if y)
        assert found[layer, a, b] == pytest.approx(slow, abs=1e-6)
    columns = np.moveaxis(rows, -1, 0)
    assert np.allclose(metrics.jensen_shannon(columns[:, :, :1], columns, axis=0), found[:, 0])


def test_neighbour_share_leaves_out_rows_without_that_neighbour():
    assert metrics.neighbour_share(ONE_BACK, -1) == 1  # the first row has no word before
    assert metrics.neighbour_share(ONE_BACK, 1) == 0
    assert metrics.neighbour_share(ONE_BACK, 0) == pytest.approx(1 / 3)


def test_figures_leave_out_what_special_tokens_ask():
    framed = view([0, 1, 0], [0.2, 0.5, 0.3], [1, 0, 0], special=(0, 2))
    assert metrics.position_share(framed, 0) == pytest.approx(0.2)
    assert metrics.separator_share(framed) == pytest.approx(0.3)
    assert metrics.special_share(framed) == pytest.approx(0.5)


def test_separator_share_is_zero_without_a_separator():
    assert metrics.separator_share(ONE_BACK) == 0


@pytest.mark.parametrize("figure", metrics.METRICS.values(), ids=lambda m: m.label)
def test_every_figure_is_defined_on_a_view_without_words(figure):
    empty = View((), np.zeros((2, 3, 0, 0)), np.zeros((2, 3, 0)))
    assert np.array_equal(figure.per_head(empty), np.zeros((2, 3)))


@pytest.mark.parametrize("figure", metrics.METRICS.values(), ids=lambda m: m.label)
def test_every_figure_is_defined_on_a_single_word(figure):
    assert np.isfinite(figure.per_head(view([1.0], labels="a"))).all()


SINK = causal([1, 0, 0, 0], [0.9, 0.1, 0, 0], [0.8, 0.1, 0.1, 0], [0.6, 0.1, 0.2, 0.1],
              labels="abcd")  # fmt: skip


def test_the_first_word_of_a_decoder_is_a_sink():
    assert metrics.first_share(SINK) == pytest.approx(0.7)  # the rows of c and d
    assert metrics.first_share(causal([1, 0], [1, 0], labels="ab")) == 0


def test_figures_that_cannot_vary_in_a_decoder_are_left_out():
    assert {"next", "separator"}.isdisjoint(metrics.figures_for(SINK))
    assert len(metrics.figures_for(SINK)) == len(metrics.METRICS) - 2
    assert metrics.figures_for(ONE_BACK) == metrics.METRICS
