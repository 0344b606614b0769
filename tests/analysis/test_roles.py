"""Roles of heads: by pencil, by a slow loop, against all shuffles, and on the real models."""

from itertools import permutations

import numpy as np
import pytest

import attention
from attention import presets
from attention.analysis import words
from attention.analysis.role_kinds import LEAST_ROWS, ROLES, SPREADS
from attention.analysis.roles import head_roles
from attention.analysis.words import Unit, View
from attention.models import registry
from tests.optional import with_smollm2
from tests.views import causal, view

DOT = ["a", "b", ".", "c", "a", "d", ".", "b"]
PROSE = (
    "The river was low that summer, and the people of the village walked across it without wetting "
    "their knees. They carried baskets of plums to the market, sold them before noon, and came "
    "home singing."
)


def one_head(weights, labels, *, is_causal=False, special=()):
    weights = np.asarray(weights, np.float64)[None, None]
    units = tuple(Unit(label, (i,), i in special) for i, label in enumerate(labels))
    return View(units, weights, np.zeros(weights.shape[:-1]), is_causal)


def at_each(size, key):
    """Return a head that gives all its weight to `key(q)`, the first key where there is none."""
    weights = np.zeros((size, size))
    for q in range(size):
        k = key(q)
        weights[q, k if 0 <= k < size else 0] = 1
    return weights


def score(found, name):
    return found.at(name, (0, 0))[0]


@pytest.mark.parametrize(
    ("name", "key"),
    [("previous", lambda q: q - 1), ("next", lambda q: q + 1), ("same", lambda q: q),
     ("first", lambda q: 0), ("distance", lambda q: q - 4)],
)  # fmt: skip
def test_a_head_made_for_a_role_has_it(name, key):
    labels = [f"w{i}" for i in range(12)]
    found = head_roles(one_head(at_each(12, key), labels))
    assert found.role_of((0, 0)) == name
    assert score(found, name) == 1
    assert found.distances[0, 0] == (-4 if name == "distance" else found.distances[0, 0])


def test_scores_by_pencil():
    found = head_roles(view([0.5, 0.3, 0.2], [0.1, 0.7, 0.2], [0.6, 0.0, 0.4]))
    assert score(found, "previous") == pytest.approx((0.1 + 0.0) / 2)
    assert score(found, "next") == pytest.approx((0.3 + 0.2) / 2)
    assert score(found, "same") == pytest.approx((0.5 + 0.7 + 0.4) / 3)
    assert score(found, "first") == pytest.approx((0.5 + 0.1 + 0.6) / 3)
    even = head_roles(view([1 / 3] * 3, [1 / 3] * 3, [1, 0, 0]))
    assert score(even, "broad") == pytest.approx(2 / 3)


def test_the_keys_of_repeated_words_by_pencil():
    weights = np.random.default_rng(1).dirichlet(np.ones(8), 8)
    found = head_roles(one_head(weights, DOT))
    same = [weights[0, 4], weights[4, 0], weights[1, 7], weights[7, 1], weights[2, 6],
            weights[6, 2]]  # fmt: skip
    assert score(found, "duplicate") == pytest.approx(np.mean(same))
    marks = [weights[q, 2] + weights[q, 6] for q in (0, 1, 3, 4, 5, 7)]
    assert score(found, "punctuation") == pytest.approx(np.mean(marks))
    assert np.isnan(score(found, "induction"))  # a decoder's


def test_induction_by_pencil():
    lower = np.tril(np.random.default_rng(2).random((8, 8)))
    weights = lower / lower.sum(axis=1, keepdims=True)
    found = head_roles(one_head(weights, DOT, is_causal=True))
    # a at 4 came at 0, before 1; . at 6 came at 2, before 3; b at 7 came at 1, before 2
    assert score(found, "induction") == pytest.approx(
        np.mean([weights[4, 1], weights[6, 3], weights[7, 2]])
    )
    assert found.rows[found.names.index("induction")] == 3


def test_a_decoder_s_first_token_is_no_word_before_and_no_other_place():
    sink = causal([1, 0, 0, 0], [0.9, 0.1, 0, 0], [0.7, 0.2, 0.1, 0], [0.6, 0.1, 0.2, 0.1],
                  labels="abca")  # fmt: skip
    found = head_roles(sink)
    assert score(found, "previous") == pytest.approx(0.2)  # the rows of c and a, not that of b
    assert score(found, "first") == pytest.approx((0.7 + 0.6) / 2)
    assert np.isnan(score(found, "duplicate"))  # the other a is the sink
    for name in ("next", "separator"):
        assert np.isnan(score(found, name))


def test_only_ordinary_words_ask():
    rows = [[0, 1, 0], [0.2, 0.5, 0.3], [0, 1, 0]]
    found = head_roles(view(*rows, special=(0, 2)))
    assert score(found, "first") == pytest.approx(0.2)
    assert score(found, "separator") == pytest.approx(0.3)
    assert score(found, "same") == pytest.approx(0.5)
    assert (found.main == -1).all()  # one row is too few


def test_chance_is_the_mean_over_all_shuffles():
    weights = np.random.default_rng(3).dirichlet(np.full(5, 0.3), 5)
    found = head_roles(one_head(weights, "abcab"), draws=20_000)
    slow = {"previous": [], "duplicate": []}
    for order in permutations(range(5)):
        slow["previous"].append(np.mean([weights[q, order[q - 1]] for q in range(1, 5)]))
        letters = ["abcab"[i] for i in order]
        pairs = [(q, k) for q in range(5) for k in range(5) if q != k and letters[q] == letters[k]]
        slow["duplicate"].append(np.mean([weights[q, k] for q, k in pairs]))
    for name, every in slow.items():
        _, mean, spread = found.at(name, (0, 0))
        assert mean == pytest.approx(np.mean(every), abs=4 * np.std(every) / np.sqrt(20_000))
        assert spread == pytest.approx(np.std(every), rel=0.03)


def after(labels, q, k):
    return labels[k - 1] == labels[q]


def slow_score(name, view, layer, head):
    """Go through every query and key of one head."""
    size, w = len(view.units), view.weights[layer, head].astype(float)
    labels = [unit.word.casefold() for unit in view.units]
    means = []
    for q, unit in enumerate(view.units):
        if not unit.ordinary:
            continue
        keys = []
        for k in range(size):
            if view.is_causal and (k > q or (k == 0 and name != "first")):
                continue
            if name == "first" and (k != 0 or (view.is_causal and q < 2)):
                continue
            is_key = {
                "previous": k == q - 1,
                "next": k == q + 1,
                "same": k == q,
                "first": k == 0,
                "separator": k == size - 1,
                "duplicate": k != q and view.units[k].ordinary and labels[k] == labels[q],
                "induction": 0 < k < q
                and view.units[k - 1].ordinary
                and labels[k - 1] == labels[q],
                "punctuation": labels[k] in (".", ",") and labels[q] not in (".", ","),
            }[name]
            if is_key:
                keys.append(k)
        if keys:
            means.append(sum(w[q, k] for k in keys))
    return np.mean(means)


NAMES = ["previous", "next", "same", "first", "separator", "duplicate", "induction", "punctuation"]


@pytest.mark.parametrize("name", [registry.EMBEDDED, pytest.param(registry.SMOLLM2,
                                                                  marks=with_smollm2)])  # fmt: skip
def test_real_heads_against_a_slow_loop(name):
    shown = words.view(attention.load_model(name).trace(PROSE))
    found = head_roles(shown)
    rng = np.random.default_rng(0)
    for role in NAMES:
        at = found.names.index(role)
        if np.isnan(found.scores[at]).all():
            continue
        for _ in range(5):
            layer, head = (int(rng.integers(n)) for n in shown.weights.shape[:2])
            expected = slow_score(role, shown, layer, head)
            assert found.scores[at, layer, head] == pytest.approx(expected, abs=1e-6)


def test_random_heads_have_no_role_but_being_broad():
    weights = np.random.default_rng(5).dirichlet(np.full(40, 0.2), (6, 12, 40))
    units = tuple(Unit(f"w{i % 17}", (i,), False) for i in range(40))
    found = head_roles(View(units, weights, np.zeros((6, 12, 40))))
    assert (found.main == -1).all()
    lower = np.tril(weights)
    lower[..., 0] += 1e-9
    decoder = View(units, lower / lower.sum(-1, keepdims=True), np.zeros((6, 12, 40)), True)
    assert (head_roles(decoder).main == -1).mean() > 0.95


def test_even_rows_are_broad():
    even = np.full((1, 1, 9, 9), 1 / 9)
    apart = np.tile(np.eye(9)[:, ::-1], (1, 20, 1, 1))
    weights = np.concatenate([even, apart], axis=1)
    units = tuple(Unit(f"w{i}", (i,), False) for i in range(9))
    assert head_roles(View(units, weights, np.zeros((1, 21, 9)))).role_of((0, 0)) == "broad"


def test_the_same_seed_gives_the_same_numbers(cat_trace):
    one, again, other = (head_roles(cat_trace, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.null_mean, again.null_mean)
    np.testing.assert_array_equal(one.scores, other.scores)
    assert not np.array_equal(one.null_mean, other.null_mean, equal_nan=True)


def test_what_a_role_takes(cat_trace):
    found = head_roles(cat_trace)
    assert found.names == tuple(ROLES)
    for at, name in enumerate(found.names):
        own = found.has[at]
        assert (found.scores[at][own] >= ROLES[name].threshold).all()
        above = found.scores[at] - found.null_mean[at]
        assert (above[own] > SPREADS * found.null_spread[at][own]).all()
        assert not own.any() or (found.rows[at] >= LEAST_ROWS).all()


def test_the_noun_of_a_known_pronoun(cat_view):
    it, cat = cat_view.find("it"), cat_view.find("cat")
    found = head_roles(cat_view, pronouns=[(it, cat)])
    assert found.at("pronoun", (3, 1))[0] == pytest.approx(cat_view.weights[3, 1, it, cat])
    assert (found.rows[found.names.index("pronoun")] == 1).all()
    assert not found.has[found.names.index("pronoun")].any()  # one row is too few


def test_refusals(cat_view):
    with pytest.raises(ValueError, match="at least 2 draws, got 1"):
        head_roles(cat_view, draws=1)
    with pytest.raises(ValueError, match="no position 99: the text has 12 words"):
        head_roles(cat_view, pronouns=[(8, 99)])


def test_cross_attention_is_refused():
    pair = attention.load_translator().translate("The cat sat.")
    crossed = attention.Trace.from_weights(pair.target, pair.cross_weights, keys=pair.source)
    with pytest.raises(ValueError, match="keys are of another text"):
        head_roles(crossed)


@pytest.mark.parametrize("size", [0, 1, 2])
def test_short_texts_have_no_roles(size):
    weights = np.full((2, 3, size, size), 1 / max(size, 1))
    units = tuple(Unit("a", (i,), False) for i in range(size))
    for is_causal in (False, True):
        found = head_roles(View(units, weights, np.zeros((2, 3, size)), is_causal))
        assert (found.main == -1).all()


def test_the_embedded_model_s_previous_and_next_word_heads(model):
    for text in (presets.CAT.text, PROSE):
        found = head_roles(model.trace(text))
        assert found.role_of((0, 2)) == "previous"
        assert found.role_of((1, 8)) == "next"
        assert score_of(found, "previous", (0, 2)) > 0.95


def score_of(found, name, head):
    return found.at(name, head)[0]


RANDOM_WORDS = (
    "cat dog tree house river stone table green paper bottle window garden music silver winter "
    "doctor engine planet butter camera forest letter market pocket"
)


@with_smollm2
def test_the_induction_and_previous_token_heads_of_smollm2():
    trace = attention.load_model(registry.SMOLLM2).trace(f"{RANDOM_WORDS} {RANDOM_WORDS}")
    found = head_roles(trace)
    at = found.names.index("induction")
    best = np.argsort(-found.scores[at], axis=None)[:4]
    assert {divmod(int(i), 9) for i in best} == {(18, 6), (17, 5), (17, 4), (17, 3)}
    assert found.scores[at, 18, 6] == found.scores[at].max() > 0.8
    assert np.median(found.scores[at]) < 0.01
    assert found.null_mean[at, 18, 6] < 0.05
    assert {found.role_of(head) for head in [(18, 6), (17, 4), (17, 3)]} == {"induction"}
    before = found.names.index("previous")
    best = np.argsort(-found.scores[before], axis=None)[:3]
    assert {divmod(int(i), 9) for i in best} == {(11, 1), (16, 0), (1, 2)}
    assert found.at("previous", (11, 1))[0] == pytest.approx(0.91, abs=0.01)
    assert {found.role_of(head) for head in [(11, 1), (16, 0), (1, 2)]} == {"previous"}


@pytest.mark.parametrize("size", [12, 300])
def test_chance_of_a_single_column_is_one_in_as_many_as_there_are(size):
    """However long a text is, few draws or many: every position is met as often as the others."""
    labels = [f"w{i}" for i in range(size)]
    found = head_roles(one_head(at_each(size, lambda q: 0), labels))
    _, mean, spread = found.at("first", (0, 0))
    assert mean == pytest.approx(1 / min(size, 200), abs=1e-9 if size < 200 else 2e-3)
    assert spread == pytest.approx(np.sqrt(mean * (1 - mean)), rel=0.01)
    marks = ["." if i == 5 else word for i, word in enumerate(labels)]
    found = head_roles(one_head(at_each(size, lambda q: 5), marks))
    _, mean, spread = found.at("punctuation", (0, 0))
    assert 0 < mean < 2 / min(size, 200)
    assert spread > 0.04
