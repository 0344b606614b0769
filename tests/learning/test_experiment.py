"""What the learning page trains: every setting that can be chosen, pictures, tables and charts."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from attention.charts.specs import unchecked_spec
from attention.learning import charts, frames, sentences
from attention.learning.experiment import (
    MOST_PICTURES,
    NETWORKS,
    REACHES,
    TASKS,
    Experiment,
    pictures,
)
from attention.learning.names import TITLE_NAMES, WORD_NAMES
from attention.learning.network import MOST_APART
from attention.learning.tasks import CONTENTS, TITLES, WORDS
from attention.ui.learning import settings

SHORT = Experiment(n=4, steps=120, beside="tanh", heads=2, width=16)


@pytest.fixture(scope="module")
def learned():
    return list(pictures(SHORT))


def test_every_network_that_can_be_chosen_is_as_large():
    for beside, width, heads, task, positions, n, reach in product(
        NETWORKS, settings.LEARN_WIDTHS, (1, 8), TASKS, (False, True), (1, 32), REACHES
    ):
        chosen = Experiment(task, n, 1, width, heads, positions, beside=beside, reach=reach)
        size = chosen.network.parameter_count()
        if chosen.other is None:
            assert beside == "none"
            continue
        assert abs(chosen.other.parameter_count() / size - 1) <= MOST_APART
        if beside == "convolution":
            assert chosen.other.reach() == reach


def test_every_title_and_word_has_a_name():
    assert len(set(TITLE_NAMES)) == TITLES
    assert len(set(WORD_NAMES)) == WORDS == CONTENTS


@pytest.mark.parametrize("steps", settings.STEP_COUNTS)
def test_pictures_are_few_and_the_last_is_of_the_last_step(steps):
    experiment = Experiment(steps=steps)
    assert steps / experiment.stride == MOST_PICTURES


def test_pictures_begin_even_and_end_at_the_right_book(learned):
    assert [p.step for p in learned] == list(range(0, 121, 2))
    first, last = learned[0], learned[-1]
    assert (first.weights == 0.25).all()
    assert last.progress[0].accuracy > 0.9 > last.progress[1].accuracy
    assert sentences.right_weight(SHORT, last) > 0.7
    np.testing.assert_allclose(last.weights.sum(axis=-1), 1, rtol=1e-5)
    for picture in learned:
        np.testing.assert_allclose(picture.gradients.sum(axis=-1), 0, atol=1e-5)


def test_the_same_settings_give_the_same_pictures(learned):
    for one, other in zip(pictures(SHORT), learned, strict=True):
        assert (one.weights == other.weights).all()
        assert one.progress == other.progress


def test_sentences_say_what_is_in_the_picture(learned):
    assert "every weight is 1/4 = 25.0 %" in sentences.told_picture(SHORT, learned[0])
    said = sentences.told_picture(SHORT, learned[-1])
    assert said.startswith("After 120 steps: attention gets ")
    assert "the tanh network of the same size" in said
    assert "in the head that has most (1/4 = 25.0 % is even)" in said
    majority = replace(SHORT, task_code="majority", beside="none")
    *_, last = pictures(majority)
    assert "All words count" in sentences.told_picture(majority, last)
    assert "All words count" in sentences.told_push(majority, last, 0)
    alone = replace(SHORT, n=1, beside="none", steps=1)
    (first, _) = pictures(alone)
    assert "next to nothing" in sentences.told_push(alone, first, 0)


def test_a_push_that_three_decimals_show_as_nothing_is_not_given_a_direction(learned):
    right = int(np.flatnonzero(SHORT.looked_at.relevant[0])[0])
    gradients = learned[8].gradients.copy()
    gradients[0, :, right] = 1e-5
    said = sentences.told_push(SHORT, learned[8]._replace(gradients=gradients), 0)
    assert said.startswith("The right one is hardly pushed (less than 0.0005 nats")


def test_while_attention_learns_the_right_score_is_pushed_up(learned):
    """From the step on at which values say something, and before the weight is all there."""
    early = learned[8]
    rows = range(SHORT.n)
    pushes = [frames.push_frame(SHORT, early, row).groupby("right")["push"].sum() for row in rows]
    assert all(push[True] > 0 > push[False] for push in pushes)
    said = sentences.told_push(SHORT, early, 0)
    assert said.startswith("The right one is pushed up (+")
    assert "summed over the heads" in said


def test_tables_have_a_row_for_each_mark(learned):
    cells = frames.weight_frame(SHORT, learned[-1])
    assert len(cells) == 2 * 4 * 4
    assert cells.groupby(["map", "q"])["right"].sum().eq(1).all()
    curves = frames.learned_frame(SHORT, learned, at=3)
    assert len(curves) == 2 * len(learned)
    assert curves.query("now")["step"].tolist() == [6, 6]


@pytest.mark.parametrize("heads", [1, 2])
def test_charts_are_what_a_browser_draws(learned, heads):
    experiment = replace(SHORT, heads=heads)
    labels, rows = frames.shelf_labels(experiment), frames.asked_labels(experiment)
    cells = frames.weight_frame(SHORT, learned[-1]).query(f"map < {heads}")
    maps = charts.weight_maps(
        cells, labels=labels, rows=rows, heads=heads, size=150, titles=("asked", "book")
    )
    curves = charts.learning_curves(
        frames.learned_frame(SHORT, learned, at=0),
        series=SHORT.series, steps=120, chance=1 / 16, highest=4.0,
    )  # fmt: skip
    pushes = charts.push_bars(
        frames.push_frame(SHORT, learned[3], 0), labels=labels, largest=0.2, heads=heads
    )
    for chart in (maps, curves, pushes):
        assert chart.to_dict(validate=True)["$schema"]


def test_the_spec_does_not_look_into_the_data(learned):
    columns = tuple(frames.learned_frame(SHORT, learned, at=0).columns)
    options = {"series": SHORT.series, "steps": 120, "chance": 1 / 16, "highest": 4.0}
    assert unchecked_spec(charts.learning_curves, columns, options)
