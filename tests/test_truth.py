"""What sentences claim, recomputed from the trace by slow loops that share no code with them.

Random words, texts, heads of both models: a claim is read out of the sentence and must hold.
"""

import math
import re
from collections import Counter
from functools import lru_cache
from statistics import fmean, median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attention
from attention.analysis import links, pair_sentences, sentences, sinks, words
from attention.analysis.telling import telling_link
from attention.context import reach
from attention.lesson import minimal_pairs
from attention.lesson.takeaways import LessonExample
from attention.models import registry
from attention.pipeline.decoder_steps import steps_for
from attention.pipeline.head_state import HeadState
from tests.optional import with_smollm2

pytestmark = pytest.mark.slow

MODELS = [registry.EMBEDDED, pytest.param(registry.SMOLLM2, marks=with_smollm2)]
POOL = [
    *("the", "cat", "sat", "on", "a", "mat", "because", "it", "was", "tired", "bank", "river"),
    *("wouldn't", "unbelievably", ",", ".", "Mary", "John", "gave", "我", "naïve"),
]
TEXTS = st.lists(st.sampled_from(POOL), min_size=2, max_size=9).map(" ".join)
ROUNDED = 0.0051  # figures are printed with two decimals


@lru_cache(maxsize=16)
def read(model, text):
    return attention.load_model(model).trace(text)


class Rows(dict):
    """What each unit reads, added up when it is first asked for."""

    def __init__(self, slow):
        self.slow = slow

    def __missing__(self, query):
        tokens, units = self.slow.tokens, self.slow.units
        self[query] = [
            fmean(sum(tokens[p][r] for r in key.positions) for p in units[query].positions)
            for key in units
        ]
        return self[query]


class Slow:
    """The weights of one head over the shown units, merged one number at a time."""

    def __init__(self, view, trace, head):
        tokens = trace.weights[head].astype(float)
        self.labels, self.causal = view.labels, trace.is_causal
        self.words = [i for i, unit in enumerate(view.units) if not unit.special]
        self.size, self.name = len(view.units), f"L{head[0]} H{head[1]}"
        self.tokens, self.units = tokens.tolist(), view.units
        self.rows = Rows(self)

    def sees(self, query, key):
        return not self.causal or key <= query

    def others(self, query, key):
        given_ = [self.rows[r][key] for r in self.words if r != query and self.sees(r, key)]
        return fmean(given_) if given_ else None

    def selectivity(self, query, key):
        return self.rows[query][key] - (self.others(query, key) or 0)

    def position(self, named):
        """Return which word a sentence names: “the”, or “the” at position 2."""
        label, at = re.fullmatch(r"“(.+?)”(?: at position (\d+))?", named).groups()
        if at is None:
            assert self.labels.count(label) == 1
            return self.labels.index(label)
        assert self.labels[int(at)] == label
        return int(at)

    def check_figures(self, query, key, told):
        """Check "0.49; the other words give it 0.11 on average"."""
        weight, *rest = told.split("; ")
        assert float(weight) == pytest.approx(self.rows[query][key], abs=ROUNDED)
        expected = self.others(query, key)
        assert bool(rest) == (expected is not None)
        if rest:
            assert float(re.search(r"give it (.+) on average", rest[0])[1]) == pytest.approx(
                expected, abs=ROUNDED
            )
            assert ("that may attend to it" in rest[0]) == self.causal

    def check_attends(self, query, told):
        """Check "attends to “cat” most (0.49; ...)" and the two other forms."""
        if told == "can attend to itself only":
            assert self.causal
            assert query == 0
            return
        row = self.rows[query]
        if equal := re.fullmatch(r"attends to (\d+) of (\d+) words equally \((.+) each\)", told):
            alike = [w for w in row if w >= max(row) - 1e-4]
            assert len(alike) >= int(equal[1]) > 1
            return
        named, figures = re.fullmatch(
            r"attends to (“.+?”(?: at position \d+)?) most \((.+)\)", told
        ).groups()
        key = self.position(named)
        assert row[key] == pytest.approx(max(row), abs=1e-6)
        self.check_figures(query, key, figures)


def drawn(data, name, least=2):
    """Return a random text of the model, as it is shown, and one of its heads."""
    trace = read(name, data.draw(TEXTS))
    shown = words.view(trace, words=data.draw(st.booleans()))
    head = tuple(data.draw(st.integers(0, n - 1)) for n in trace.weights.shape[:2])
    slow = Slow(shown, trace, head)
    query = data.draw(st.sampled_from(range(slow.size)))
    return trace, shown, head, query, slow


def truth(test):
    """Try a sentence on many random texts and heads of both models."""
    return pytest.mark.parametrize("name", MODELS)(
        settings(max_examples=40, deadline=None)(given(st.data())(test))
    )


@truth
def test_what_a_word_reads_most(name, data):
    _, shown, head, query, slow = drawn(data, name)
    slow.check_attends(query, sentences.attends_to(shown, head, query))


ROLES = {
    "Rests on special tokens: a sink": lambda s, q, k: k not in s.words,
    "Rests on the first word: a sink": lambda s, q, k: k == 0,
    "Attends to the word before": lambda s, q, k: k == q - 1,
    "Attends to the word after": lambda s, q, k: k == q + 1,
    "Attends to the word itself": lambda s, q, k: k == q,
}


def share_of(slow, role):
    """Return the mean share of a role's keys, over the words that have such a key."""
    rows = slow.words
    if "first word" in role:
        rows = [q for q in rows if q > 1] if slow.causal else []
    elif "before" in role:
        rows = [q for q in rows if q > 0]
    elif "after" in role:
        rows = [q for q in rows if q < slow.size - 1]
    holds = ROLES[role]
    shares = [sum(slow.rows[q][k] for k in range(slow.size) if holds(slow, q, k)) for q in rows]
    return fmean(shares) if shares else 0.0


@truth
def test_what_a_head_does(name, data):
    _, shown, head, query, slow = drawn(data, name)
    told = sentences.describe(shown, *head, query)
    if len(slow.words) < 2:
        assert told in ("There is one word only.", "There is no word to attend to.")
        return
    role = next((role for role in ROLES if told.startswith(role)), None)
    for other in ROLES:
        if other == role:
            break
        assert share_of(slow, other) <= 0.5 + 1e-6  # none that comes before it holds
    if role:
        share, but = re.fullmatch(
            re.escape(role) + r" \((\d+)% of the weight, on average\)\.(?: But (.+)\.)?", told
        ).groups()
        assert share_of(slow, role) > 0.5 - 1e-6
        assert int(share) / 100 == pytest.approx(share_of(slow, role), abs=ROUNDED)
        row = slow.rows[query]
        best = row.index(max(row))
        if but is None:  # then this word is no exception, or has no choice
            assert ROLES[role](slow, query, best) or (slow.causal and query == 0)
            return
        named, reads = re.match(r"(“.+?”(?: at position \d+)?) (attends to .+)", but).groups()
        assert slow.position(named) == query
        assert not ROLES[role](slow, query, best)
        slow.check_attends(query, reads)
        return
    bits = fmean(-sum(w * math.log2(w) for w in slow.rows[q] if w > 0) for q in slow.words)
    highest = math.log2(slow.size)
    if told.startswith("Spreads"):
        low, high = map(float, re.findall(r"(\d+\.\d)", told))
        assert (low, high) == (pytest.approx(bits, abs=0.051), pytest.approx(highest, abs=0.051))
        assert bits > 0.85 * highest - 1e-6
        return
    assert bits <= 0.85 * highest + 1e-6
    named, key, figures = re.fullmatch(
        r"Most selective between two different words: (.+?) attends to "
        r"(“.+?”(?: at position \d+)?) \((.+)\)\.",
        told,
    ).groups()
    asks, reads = slow.position(named), slow.position(key)
    slow.check_figures(asks, reads, figures)
    assert asks != reads
    assert {asks, reads} <= set(slow.words)
    best = max(
        slow.selectivity(q, k)
        for q in slow.words
        for k in slow.words
        if q != k and slow.sees(q, k) and (k > 0 or not slow.causal or slow.size < 3)
    )
    assert slow.selectivity(asks, reads) == pytest.approx(best, abs=1e-5)


@truth
def test_how_heads_of_a_layer_differ(name, data):
    trace, shown, (layer, _), query, _ = drawn(data, name)
    heads = sorted(
        data.draw(st.sets(st.integers(0, trace.weights.shape[1] - 1), min_size=2, max_size=9))
    )
    told = links.differ_sentence(shown, layer, heads, query)
    slow = {h: Slow(shown, trace, (layer, h)) for h in heads}
    rows = {h: s.rows[query] for h, s in slow.items()}
    best = Counter(row.index(max(row)) for row in rows.values())
    start = rf"What (.+?) attends to most in {len(heads)} heads of layer {layer}: "
    asks, counted = re.match(start + r"(.+?)\. (?:L|None)", told).groups()
    first = next(iter(slow.values()))
    assert first.position(asks) == query
    for count, named in re.findall(r"(\d+) (“.+?”(?: at position \d+)?|something else)", counted):
        if named == "something else":
            assert int(count) == sum(best.values()) - sum(sorted(best.values())[-3:])
        else:
            assert int(count) == best[first.position(named)]
    average = [fmean(row[k] for row in rows.values()) for k in range(first.size)]
    bits = {h: slow_divergence(row, average) for h, row in rows.items()}
    if "None stands out" in told:
        assert max(bits.values()) - median(bits.values()) < 0.005 + 1e-4
        return
    name_, reads, apart, usual = re.search(
        r"(L\d+ H\d+) stands out: it (.+) and is (\d\.\d+) bits from the mean of these heads "
        r"\(median (\d\.\d+)\)", told).groups()  # fmt: skip
    far = next(h for h, s in slow.items() if s.name == name_)
    assert bits[far] == pytest.approx(max(bits.values()), abs=1e-4)
    assert float(apart) == pytest.approx(bits[far], abs=ROUNDED)
    assert float(usual) == pytest.approx(median(bits.values()), abs=ROUNDED)
    slow[far].check_attends(query, reads)


def slow_divergence(p, q):
    """Return the Jensen-Shannon divergence in bits."""
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    one = sum(a * math.log2(a / m) for a, m in zip(p, middle, strict=True) if a > 0)
    other = sum(b * math.log2(b / m) for b, m in zip(q, middle, strict=True) if b > 0)
    return (one + other) / 2


@truth
def test_the_lessons_sentence(name, data):
    trace, shown, _, _, _ = drawn(data, name)
    query, key, layer, head = telling_link(shown)
    slow = Slow(shown, trace, (layer, head))
    told = LessonExample(trace, shown, query, key, layer, head).sentence
    named, attended, where, figures, count, average = re.fullmatch(
        r"(.+?) attends to (.+?) in head (L\d+ H\d+) \((.+); "
        r"the mean of all (\d+) heads is (\d\.\d+)\)\.",
        told,
    ).groups()
    assert (slow.position(named), slow.position(attended), where) == (query, key, slow.name)
    slow.check_figures(query, key, figures)
    every = [
        Slow(shown, trace, place).rows[query][key] for place in np.ndindex(trace.weights.shape[:2])
    ]
    assert int(count) == len(every)
    assert float(average) == pytest.approx(fmean(every), abs=ROUNDED)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "pair", [pair_sentences.TROPHY, pair_sentences.ANIMAL, *pair_sentences.PAIRS[:4]]
)
def test_what_turns_with_the_meaning(name, pair):
    traces = [read(name, text) for text in pair.texts]
    views = [words.view(trace) for trace in traces]
    queries, first, second = (
        [view.find(word) for view in views] for word in (pair.pronoun, pair.first, pair.second)
    )
    keys = np.array([first, second]).T
    weights = minimal_pairs.preferences(views, queries, keys)
    turning = against = 0
    for head in np.ndindex(traces[0].weights.shape[:2]):
        slow = [Slow(view, trace, head) for view, trace in zip(views, traces, strict=True)]
        likes = [
            [s.rows[q][k] for k in ks] for s, q, ks in zip(slow, queries, keys, strict=True)
        ]  # sentence, candidate
        base = np.array(
            [[s.others(q, k) for k in ks] for s, q, ks in zip(slow, queries, keys, strict=True)]
        )
        told = minimal_pairs.turning_sentence(weights, base, [pair.first, pair.second], head)
        one, other = likes[0][0] > likes[0][1], likes[1][1] > likes[1][0]
        turning += one and other
        against += not one and not other
        assert ("It turns with the meaning." in told) == (one and other)
        assert ("against the meaning" in told) == (not one and not other)
        assert (f"prefers “{pair.first}” both times" in told) == (one and not other)
        assert (f"prefers “{pair.second}” both times" in told) == (other and not one)
        found = list(map(float, re.findall(r"” (\d\.\d\d)", told)))
        assert found == pytest.approx([*likes[0], *likes[1]], abs=ROUNDED)
    assert f"{turning} turn with the meaning and {against} against it" in told


@truth
def test_what_reaches_the_last_word(name, data):
    trace, shown, head, _, slow = drawn(data, name)
    own = slow.words
    if len(own) < 2:
        return
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    row = shown.weights[head][own[-1], own]
    series = {"tanh": rng.random(len(own)), "GRU": rng.random(len(own)), "attention": row}
    told = reach.Influence(shown, series).sentence
    early, steps, last = re.match(r"(.+?) stands (\d+) words before (.+?)\. Of", told).groups()
    local = [shown.labels[k] for k in own]
    far = len(own) - 1 - int(steps)
    assert early.startswith(f"“{local[far]}”")
    assert last.startswith(f"“{local[-1]}”")
    earlier = range(1 if shown.is_causal and len(own) > 2 else 0, len(own) - 1)
    assert row[far] == max(row[k] for k in earlier)
    shares = [float(x) / 100 for x in re.findall(r"([\d.e+-]+) %", told)]
    total = sum(slow.rows[own[-1]][k] for k in own)
    assert shares[0] == pytest.approx(slow.rows[own[-1]][own[far]] / total, abs=ROUNDED)
    every = []
    for place in np.ndindex(trace.weights.shape[:2]):
        asked = Slow(shown, trace, place).rows[own[-1]]
        every.append(asked[own[far]] / sum(asked[k] for k in own))
    assert shares[1] == pytest.approx(median(every), rel=0.06, abs=ROUNDED)
    assert shares[2] == pytest.approx(1 / len(own), rel=0.06, abs=ROUNDED)


def slow_head(trace, layer, head):
    """Return scores before scaling, weights, values and value lengths of one head, by loops."""
    group = head * trace.key.shape[1] // trace.query.shape[1]
    q, k, v = (
        getattr(trace, part)[layer, at].astype(float).tolist()
        for part, at in (("query", head), ("key", group), ("value", group))
    )
    dots = [[sum(a * b for a, b in zip(x, y, strict=True)) for y in k] for x in q]
    rows = []
    for i, row in enumerate(dots):
        seen = row[: i + 1] if trace.is_causal else row
        powers = [math.exp((s - max(seen)) / math.sqrt(len(v[0]))) for s in seen]
        rows.append([p / sum(powers) for p in powers])
    return dots, rows, [math.sqrt(sum(x * x for x in value)) for value in v]


@truth
def test_what_the_pipeline_says_of_a_token(name, data):
    trace, _, (layer, head), _, _ = drawn(data, name)
    model = attention.load_model(name)
    query, key = (data.draw(st.sampled_from(range(len(trace.tokens)))) for _ in range(2))
    key = min(key, query) if trace.is_causal else key
    place = HeadState(model, trace, layer, head, query, key)
    steps = {step.key: step for step in steps_for(model)}
    dots, rows, lengths = slow_head(trace, layer, head)
    row, labels = rows[query], place.labels

    told = steps["softmax"].sentence(place)
    best = sorted(range(len(row)), key=lambda k: -row[k])[:3]
    listed = re.findall(r"“(.+?)” (?:most \()?(\d\.\d{3})", told.split("It attends to ")[1])
    assert [label for label, _ in listed] == [labels[k] for k in best]
    assert [float(w) for _, w in listed] == pytest.approx([row[k] for k in best], abs=6e-4)
    others = [
        rows[r][best[0]]
        for r in range(len(rows))
        if r != query and not trace.input.special[r] and best[0] < len(rows[r])
    ]
    given_ = re.search(r"the other words give it (\d\.\d{3}) on average", told)
    assert (given_ is None) == (not others)
    if others:
        assert float(given_[1]) == pytest.approx(fmean(others), abs=6e-4)

    told = steps["scores"].sentence(place).replace("−", "-")
    highest, lowest = (f(range(len(dots[query])), key=dots[query].__getitem__) for f in (max, min))
    label, total = re.search(r"key of “(.+?)” best: .+? sum to (-?\d+\.\d\d)\.", told).groups()
    assert (label, float(total)) == (labels[highest], pytest.approx(dots[query][highest], abs=0.02))
    assert told.endswith(f"with “{labels[lowest]}”.")

    told = steps["blend"].sentence(place)
    parts = [w * lengths[k] for k, w in enumerate(row)]
    if len(row) == 1:
        assert "may attend to itself only" in told
        return
    size, label, weight = re.search(
        r"parts, (\d+\.\d\d), comes from “(.+?)” \(weight (\d\.\d{3})\)", told
    ).groups()
    longest = parts.index(max(parts))
    assert (label, float(size)) == (labels[longest], pytest.approx(parts[longest], abs=0.006))
    assert float(weight) == pytest.approx(row[longest], abs=6e-4)
    assert ("which has the largest weight too" in told) == (longest == row.index(max(row)))


@truth
def test_what_goes_to_sinks(name, data):
    trace = read(name, data.draw(TEXTS))
    account = sinks.sink_account(attention.load_model(name), trace)
    told = sinks.sink_sentence(account, trace.tokens)
    others = [i for i in range(len(trace.tokens)) if i not in account.sinks]
    if not others:
        assert told.startswith("All tokens are sinks")
        return
    shares = []
    for layer, head in np.ndindex(trace.weights.shape[:2]):
        rows = trace.weights[layer, head].tolist()
        given_ = sum(rows[q][k] for q in others for k in account.sinks)
        total = sum(sum(rows[q]) for q in others)
        shares.append((given_, total))
    weight = sum(g for g, _ in shares) / sum(t for _, t in shares)
    percents = [float(p) / 100 for p in re.findall(r"(\d+\.\d) %", told)]
    assert percents[0] == pytest.approx(weight, abs=6e-4)
    assert ("but only" in told) == (percents[1] < percents[0])
    if "Furthest apart" in told:
        layer, head = map(int, re.search(r"L(\d+) H(\d+)", told).groups())
        place = layer * trace.weights.shape[1] + head
        assert percents[2] == pytest.approx(shares[place][0] / shares[place][1], abs=6e-4)
