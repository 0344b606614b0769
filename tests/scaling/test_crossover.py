import numpy as np
import pytest

from attention.core.plain import plain_attention
from attention.runtime import timing
from attention.runtime.timing import Timing
from attention.scaling import crossover
from attention.scaling.crossover import LINEAR, PLAIN, TILED, PartTime
from attention.scaling.model_shapes import Shape, shape

TINY = Shape("tiny", "made up", 1, 8, 4, 2, 2, 16, 10, gated=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(timing, "_WARM_UP_SECONDS", 1e-4)
    monkeypatch.setattr(timing, "_ROUND_SECONDS", 1e-5)


def made_up(lengths, quadratic):
    """The linear part takes n seconds, attention quadratic * n^2."""
    return [
        PartTime(part, n, Timing(seconds, seconds, seconds))
        for n in lengths
        for part, seconds in ((LINEAR, n), (TILED, quadratic * n * n))
    ]


def test_the_prediction_by_hand():
    assert crossover.predicted(shape("GPT-2 small")) == 12 * 768**2 / 768
    assert crossover.predicted(shape("all-MiniLM-L6-v2")) == 2304


def test_operations_are_equal_where_predicted():
    for name in ("BERT base", "SmolLM2 135M", "Llama 3 8B"):
        found = shape(name)
        n = round(crossover.predicted(found))
        attention = 4 * found.heads * found.head_width * found.pairs(n)
        assert attention == pytest.approx(2 * n * found.layer_parameters, rel=1e-3)


@pytest.mark.parametrize(("lengths", "measured"), [((64, 128, 512), True), ((16, 32), False)])
def test_a_crossing_is_found_between_the_lengths_or_beyond(lengths, measured):
    found = crossover.crossing(made_up(lengths, 1 / 200), TILED)
    assert found.n == pytest.approx(200)
    assert found.measured is measured


def test_there_is_none_without_two_lengths_or_where_attention_does_not_catch_up():
    assert crossover.crossing(made_up((16,), 1), TILED) is None
    assert crossover.crossing(made_up((16, 32), 1), PLAIN) is None
    slower = [PartTime(p.part, p.n, Timing(1.0 / p.n if p.part == TILED else 1.0, 1, 1))
              for p in made_up((16, 32), 1)]  # fmt: skip
    assert crossover.crossing(slower, TILED) is None


def test_all_parts_are_timed_at_every_length():
    found = list(crossover.time_parts(TINY, [4, 20]))
    assert [[(t.part, t.n) for t in times] for times in found] == [
        [(part, n) for part in crossover.PARTS] for n in (4, 20)
    ]


def test_the_plain_form_is_left_out_where_its_scores_are_too_large(monkeypatch):
    monkeypatch.setattr(crossover, "LARGEST_SCORES", 4 * 4 * 10 * 10)
    found = list(crossover.time_parts(TINY, [10, 11]))
    assert [[t.part for t in times] for times in found] == [[LINEAR, PLAIN, TILED], [LINEAR, TILED]]


def test_both_forms_of_attention_give_the_same():
    calls = crossover.layer_calls(TINY, 9)
    np.testing.assert_allclose(calls[PLAIN](), calls[TILED](), atol=2e-6)
    assert calls[PLAIN]().shape == (4, 9, 2)
    assert calls[LINEAR]().shape == (9, 8)
    assert plain_attention is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"lengths": [0]}, "length must be"), ({"lengths": [8], "repeats": 1}, "repeats must be")],
)
def test_wrong_numbers_are_refused_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        crossover.time_parts(TINY, **arguments)
