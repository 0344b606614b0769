"""What reaches a word, by hand and on the lesson's words."""

import numpy as np

from attention.context import reach
from tests.views import causal, view


def test_a_kernel_weighs_every_offset_by_its_norm():
    shares = reach.kernel_shares(np.array([[[3.0]], [[4.0]], [[3.0]]]), side=1)
    np.testing.assert_allclose(shares, [0.3, 0.4, 0.3])


def test_offsets_end_where_the_text_does():
    found = reach.offset_weights(np.array([0.25, 0.75], np.float32), query=0, side=1)
    np.testing.assert_array_equal(found, [np.nan, 0.25, 0.75])


def test_influence_says_how_much_comes_from_the_far_word():
    shown = view([0.1, 0.9, 0.0], [0.5, 0.5, 0.0], [0.6, 0.3, 0.1])
    series = {"tanh": np.array([1.0, 1, 2]), "GRU": np.array([1.0, 3, 4]), "attention L0 H0": None}
    series["attention L0 H0"] = shown.weights[0, 0, 2]
    influence = reach.Influence(shown, series)
    assert influence.labels == ("a", "b", "c")
    assert influence.far == 0
    for part in ("“a” stands 2 words before “c”", "60 % comes from it through attention L0 H0",
                 "equal shares: 33 %", "25 % (tanh) and 12 % (GRU), after 2 steps"):  # fmt: skip
        assert part in influence.sentence


def test_a_decoders_first_word_is_not_the_far_one():
    shown = causal([1.0, 0, 0], [0.5, 0.5, 0], [0.8, 0.1, 0.1])
    row = shown.weights[0, 0, 2]
    assert reach.Influence(shown, {"tanh": row, "GRU": row, "head": row}).far == 1


def test_one_word_has_nothing_to_compare_with():
    row = np.ones(1)
    influence = reach.Influence(view([1.0], labels="a"), {"tanh": row, "GRU": row, "head": row})
    assert influence.sentence.startswith("“a” has no word before it")


def test_a_stack_says_what_it_reaches():
    shown = view(*np.eye(7), labels="abcdefg")
    stack = reach.ConvolutionReach(shown, output=6, other=1, kernel=3, layers=2, rule=1)
    assert stack.field == 5
    assert stack.sentence == (
        "“b” and “g” are 5 apart. Layers needed with kernel 3 and no dilation: 5; with attention: "
        "1. These 2 layers make “g” out of 3 of the 7 positions."
    )
    assert not stack.cone[0, 1]


def test_a_word_needs_no_layer_to_reach_itself():
    stack = reach.ConvolutionReach(view(*np.eye(3), labels="abc"), 1, 1, 3, 2, 1)
    assert "are 0 apart. Layers needed with kernel 3 and no dilation: 0; with attention: 0." in (
        stack.sentence
    )


def test_the_far_link_starts_in_the_first_half():
    shown = view([1.0, 0, 0, 0], [1.0, 0, 0, 0], [1.0, 0, 0, 0], [0, 0.9, 0.1, 0], labels="abcd")
    assert reach.own_words(shown) == [0, 1, 2, 3]
    assert reach.far_link(shown) == (1, (0, 0))
