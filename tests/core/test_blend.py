"""The blend of values and what each of them puts in, by hand."""

import re

import numpy as np
import pytest

from attention.core import blend


def test_blend_by_hand():
    output, contributions = blend([0.25, 0.75], [[4.0, 0.0], [0.0, 4.0]])
    np.testing.assert_array_equal(contributions, [[1, 0], [0, 3]])
    np.testing.assert_array_equal(output, [1, 3])


def test_blend_of_nothing_is_zero():
    assert blend([], np.ones((0, 2))).output.tolist() == [0, 0]


@pytest.mark.parametrize(("weights", "values"), [((2,), (3, 4)), ((), (3, 4)), ((3,), (3,))])
def test_blend_refuses_shapes_that_do_not_fit(weights, values):
    with pytest.raises(ValueError, match=re.escape(str(weights))) as error:
        blend(np.ones(weights), np.ones(values))
    assert str(values) in str(error.value)
