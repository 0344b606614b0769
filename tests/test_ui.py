import string

import pytest

from attention import ui


def test_escaping_leaves_words_as_they_are():
    assert ui.escape_markdown("wouldn't stop, 我爱你") == "wouldn't stop, 我爱你"


@pytest.mark.parametrize("mark", sorted(set(string.punctuation) - set("',;?%()")))
def test_every_mark_that_markdown_knows_is_escaped(mark):
    assert ui.escape_markdown(f"a{mark}b") == f"a\\{mark}\u2060b"


def test_escaping_keeps_to_one_line():
    assert ui.escape_markdown("a\n# b\tc") == "a \\#\u2060 b c"


def test_toggling_twice_changes_nothing():
    chosen = ["L0 H1", "L3 H1"]
    assert ui.toggled(ui.toggled(chosen, "L5 H0", 6), "L5 H0", 6) == chosen


def test_toggling_keeps_to_the_most():
    assert ui.toggled(["a", "b"], "c", 2) == ["a", "b"]
