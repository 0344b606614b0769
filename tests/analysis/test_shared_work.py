"""Figures of long texts are made by several processors: the numbers stay as they are."""

from __future__ import annotations

import numpy as np

from attention import load_model
from attention.analysis import role_scores, sinks, written
from attention.analysis.roles import head_roles


def test_processors_that_share_the_work_change_no_number(monkeypatch):
    model = load_model("minilm")
    trace = model.trace("The cat sat on the mat because the cat was tired")
    alone, shares = head_roles(trace), written.written_shares(model, trace)
    for module in (role_scores, sinks, written):
        monkeypatch.setattr(module, "LARGE", 0)
    together = head_roles(trace)
    for part in ("scores", "null_mean", "null_spread"):
        np.testing.assert_array_equal(getattr(together, part), getattr(alone, part))
    np.testing.assert_allclose(written.written_shares(model, trace), shares, rtol=1e-5)
