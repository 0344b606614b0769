"""The theme: text that can be read on every ground, colours that can be told apart by all."""

import ast
import re
import tomllib
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from colorspacious import cspace_convert, deltaE

from attention.charts.parts import NEUTRAL

ROOT = Path(__file__).parents[1]
THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
MODES = ("light", "dark")
READABLE = 4.5  # WCAG 2.2, 1.4.3, level AA
CAPTION = 0.6  # Streamlit writes captions with so much of the text colour
TOLD_APART = 15  # CAM02-UCS; about 2 is just noticeable side by side
BLINDNESS = ("deuteranomaly", "protanomaly", "tritanomaly")


def rgb(code):
    return [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def luminance(colour):
    """Return the relative luminance that WCAG 2.2 defines."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return sum(c * share for c, share in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mixed(colour, ground, share):
    return [share * c + (1 - share) * g for c, g in zip(colour, ground, strict=True)]


def test_contrast_by_hand():
    assert contrast(rgb("#000000"), rgb("#ffffff")) == pytest.approx(21)
    assert contrast(rgb("#767676"), rgb("#ffffff")) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("mode", MODES)
def test_text_can_be_read_on_every_ground(mode):
    theme = THEME[mode]
    grounds = [theme["backgroundColor"], theme["secondaryBackgroundColor"],
               theme["sidebar"]["backgroundColor"]]  # fmt: skip
    for ground in map(rgb, grounds):
        text = rgb(theme["textColor"])
        assert contrast(text, ground) >= READABLE
        assert contrast(rgb(theme["linkColor"]), ground) >= READABLE
        assert contrast(rgb(theme["primaryColor"]), ground) >= READABLE
    page = rgb(theme["backgroundColor"])
    assert contrast(mixed(rgb(theme["textColor"]), page, CAPTION), page) >= READABLE
    selected = mixed(rgb(theme["primaryColor"]), page, 0.1)  # the ground of a chosen segment
    assert contrast(rgb(theme["primaryColor"]), selected) >= READABLE
    assert contrast(rgb(theme["codeTextColor"]), rgb(theme["codeBackgroundColor"])) >= READABLE


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("eyes", [None, *BLINDNESS])
def test_four_colours_are_told_apart_by_all_eyes(mode, eyes):
    """Where colour tells words apart, at most four have one."""
    colours = [rgb(code) for code in THEME[mode]["chartCategoricalColors"][:4]]
    if eyes:
        space = {"name": "sRGB1+CVD", "cvd_type": eyes, "severity": 100}
        colours = [cspace_convert(colour, space, "sRGB1") for colour in colours]
    for one, other in combinations(colours, 2):
        assert deltaE(one, other, input_space="sRGB1") >= TOLD_APART


def test_no_button_is_filled_with_the_theme_s_colour():
    """In the dark its text would be white on a colour that must be light to be read as text."""
    for path in [*ROOT.glob("attention/ui/**/*.py"), *ROOT.glob("pages/**/*.py")]:
        assert not re.search(r"type=[\"']primary", path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("mode", MODES)
def test_grey_text_in_charts_is_as_far_from_light_ground_as_from_dark(mode):
    """One colour cannot reach 4.5 on both grounds: 4.24 is the most that any grey can."""
    assert contrast(rgb(NEUTRAL), rgb(THEME[mode]["backgroundColor"])) >= 4.2


TEXT_BY_A_FIELD = {  # how many texts of a file have a field for their colour
    "attention/charts/blend.py": 1, "attention/charts/links.py": 2, "attention/charts/roles.py": 1,
    "attention/context/charts.py": 1, "attention/scaling/charts.py": 1,
    "attention/translation/charts.py": 1,
}  # fmt: skip


def test_no_text_in_a_chart_is_left_black():
    """Vega writes black where nothing is said, and that cannot be seen in the dark."""
    found = Counter()
    for path in (ROOT / "attention").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "mark_text":
                named = {keyword.arg for keyword in node.keywords}
                found[path.relative_to(ROOT).as_posix()] += "color" not in named
    assert {name: count for name, count in found.items() if count} == TEXT_BY_A_FIELD
