"""Which heads matter: the whole study on a toy decoder, its limit and its sentence."""

import numpy as np
import pytest

from attention.interventions import effects, passes, pruning, study
from attention.interventions.ablation import ablate
from attention.interventions.study import LOSS_RISE, VECTOR_MOVE, Study
from attention.models.llama import Llama
from tests.models import tiny
from tests.toy_decoder import HEADS, LAYERS, ToyDecoder

NUMBERS = "3 1 4 1 5 9 2 6"


@pytest.fixture(scope="module")
def toy():
    return ToyDecoder()


@pytest.fixture(scope="module")
def studied(toy):
    trace, shares = toy.trace(NUMBERS), []
    limit = study.limit_for(toy, trace)
    entropies = np.arange(LAYERS * HEADS, dtype=float).reshape(LAYERS, HEADS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passes, "_ROWS_AT_ONCE", 16)  # so that it takes several steps
        steps = list(study.study_heads(toy, trace, entropies, limit.most, shares.append))
    return trace, limit, steps, shares


def test_a_study_grows_from_single_heads_to_how_many_can_go(studied):
    _, _, steps, shares = studied
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert steps[0].effects is None
    assert np.isnan(steps[0].singles).any()
    assert [order.name for order in steps[-1].orders] == [
        pruning.LEAST, pruning.WIDEST, *[pruning.RANDOM] * study.SEEDS,
    ]  # fmt: skip
    assert not np.isnan(steps[-1].effects).any()


def test_as_many_can_go_as_stay_within_the_limit(toy, studied):
    trace, limit, steps, _ = studied
    effect, last = effects.effect_on(toy, trace), steps[-1]
    for order, count in zip(last.orders, last.spare, strict=False):
        for heads, within in ((order.heads[:count], True), (order.heads[: count + 1], False)):
            hidden = toy.hidden(NUMBERS, ablate(heads))
            if len(heads) == count + (not within):
                assert (effect(hidden[None, -1])[0] <= limit.most) == within


def test_the_limit_is_a_share_of_a_decoders_loss_or_a_distance(toy, model, studied):
    trace, limit, *_ = studied
    loss = effects.text_loss(toy, trace.hidden[-1], trace.input.ids)
    assert limit.most == pytest.approx(LOSS_RISE * loss)
    assert str(limit) == f"rise of the loss (untouched: {loss:.3f} nats per token)"
    assert study.limit_for(model, model.trace("cat")).most == VECTOR_MOVE


def test_the_sentence_says_no_more_than_is_known(studied):
    _, limit, steps, _ = studied
    assert study.study_sentence(Study(np.full((1, 2), np.nan)), 0.1) == ""
    assert "limit" not in study.study_sentence(steps[0], limit.most)
    whole, last = study.study_sentence(steps[-1], limit.most), steps[-1]
    assert f"Of {LAYERS * HEADS} heads ablated alone" in whole
    assert f"for up to {last.spare[0]} (least effect first), {last.spare[1]} (highest" in whole


def test_what_is_estimated_stands_until_it_is_measured():
    nan = np.nan
    first = Study(np.full((1, 4), nan), np.array([[0.25, -0.5, 0.125, 0.0]]))
    assert first.worst == (0, 0)
    assert study.study_sentence(first, 0.1) == (
        "Of 4 heads, each estimated to first order, L0 H0 has the largest effect (+0.250)."
    )
    then = Study(np.array([[nan, -0.25, 0.5, nan]]), first.estimate)
    assert then.best_known.tolist() == [[0.25, -0.25, 0.5, 0.0]]
    assert study.study_sentence(then, 0.1) == (
        "Of 2 heads ablated alone and 2 estimated to first order (where both are known, the "
        "estimate is off by 0.312 at the median), L0 H2 has the largest effect (+0.500)."
    )
    last = Study(np.array([[0.0, -0.25, 0.5, 0.75]]), first.estimate)
    assert study.study_sentence(last, 0.1).startswith("Of 4 heads ablated alone, L0 H3")


def test_the_heads_with_the_largest_estimate_are_ablated_first(tmp_path, monkeypatch):
    monkeypatch.setattr(passes, "_ROWS_AT_ONCE", 1)  # a head for each processor
    llama = Llama.from_folder("tiny", tiny.write(tmp_path / "m", "llama"))
    trace = llama.trace("the cat sat on the mat it was")
    steps = study.study_heads(llama, trace, np.zeros((3, 4)), 0.1)
    estimate, then = next(steps), next(steps)
    assert np.isnan(estimate.singles).all()
    assert not np.isnan(estimate.estimate).any()
    measured = np.abs(estimate.estimate[~np.isnan(then.singles)])
    assert measured.min() >= np.abs(estimate.estimate[np.isnan(then.singles)]).max()
    steps.close()
