"""The comparison that is stored with the package, and what is said of it."""

import json
from statistics import fmean

import numpy as np
import pytest

from attention.learning import charts, compared, frames, measure, questions, stored
from attention.learning.experiment import pictures
from attention.learning.measure import (
    BOOKS,
    GOAL,
    LEARNING_RATES,
    MARKED_LENGTHS,
    AccuracyPoint,
    Choice,
    contestants,
    enough_steps,
    rememberers,
    steps_allowed,
)
from attention.learning.tasks import LIBRARY, MARKED_WORD

LEAST_SEEDS = 10


@pytest.fixture(scope="module")
def found():
    return stored.stored_comparison()


def test_it_has_every_network_at_every_number_of_books(found):
    assert [(p.series, p.n) for p in found.library] == [
        (name, n) for n in BOOKS for name in contestants()
    ]
    assert [(p.series, p.n) for p in found.marked] == [
        (name, n) for n in MARKED_LENGTHS for name in rememberers()
    ]
    assert len(found.points) == len(found.library) + len(found.marked)


def test_it_was_made_as_the_module_says(found):
    steps, seeds = found.run.settings["steps at most"], found.run.settings["seeds"]
    assert found.run.kind == measure.LEARNING_KIND
    for task, networks in ((LIBRARY, contestants()), (MARKED_WORD, rememberers())):
        for point in found.of(task):
            assert len(point.accuracies) == len(point.steps) == seeds >= LEAST_SEEDS
            assert point.parameters == networks[point.series].parameter_count()
            choice = point.choice
            looks = choice.seen[LEARNING_RATES.index(choice.rate)]
            assert max(looks) >= min(0.99, max(max(one) for one in choice.seen))
            assert choice.steps == enough_steps(looks, steps)
            allowed = steps_allowed(point.n, choice.steps) if task is LIBRARY else choice.steps
            assert max(point.steps) <= allowed
            assert {p.choice for p in found.of(task) if p.series == point.series} == {choice}


def test_attention_finds_every_book_and_one_state_does_not_hold_them(found):
    """What the pages say in words, of every seed."""
    by_name = {(p.series, p.n): p for p in found.library}
    for n in BOOKS:
        assert min(by_name["attention, width 32", n].accuracies) > GOAL - 0.01
    for name in contestants():
        others = by_name[name, 16].accuracies
        assert name.startswith("attention") or max(others) < 0.9
        assert min(by_name[name, 1].accuracies) > 0.9
    assert min(next(p for p in found.marked if "GRU" in p.series).accuracies) > 0.95


@pytest.mark.slow
def test_a_point_can_be_made_anew(found):
    """The quickest: seeds make it repeatable, but for what another machine rounds differently."""
    point = next(p for p in found.library if p.n == 4)
    (made,) = measure.accuracy_points(
        {point.series: contestants()[point.series]}, [4], seeds=2,
        choose=lambda _: point.choice,
    )  # fmt: skip
    assert made.accuracies == pytest.approx(point.accuracies[:2], abs=0.02)


def test_sentences_have_the_figures(found):
    said = compared.told_books(found.library, 8)
    own = next(p for p in found.library if p.n == 8)
    assert said.startswith(
        f"Asked for one of 8 books: attention gets {100 * fmean(own.accuracies):.1f} % ("
    )
    assert "mean of 10 seeds, worst to best" in said
    limits = compared.told_limits(found.library)
    assert "attention, width 32: 32; " in limits
    assert "GRU, width 32: 2; " in limits
    assert "One word among 128 is marked" in compared.told_marked(found.marked)


def test_the_question_has_one_right_answer(found):
    question = questions.breaks_question(found.library)
    assert question.answer in question.options
    n = int(question.answer.split()[0])
    means = {p.n: fmean(p.accuracies) for p in found.library if p.series == "GRU, width 128"}
    assert means[n] < 0.5 <= means[n // 2]
    always = [
        AccuracyPoint("library", "GRU, width 9", n, 1, Choice(0.1, 1), (1.0,), (1,)) for n in (1, 2)
    ]
    assert questions.breaks_question(always).answer == "none of these"


def test_the_majority_needs_no_bright_cell():
    *_, last = pictures(questions.MAJORITY_ASKED)
    question = questions.even_question(last)
    assert question.answer == "about even"
    assert last.weights.max(axis=-1).mean() < 0.25
    sharp = last._replace(weights=np.eye(8, dtype=np.float32)[:, None])
    assert questions.even_question(sharp).answer == "one bright cell"


def test_charts_of_it_are_what_a_browser_draws(found):
    names = tuple(contestants())
    data = frames.accuracy_frame(found.library, found.library[:1])
    lines = charts.accuracy_lines(data, series=names, lengths=BOOKS, chance=1 / 16, here=True)
    bars = charts.accuracy_bars(data.query("n == 1"), series=names, chance=1 / 16)
    for chart in (lines, bars):
        assert chart.to_dict(validate=True)["$schema"]
    assert data["here"].sum() == 1
    assert (data["at"] / data["n"]).between(0.9, 1.1).all()


def test_a_run_that_was_broken_off_goes_on(tmp_path, monkeypatch):
    file = tmp_path / "accuracies.json"
    made = []
    end = measure.End(0.5, 7)
    choice = Choice(0.01, 9, ((0.1, 0.2, 0.3, 0.5),) * 3)
    searched = []
    monkeypatch.setattr(measure, "training_end", lambda *_: made.append(1) or end)
    monkeypatch.setattr(measure, "best_choice", lambda *_, **__: searched.append(1) or choice)
    arguments = ["measure", str(file), "--seeds", "2", "--steps", "9", "--lengths", "1", "2"]
    monkeypatch.setattr("sys.argv", arguments)
    measure._main()
    whole, first = file.read_text(), len(made)
    content = json.loads(whole)
    assert [p["n"] for p in content["points"]] == [128] * 2 + [1] * 6 + [2] * 6
    content["points"] = content["points"][:-3]
    file.write_text(json.dumps(content))
    made.clear()
    searched.clear()
    measure._main()
    points = [measure.learning_points(json.loads(text)) for text in (whole, file.read_text())]
    assert points[0] == points[1]
    assert len(made) == 2 * 3 < first
    assert not searched
