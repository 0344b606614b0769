"""No reader can hold the machine: how much work there is in all, and until a run can be stopped.

Work is counted, in tokens that go through a layer, never timed. A page's progress bar raises where
the reader has left or wants something else: then nothing more may run.
"""

import math

import numpy as np
import pytest

from attention.analysis.metrics import entropy_per_head
from attention.analysis.words import view
from attention.interventions import ablation, passes, pruning, study
from attention.interventions.patching import Patching
from attention.lesson.more_heads import measure_removal
from attention.models.transformer import Transformer
from attention.runtime.machine import peak_bytes
from attention.runtime.threads import processors

LONG = "the cat sat on the mat " * 85  # 512 tokens, the most that a trace may have
SHORT = "A cat sat"
RUNS = {
    "each head": lambda m, t, other, report: ablation.head_effects(m, t, report),
    "a study": lambda m, t, other, report: study.study_heads(
        m, t, entropy_per_head(view(t)), 0.05, report
    ),
    "head outputs": lambda m, t, other, report: Patching(m, t, other).heads(None, report),
    "weights": lambda m, t, other, report: Patching(m, t, other).weights(None, report),
    "hidden states": lambda m, t, other, report: Patching(m, t, other).states(
        [[i] for i in range(1, 9)], report
    ),
    "a claim": lambda m, t, other, report: iter([measure_removal(m, [t.text], report)]),
}


class Left(Exception):
    """The reader has."""


@pytest.fixture
def work(monkeypatch):
    """Count the tokens that go through each layer: of a whole pass, T * L."""
    done, run = [], Transformer._run_layer

    def counted(self, share, layer, edits, arrays):
        texts, _, queries, _ = arrays.weights.shape
        done.append(texts * queries)
        run(self, share, layer, edits, arrays)

    monkeypatch.setattr(Transformer, "_run_layer", counted)
    return done


@pytest.fixture(scope="module")
def longest(model):
    trace = model.trace(LONG)
    assert len(trace.tokens) == model.longest_trace == 512
    return trace


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_run_on_the_longest_text_stops_after_one_pass_of_every_processor(
    model, longest, work, name
):
    other = model.trace("a cat sat on a mat")
    work.clear()

    def report(share):
        raise Left

    with pytest.raises(Left):
        next(RUNS[name](model, longest, other, report))
    own_traces = 2  # one of the text itself, where it is given as text, and of the other one
    whole = len(longest.tokens) * len(longest.weights)
    assert sum(work) <= (processors() + own_traces) * whole


@pytest.mark.parametrize("name", RUNS)
def test_between_two_reports_a_run_makes_no_more_passes_than_it_runs_side_by_side(
    model, work, monkeypatch, name
):
    """Whoever leaves in the middle of a run, or near its end, is heard as soon."""
    monkeypatch.setattr(passes, "_ROWS_AT_ONCE", 1)
    trace, other = model.trace("the cat sat on the mat " * 8), model.trace("the dog sat on a mat")
    gaps = []

    def report(share):
        gaps.append(sum(work))
        work.clear()

    work.clear()
    for _ in RUNS[name](model, trace, other, report):
        pass
    report(1.0)
    whole = len(trace.tokens) * len(trace.weights)
    own_traces = 2
    assert len(gaps) > 3
    assert max(gaps) <= (processors() + own_traces) * whole


def test_short_texts_run_side_by_side_within_the_same_bound():
    for tokens in (1, 3, 100, 511, 512):
        parts = passes.in_parts(lambda some: None, 5_000, tokens)
        first = next(parts)
        together = (first.stop - first.start) * tokens
        assert together <= max(passes._ROWS_AT_ONCE, tokens) * processors()


def test_a_study_takes_as_many_passes_as_there_are_heads_and_steps(model, work):
    trace = model.trace(SHORT)
    work.clear()
    *_, last = study.study_heads(model, trace, entropy_per_head(view(trace)), 0.05)
    layers, heads = trace.weights.shape[:2]
    count, named = layers * heads, 2  # orders that are not random
    most = count + (study.SEEDS + named) * len(pruning.removal_counts(count))
    most += named * math.ceil(math.log2(count))
    assert last.spare
    assert sum(work) <= most * layers * len(trace.tokens)


@pytest.mark.parametrize("part", ["heads", "weights", "states"])
def test_a_map_of_patches_takes_as_many_passes_as_it_has_cells(model, work, part):
    trace = model.trace(SHORT)
    patching = Patching(model, trace, model.trace("A dog sat"))
    work.clear()
    run = patching.states([[1], [2], [3]]) if part == "states" else getattr(patching, part)()
    *_, grid = run
    traces = 1  # of the other text, once for all passes that are run side by side
    together = max(1, passes._ROWS_AT_ONCE // len(trace.tokens)) * processors()
    most = grid.size + traces * math.ceil(grid.size / together) * processors()
    assert sum(work) <= most * len(trace.weights) * len(trace.tokens)


@pytest.mark.slow
def test_a_pass_takes_little_memory_beside_what_it_keeps(model):
    kept = sum(a.nbytes for a in vars(model.trace(LONG)).values() if isinstance(a, np.ndarray))
    weights = 72 * 512 * 512 * 4
    assert weights < kept < 1.6 * weights
    assert peak_bytes(lambda: model.trace(LONG)) < 1.2 * kept
