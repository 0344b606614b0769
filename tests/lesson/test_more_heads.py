"""What heads are worth, and how alike they are, said from figures by hand."""

import numpy as np
import pytest

from attention.interventions import pruning
from attention.lesson.more_heads import HeadLikeness, Removal, measure_removal
from tests.views import view


def test_the_removal_is_said_with_the_head_that_counts_most():
    singles = np.array([[0.01, 0.3], [0.02, 0.04]])
    shifts = np.array([[0.0, 0.01, 0.03, 0.2]] * 2)
    removal = Removal(singles, [], (0, 1, 2, 4), shifts, typical=0.9)
    assert removal.worst == (0, 1)
    assert removal.sentence == (
        "2 of 4 heads can be ablated, least effect first, and the sentence vector moves by no more "
        "than 0.05 (two different sentences are 0.90 apart). One head alone, L0 H1, moves it by "
        "0.300: how many heads there are says little, which ones says much."
    )


def test_a_removal_is_measured_alone_and_in_growing_numbers(model):
    shares = []
    removal = measure_removal(model, ("A cat",), shares.append)
    assert removal.singles.shape == (6, 12)
    assert removal.shifts.shape == (len(removal.orders), len(removal.counts))
    assert removal.shifts[0, 1] == pytest.approx(removal.singles.min(), rel=1e-3)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_the_heads_that_are_most_alike_are_named():
    shown = view([1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0])
    grid = np.array([[0, 0.5, 0.2], [0.5, 0, 0.1], [0.2, 0.1, 0]])
    likeness = HeadLikeness(shown, grid)
    assert likeness.heads_per_layer == 1
    assert likeness.most_alike(2) == [((1, 0), (2, 0), 0.1), ((0, 0), (2, 0), 0.2)]
    assert likeness.median == 0.2
    assert likeness.rows == "Mean over the rows of ordinary words of your sentence."
    count = pruning.MOST_ROWS + 1
    long = view(*np.eye(count), labels=["w"] * count)
    assert f"{pruning.MOST_ROWS} of them" in HeadLikeness(long, grid).rows
