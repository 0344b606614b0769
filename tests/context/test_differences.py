"""Two texts word by word, against loops over heads and words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention.analysis import words
from attention.analysis.alignment import Match, matched
from attention.analysis.words import Unit, View
from attention.context.difference_frames import difference_frame, moved_layers_frame
from attention.context.differences import Differences

ONE = "The cat sat on the mat because it was tired"
OTHER = "The cat sat on the old mat because it was soft"


@pytest.fixture(scope="module")
def both(model):
    return compared(model, ONE, OTHER)


def compared(model, one, other):
    traces = model.trace(one), model.trace(other)
    return Differences(traces, tuple(map(words.view, traces)))


@given(*[st.lists(st.sampled_from("abc"), max_size=8)] * 2)
def test_every_word_of_both_texts_has_its_place_in_order(one, other):
    found = matched(one, other)
    assert [match.one for match in found if match.one is not None] == [*range(len(one))]
    assert [match.other for match in found if match.other is not None] == [*range(len(other))]
    for match in found:
        assert match.same == (match.both and one[match.one] == other[match.other]) or not match.same
    assert all(match.same for match in matched(one, one))


def test_insertions_and_replacements_are_told_apart(both):
    assert both.labels[5:8] == ("the", "+ old", "mat")
    assert "tired → soft" in both.labels
    assert both.matches[6] == Match(None, 6, False)
    back = Differences(both.traces[::-1], both.views[::-1])
    assert "− old" in back.labels


def test_bits_apart_by_hand():
    """One head turns from the first word to the other in one row of two: half a bit on average."""
    units = tuple(Unit(word, (i,), False) for i, word in enumerate("ab"))
    rows = np.array([[[[1.0, 0.0], [1.0, 0.0]]]]), np.array([[[[1.0, 0.0], [0.0, 1.0]]]])
    views = [View(units, weights, np.zeros((1, 1, 2))) for weights in rows]
    assert Differences((None, None), tuple(views)).apart == pytest.approx(0.5)


def test_bits_apart_against_a_loop_over_heads_and_words(both):
    """Rows as dictionaries from places to weights, and the definition with logarithms."""

    def bits(p, q):
        total = 0.0
        for place in p.keys() | q.keys():
            a, b = float(p.get(place, 0)), float(q.get(place, 0))
            middle = (a + b) / 2
            total += sum(x * np.log2(x / middle) / 2 for x in (a, b) if x > 0)
        return total

    one, other = both.views
    place_of = [
        {match[side]: i for i, match in enumerate(both.matches) if match[side] is not None}
        for side in (0, 1)
    ]
    for head in ((0, 0), (3, 1), both.ranked[0]):
        each = []
        for match in both.matches:
            if not match.same or one.units[match.one].special:
                continue
            p = {place_of[0][k]: w for k, w in enumerate(one.weights[head][match.one])}
            q = {place_of[1][k]: w for k, w in enumerate(other.weights[head][match.other])}
            each.append(bits(p, q))
        assert both.apart[head] == pytest.approx(np.mean(each), abs=1e-6)
    assert both.ranked[0] == np.unravel_index(both.apart.argmax(), both.apart.shape)


def test_the_order_of_the_texts_changes_signs_only(both):
    back = Differences(both.traces[::-1], both.views[::-1])
    assert back.apart == pytest.approx(both.apart)
    assert back.moved == pytest.approx(both.moved, abs=1e-6)
    head = both.ranked[0]
    size = np.abs(both.difference(head)).sum()
    assert np.abs(back.difference(head)).sum() == pytest.approx(size)


def test_equal_texts_differ_nowhere(model):
    both = compared(model, ONE, ONE)
    assert both.apart.max() < 1e-9
    assert np.abs(both.difference((3, 1))).max() == 0
    assert "none of these words has another vector" in both.sentence((3, 1))


def test_rows_of_changes_sum_to_nothing(both):
    data = difference_frame(both, both.ranked[0])
    assert data.groupby("q")["change"].sum().abs().max() < 1e-6
    assert len(data) == len(both.beside) * len(both.labels)
    inserted = data[data["key"] == "+ old"]
    assert (inserted["first"] == 0).all()
    assert (inserted["second"] > 0).all()


def test_words_move_from_the_insertion_on_only_at_the_input(both):
    """Before it, word and position are the same; after it, another position vector is added."""
    data = moved_layers_frame(both).query("stage == 0").set_index("i")["moved"]
    assert data.loc[:5].max() < 1e-6
    assert data.loc[7:].min() > 1e-5
    assert both.moved[-1].min() > 1e-3


def test_the_sentence_names_rank_median_and_the_word_that_moves_most(both):
    told = both.sentence(both.ranked[0])
    assert "over the 9 words that both have (most of all 72 heads; their median is 0.03)" in told
    assert "“because” has moved furthest of them: cosine distance 0.19" in told
    assert "rank 72 heads" not in both.sentence(both.ranked[-1])
    assert "(rank 72 of 72 heads;" in both.sentence(both.ranked[-1])
