"""Keys outside of a layer's window: no cells in any map, as those that the causal mask hides."""

import numpy as np
import pytest

from attention.analysis import frames, telling, written
from attention.analysis.alignment_frames import beside_frame
from attention.analysis.role_sentences import role_line, role_meaning
from attention.analysis.roles import head_roles
from attention.analysis.sentences import attends_to, describe
from attention.analysis.words import Unit, View, row_scores, seen_by, view
from attention.context import far_words
from attention.context.difference_frames import difference_frame
from attention.context.differences import Differences
from attention.context.reach import Influence, far_link
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


NEAR, FAR, WINDOW = 0, 1, 4  # layers with the window, and without any
# Four words come again two words later, as these and six others do far later.
WORDS = "sabacdcefeghgijacegbdfhij"


def planted(*keys):
    """Return a view of both layers: a head gives all to `key(q)`, or to itself if hidden."""
    size = len(WORDS)
    weights = np.zeros((2, len(keys), size, size))
    for layer, head, q in np.ndindex(2, len(keys), size):
        k, sees = keys[head](q), WINDOW if layer == NEAR else size
        weights[layer, head, q, k if 0 <= q - k < sees and k >= 0 else q] = 1
    return of(weights)


def of(weights):
    units = tuple(Unit(word, (i,), False) for i, word in enumerate(WORDS))
    return View(units, weights, np.zeros(weights.shape[:-1]), True, windows=(WINDOW, None))


def last_same(q):
    return max((k for k in range(q) if WORDS[k] == WORDS[q]), default=q)


def after_last_same(q):
    return last_same(q) + (last_same(q) < q)


def test_a_head_has_the_roles_of_the_keys_that_its_window_leaves():
    """Neither blamed for what it cannot attend to, nor named for what another layer can."""
    shown = planted(last_same, after_last_same, lambda q: q - 1, lambda q: q - 6)
    found = head_roles(shown)
    for head, name in enumerate(("duplicate", "induction")):
        at = found.names.index(name)
        assert found.rows[at].tolist() == [4, 14]
        assert found.scores[at, :, head].tolist() == [1, 1]
        assert found.has[at, :, head].all()
    assert {found.role_of((layer, 2)) for layer in (NEAR, FAR)} == {"previous"}
    assert (found.role_of((FAR, 3)), found.distances[FAR, 3]) == ("distance", -6)
    assert found.role_of((NEAR, 3)) == "same"
    assert set(found.distances[NEAR].tolist()) <= {-2, -3}
    assert "4 to 14 queries" in role_meaning("duplicate", found.rows[at], found.draws)


def test_what_no_window_leaves_a_key_for_is_not_measured():
    same = ["s", "a", "b", "c", "d", "a", "b", "c", "d"]
    units = tuple(Unit(word, (i,), False) for i, word in enumerate(same))
    own = np.eye(9)[None, None].repeat(2, axis=0)
    found = head_roles(View(units, own, np.zeros((2, 1, 9)), True, windows=(WINDOW, None)))
    at = found.names.index("duplicate")
    assert np.isnan(found.scores[at, NEAR]).all()
    assert found.scores[at, FAR] == 0
    assert found.rows[at].tolist() == [0, 4]
    assert "nan" not in role_line(found, (NEAR, 0))


def test_chance_is_of_the_cells_that_a_window_leaves():
    """A head that gives all keys it sees the same gives that to any of them, shuffled or not."""
    seen = planted(last_same).seen
    even = of(seen / seen.sum(axis=-1, keepdims=True))
    found = head_roles(even)
    at, rows = found.names.index("previous"), range(2, len(WORDS))
    assert found.scores[at, NEAR] == pytest.approx(np.mean([1 / min(q + 1, 4) for q in rows]))
    assert 1 / 4 <= found.null_mean[at, NEAR] < 0.28
    assert found.scores[found.names.index("broad")] == pytest.approx(1)
    assert describe(even, NEAR, 0) == "Spreads widely (1.9 of at most 2.0 bits, on average)."
    assert attends_to(even, (NEAR, 0), 0) == "can attend to itself only"


def test_a_hidden_pair_tells_nothing(trace):
    seen = view(trace, words=False)
    last = len(seen.units) - 1
    for query, key in ((last, 1), (last, 0), (last, last - 1)):
        heads = telling.telling_heads(seen, query, key, seen.weights[..., 0, 0].size)
        sees = {
            head
            for head in np.ndindex(seen.weights.shape[:2])
            if (query, key) in may(trace, head[0])
        }
        assert not sees or set(heads) == sees
    for query in range(len(seen.units)):
        for head in np.ndindex(seen.weights.shape[:2]):
            _, key, _, _ = telling.telling_link(seen.head(*head), 1, query=query)
            assert (query, key) in may(trace, head[0])
        _, key, layer, _ = telling.telling_link(seen, 3, query=query)
        assert (query, key) in may(trace, layer)


def test_scores_are_of_the_words_in_the_window(trace):
    seen = view(trace, words=False)
    query = len(seen.units) - 1
    for layer in range(len(trace.weights)):
        keys = sorted(k for q, k in may(trace, layer) if q == query)
        assert seen_by(seen, layer, query).units == tuple(seen.units[k] for k in keys)
        scores = row_scores(trace, seen, layer, 1, query)
        np.testing.assert_allclose(scores, trace.scores[layer, 1, query, keys], atol=1e-5)


def test_the_far_word_is_one_that_the_head_sees(trace):
    seen = view(trace, words=False)
    key, (layer, head) = far_link(seen)
    last = len(seen.units) - 1
    assert (last, key) in may(trace, layer)
    row = seen.weights[layer, head, last]
    influence = Influence(seen, {"tanh": row, "GRU": row, "head": row}, layer)
    keys = sum(q == last for q, _ in may(trace, layer))
    assert f"equal shares: {round(100 / keys)} %" in influence.sentence


def test_the_rank_of_a_word_outside_of_the_window_is_none(trace):
    units = view(trace, words=False).units
    found = far_words.far_attention(trace, units, "hat", "cat")
    for layer, head in np.ndindex(found.rank.shape):
        hidden = (found.tokens - 1, 1) not in may(trace, layer)
        assert (found.rank[layer, head] == 0) == hidden


def test_rollout_reaches_through_the_windows_below(trace):
    """A cell of the rollout is there if weight can have come that way, and then it has some."""
    rolled = written.rollout_view(trace, merged=False)
    reached = np.eye(len(trace.tokens), dtype=bool)
    for layer in range(len(trace.weights)):
        sees = np.isfinite(trace.scores[layer, 0])
        reached = (sees.astype(int) @ reached) > 0
        both = written.rolled_up_to(rolled, layer)
        for part, mask in ((0, sees), (1, reached)):
            assert (both.seen_in(part) == mask).all()
            assert ((both.weights[part, 0] > 0) == mask).all()
