"""What is said of roles: true to the numbers, of heads with and without one."""

import re

import numpy as np
import pytest

from attention.analysis import role_sentences as said
from attention.analysis.role_kinds import ROLES
from attention.analysis.roles import head_roles
from attention.analysis.words import Unit, View


@pytest.fixture(scope="module")
def found(cat_view):
    return head_roles(cat_view)


def test_every_head_is_told_with_its_own_numbers(found, cat_view):
    for head in np.ndindex(found.main.shape):
        lines = said.role_title(found, cat_view, head).split("\n")
        name = found.role_of(head)
        assert lines[0] == f"L{head[0]} H{head[1]}"
        if name is None:
            assert lines[1] == "no role here"
            word, key, weight = re.fullmatch(r"(.+) → (.+) (\d\.\d+)", lines[2]).groups()
            cell = cat_view.weights[head][cat_view.find(word), cat_view.find(key)]
            assert "…" in lines[2] or "the" in lines[2].lower() or f"{cell:.2f}" == weight
            continue
        score, mean, spread = found.at(name, head)
        assert lines[1].endswith(f" {score:.2f}")
        assert lines[2] == f"chance {mean:.2f} ± {spread:.2f}"
        assert ROLES[name].label in said.role_line(found, head)


def test_a_head_without_a_role_names_what_is_most_above_chance(found):
    line = said.role_line(found, (3, 1))
    near = re.search(r"most above chance is (.+), (\d\.\d+) against (\d\.\d+)", line)
    shares = [i for i, name in enumerate(found.names) if name != "broad"]
    over = found.scores[shares, 3, 1] - found.null_mean[shares, 3, 1]
    name = [found.names[i] for i in shares][int(np.nanargmax(over))]
    assert near[1] == ROLES[name].label
    assert float(near[2]) == pytest.approx(found.at(name, (3, 1))[0], abs=0.005)


def test_the_counts_add_up(found):
    sentence = said.roles_sentence(found)
    counts = [int(n) for n in re.findall(r"(\d+) (?!of|heads|have)", sentence)]
    assert f"{(found.main >= 0).sum()} of 72 heads have a role" in sentence
    assert sum(counts) == (found.main >= 0).sum()
    assert sentence.endswith(f"{(found.main < 0).sum()} have none.")
    assert said.present(found)["first"] == found.has[found.names.index("first")].sum()


def test_a_text_without_roles_says_so():
    weights = np.tile(np.eye(4), (1, 2, 1, 1))
    units = tuple(Unit(f"w{i}", (i,), False) for i in range(4))
    none = head_roles(View(units, weights, np.zeros((1, 2, 4))))
    assert said.roles_sentence(none).startswith("On this text ")
    one = head_roles(View(units[:1], weights[..., :1, :1], np.zeros((1, 2, 1))))
    assert said.roles_sentence(one) == "On this text none of 2 heads has a role."
    assert said.role_line(one, (0, 0)) == "L0 H0: no role here"


@pytest.mark.parametrize("name", ROLES)
def test_every_role_is_explained_with_its_source(name):
    text = said.role_meaning(name, 12, 200)
    assert ROLES[name].source in text
    assert f"from {ROLES[name].threshold:.2f} on" in text
    assert re.search(r"(19|20)\d\d", text)


def test_a_fixed_distance_says_how_far_and_where_to():
    weights = np.zeros((20, 20))
    for q in range(20):
        weights[q, max(0, q - 3)] = 1
    units = tuple(Unit(f"w{i}", (i,), False) for i in range(20))
    shown = View(units, weights[None, None], np.zeros((1, 1, 20)))
    far = head_roles(shown)
    assert said.role_title(far, shown, (0, 0)).split("\n")[1] == "3 back 1.00"
    assert "fixed distance, 3 back, 1.00 against" in said.role_line(far, (0, 0))
