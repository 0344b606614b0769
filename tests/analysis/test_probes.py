"""Where a head without a role has one: the clearest of some texts, or none of them."""

import numpy as np
import pytest

from attention.analysis.probes import PROBES, best_shown, probe_roles


@pytest.fixture(scope="module")
def probed(model):
    return probe_roles(model)


def test_every_text_is_tried(probed):
    assert [text for text, _ in probed] == list(PROBES)
    assert len(set(PROBES)) == len(PROBES)


def test_the_clearest_text_against_a_slow_loop(probed):
    for head in [(2, 9), (0, 2), (3, 11), (1, 1)]:
        shown = best_shown(probed, head)
        margins = []
        for text, found in probed:
            name = found.role_of(head)
            if name is not None:
                score, mean, _ = found.at(name, head)
                margins.append((score - mean, text, name))
        assert (shown.text, shown.role) == max(margins)[1:]
        assert shown.found.role_of(head) == shown.role


def test_a_head_may_have_no_role_anywhere(probed):
    never = [h for h in np.ndindex(6, 12) if best_shown(probed, h) is None]
    assert never
    for head in never:
        assert all(found.role_of(head) is None for _, found in probed)


def test_what_is_too_long_is_left_out(model, monkeypatch):
    monkeypatch.setattr(type(model), "longest_trace", 20)
    assert 0 < len(probe_roles(model)) < len(PROBES)
