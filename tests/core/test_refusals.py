"""What attention refuses, and that it says so with the numbers."""

import math
import re

import numpy as np
import pytest

from attention.core import attention_scores, attention_weights
from attention.core.plain import plain_attention


@pytest.mark.parametrize(
    ("query", "key", "value", "enable_gqa"),
    [
        ((4,), (3, 4), (3, 4), False),  # rank
        ((2, 4), (4,), (3, 4), False),
        ((2, 4), (3, 4), (3,), False),
        ((), (3, 4), (3, 4), False),
        ((2, 4), (3, 5), (3, 4), False),  # width
        ((2, 4), (3, 4), (2, 4), False),  # length
        ((2, 2, 4), (3, 3, 4), (3, 3, 4), False),  # batch
        ((2, 2, 4), (2, 3, 4), (3, 3, 4), False),
        ((4, 2, 4), (2, 3, 4), (2, 3, 4), False),  # shared heads not asked for
        ((4, 2, 4), (3, 3, 4), (3, 3, 4), True),  # 3 does not divide 4
        ((2, 2, 4), (4, 3, 4), (4, 3, 4), True),
        ((4, 2, 4), (2, 3, 4), (3, 3, 4), True),
        ((4, 2, 4), (0, 3, 4), (0, 3, 4), True),
        ((2, 4), (3, 4), (3, 4), True),  # no head axis
        ((2, 4, 2, 4), (3, 2, 3, 4), (3, 2, 3, 4), True),
    ],
)
def test_shapes_that_do_not_fit_are_named(query, key, value, enable_gqa):
    arrays = [np.ones(shape) for shape in (query, key, value)]
    with pytest.raises(ValueError, match=re.escape(str(query))) as error:
        plain_attention(*arrays, enable_gqa=enable_gqa)
    assert str(key) in str(error.value)
    assert str(value) in str(error.value)


@pytest.mark.parametrize("function", [attention_scores, attention_weights])
@pytest.mark.parametrize(
    ("query", "key", "enable_gqa"),
    [
        ((4,), (3, 4), False),
        ((2, 4), (3, 5), False),
        ((2, 2, 4), (3, 3, 4), False),
        ((4, 2, 4), (3, 3, 4), True),
    ],
)
def test_the_other_entrances_check_too(function, query, key, enable_gqa):
    with pytest.raises(ValueError, match=re.escape(str(query))) as error:
        function(np.ones(query), np.ones(key), enable_gqa=enable_gqa)
    assert str(key) in str(error.value)


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((3, 2)),
        np.zeros(4),
        np.zeros((2, 1, 1, 1)),  # would add an axis
        np.zeros((3, 2, 3)),
        np.ones((3, 2), bool),
    ],
)
def test_a_mask_that_does_not_fit_is_refused_with_both_shapes(mask):
    with pytest.raises(ValueError, match=re.escape(str(mask.shape))) as error:
        attention_weights(np.ones((2, 2, 4)), np.ones((2, 3, 4)), mask)
    assert str((2, 2, 3)) in str(error.value)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_and_plus_infinity_in_a_mask_are_refused(bad):
    with pytest.raises(ValueError, match=re.escape("(2, 2)")):
        attention_weights(np.ones((2, 1)), np.ones((2, 1)), [[0.0, bad], [0.0, 0.0]])


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.complex128, object])
def test_a_mask_is_bool_or_float(dtype):
    with pytest.raises(ValueError, match=str(np.dtype(dtype))):
        attention_weights(np.ones((2, 1)), np.ones((2, 1)), np.zeros((2, 2), dtype))


@pytest.mark.parametrize("function", [attention_scores, attention_weights])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("softcap", 0),
        ("softcap", -1.5),
        ("softcap", math.nan),
        ("softcap", math.inf),
        ("window", -1),
        ("window", (1, -2)),
        ("window", (1, 2, 3)),
        ("window", 1.5),
        ("query_offset", 0.5),
        ("query_offset", 2**62),
        ("key_lengths", 4),
        ("key_lengths", -1),
        ("key_lengths", 1.5),
    ],
)
def test_options_out_of_range_are_named(function, option, value):
    with pytest.raises(ValueError, match=re.escape(str(value))):
        function(np.ones((2, 1)), np.ones((3, 1)), **{option: value})


@pytest.mark.parametrize("option", ["query_offset", "key_lengths"])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 1, 2)])
def test_offsets_and_lengths_belong_to_the_leading_dimensions(option, shape):
    tokens = np.ones((2, 4, 5, 1))
    with pytest.raises(ValueError, match=re.escape(str(shape))) as error:
        attention_scores(tokens, tokens, **{option: np.ones(shape, int)})
    assert option in str(error.value)
    assert str((2, 4, 5, 5)) in str(error.value)


def test_numbers_must_be_real():
    with pytest.raises(ValueError, match="complex128"):
        attention_weights([[1j]], [[1.0]])
