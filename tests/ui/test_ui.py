import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention import ui
from tests.pages.reader import plain


def test_escaping_leaves_words_as_they_are():
    assert ui.escape_markdown("wouldn't stop, 我爱你") == "wouldn't stop, 我爱你"


@pytest.mark.parametrize("mark", sorted(set(string.punctuation) - set("',;?%(")))
def test_every_mark_that_markdown_knows_is_escaped(mark):
    assert plain(ui.escape_markdown(f"a{mark}b")) == f"a{mark}b"
    assert f"\\{mark}" in ui.escape_markdown(f"a{mark}b")


def test_escaping_keeps_to_one_line():
    assert ui.escape_markdown("a\n# b\tc") == "a \\# b c"


@given(st.text())
def test_escaping_adds_nothing_that_could_be_copied(text):
    escaped = ui.escape_markdown(text)
    assert plain(escaped) == " ".join(text.split())
    assert not {*escaped} - {*text, *"\\ :color[]"}


def test_toggling_twice_changes_nothing():
    chosen = ["L0 H1", "L3 H1"]
    assert ui.toggled(ui.toggled(chosen, "L5 H0", 6), "L5 H0", 6) == chosen


def test_toggling_keeps_to_the_most():
    assert ui.toggled(["a", "b"], "c", 2) == ["a", "b"]
