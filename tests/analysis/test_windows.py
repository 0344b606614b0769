"""Keys outside of a layer's window: no cells in any map, as those that the causal mask hides."""

import numpy as np
import pytest

from attention.analysis import frames, telling
from attention.analysis.alignment_frames import beside_frame
from attention.analysis.words import Unit, View, view
from attention.context.difference_frames import difference_frame
from attention.context.differences import Differences
from attention.interventions.frames import cut_frame
from tests.models import tiny

TEXT = "the cat sat on the mat the hat"
OTHER = "the cat sat on the hat the mat"


@pytest.fixture(scope="module", params=["mistral", "gemma3_text"])
def decoder(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param) / "m"
    return tiny.loader(request.param).from_folder("m", tiny.write(folder, request.param))


@pytest.fixture(scope="module")
def trace(decoder):
    made = decoder.trace(TEXT)
    assert any(made.scoring.windows)
    return made


def cells(frame):
    return set(zip(frame["q"], frame["k"], strict=True))


def may(trace, layer):
    """Return the cells that softmax gets a score of."""
    return set(zip(*np.nonzero(np.isfinite(trace.scores[layer, 0])), strict=True))


def test_every_map_has_the_cells_of_the_mask_and_no_others(trace):
    seen = view(trace, words=False)
    size = len(seen.units)
    for layer in range(len(trace.weights)):
        head, shown = (layer, 0), range(size)
        allowed = may(trace, layer)
        maps = frames.map_frame(seen, [head], shown)
        assert cells(maps) == allowed
        assert (maps["weight"] > 0).all()
        assert cells(frames.binned_frame(seen, [head], size)) == allowed
        assert cells(cut_frame(seen, layer, seen.weights[head], shown, set())) == allowed
        beside = beside_frame([seen], [head], ["a"], [(i, i) for i in shown])
        assert cells(beside) == allowed
    assert len({len(may(trace, layer)) for layer in range(len(trace.weights))}) <= 2
    assert (
        min(len(may(trace, layer)) for layer in range(len(trace.weights))) < size * (size + 1) / 2
    )


def test_differences_have_them_too(decoder, trace):
    traces = trace, decoder.trace(OTHER)
    both = Differences(traces, tuple(view(t, words=False) for t in traces))
    drawn = difference_frame(both, (0, 0))
    assert cells(drawn[(drawn["first"] > 0) | (drawn["second"] > 0)]) == cells(drawn)


def test_a_base_rate_is_of_those_that_may_attend(trace):
    seen = view(trace, words=False)
    head, last = (0, 0), len(seen.units) - 1
    counted = telling.ordinary(seen)
    base = telling.others_give(seen, head, last)
    for key in range(last + 1):
        who = [q for q, k in may(trace, 0) if k == key and q != last and counted[q]]
        own = [seen.weights[head][q, key] for q in who]
        expected = np.mean(own) if own else np.nan
        np.testing.assert_allclose(base[key], expected, rtol=1e-5)
    np.testing.assert_allclose(
        telling.row_selectivity(seen, last)[head], seen.weights[head][last] - np.nan_to_num(base),
        rtol=1e-5, atol=1e-7,
    )  # fmt: skip


def test_a_word_is_seen_where_one_of_its_tokens_is():
    units = tuple(Unit(str(i), at, False) for i, at in enumerate([(0, 1), (2,), (3, 4)]))
    weights, removed = np.zeros((2, 1, 3, 3)), np.zeros((2, 1, 3))
    both = View(units, weights, removed, True, windows=(2, None))
    assert both.seen_in(0).tolist() == [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
    assert both.seen_in(1).tolist() == np.tri(3, dtype=bool).tolist()
    assert both.head(1, 0).seen_in(0).tolist() == np.tri(3, dtype=bool).tolist()
