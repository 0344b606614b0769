"""What a notebook shows of a trace: all of it in the output, and text that stays text."""

import re

import numpy as np

from attention import Trace


def test_a_trace_shows_its_tokens_and_all_heads(cat_trace):
    shown = cat_trace._repr_html_()
    assert "Trace of minilm: 12 tokens, 6 x 12 heads" in shown
    assert "the maps of all 72 heads" in shown
    assert "because it was tired" in shown
    assert len(shown) < 30_000


def test_nothing_is_loaded_and_nothing_runs(cat_trace):
    shown = cat_trace._repr_html_()
    assert re.findall(r'src="([^"]{11})', shown) == ["data:image/"]
    assert not re.search(r"<script|https?:|on\w+=", shown)


def test_what_a_text_holds_stays_text():
    trace = Trace.from_weights(["<img src=x>", "&amp;"], np.full((1, 1, 2, 2), 0.5))
    shown = trace._repr_html_()
    assert shown.count("<img") == 1
    assert "&lt;img" in shown
    assert "&amp;amp;" in shown


def test_a_long_text_and_many_heads_stay_small(model):
    trace = model.trace("word " * 400)
    assert len(trace._repr_html_()) < 300_000
    assert "and 342 more" in trace._repr_html_()


def test_both_texts_of_cross_attention_are_named():
    trace = Trace.from_weights("ab", np.full((1, 1, 2, 3), 1 / 3), keys="xyz")
    assert "keys: <code>x y z</code>" in trace._repr_html_().replace("␣", "")
