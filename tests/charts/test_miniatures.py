"""The map of every head in small: the right pixels, and not too many bytes."""

import base64
import zlib
from dataclasses import replace

import numpy as np
import pytest

from attention.analysis.roles import head_roles
from attention.analysis.words import Unit, View
from attention.charts.maps import head_grid
from attention.charts.miniature_frames import picture_urls, roles_frame


def random_view(layers, heads, size, seed=0):
    weights = np.random.default_rng(seed).dirichlet(np.full(size, 0.1), (layers, heads, size))
    units = tuple(Unit(f"w{i}", (i,), False) for i in range(size))
    return View(units, weights, np.zeros((layers, heads, size)))


def pixels(url):
    """Return the shades of a picture, 0 to 15, read from its bytes."""
    png = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    at = png.index(b"IDAT")
    length = int.from_bytes(png[at - 4 : at], "big")
    lines = np.frombuffer(zlib.decompress(png[at + 4 : at + 4 + length]), np.uint8)
    packed = lines.reshape(height, -1)[:, 1:]
    return np.stack([packed >> 4, packed & 15], axis=-1).reshape(height, -1)[:, :width]


def test_a_picture_is_the_map_of_its_head():
    shown = random_view(2, 3, 9)
    urls = picture_urls(shown)
    assert len(urls) == 6
    for at, url in enumerate(urls):
        expected = np.rint(15 * np.sqrt(shown.weights[at // 3, at % 3]))
        np.testing.assert_array_equal(pixels(url), expected)


def test_dark_ground_has_the_same_shades_in_other_colours():
    shown = random_view(1, 1, 9)
    (light,), (dark,) = picture_urls(shown), picture_urls(shown, dark=True)
    assert light != dark
    np.testing.assert_array_equal(pixels(light), pixels(dark))


@pytest.mark.parametrize(("layers", "heads"), [(12, 12), (30, 9)])
def test_all_heads_at_62_tokens_stay_below_a_megabyte(layers, heads):
    assert sum(map(len, picture_urls(random_view(layers, heads, 62)))) < 1_000_000


def test_a_long_text_is_binned():
    assert pixels(picture_urls(random_view(1, 1, 200))[0]).shape == (64, 64)


def test_what_a_window_hides_has_no_shade():
    shown = random_view(2, 1, 9)
    windowed = replace(shown, is_causal=True, windows=(3, None))
    for layer, url in enumerate(picture_urls(windowed)):
        q, k = np.indices((9, 9))
        sees = (k <= q) & (q - k < (3, 9)[layer])
        assert ((pixels(url) > 0) == sees).all()
        expected = 1 + np.rint(14 * np.sqrt(shown.weights[layer, 0]))
        np.testing.assert_array_equal(pixels(url)[sees], expected[sees])


def test_the_table_tells_roles_and_pales_the_others(cat_view):
    found = head_roles(cat_view)
    table = roles_frame(cat_view.weights.max((-1, -2)), [(3, 1)], found, [(0, 2)])
    assert table.loc[table["on"], "name"].tolist() == ["L0 H2"]
    assert table.loc[table["chosen"], "name"].tolist() == ["L3 H1"]
    assert table.loc[2, "role"].startswith("previous word, 1.00 against 0.")
    assert table.loc[37, "role"] == "no role here"


def test_the_grid_is_drawn_with_pictures_or_colours(cat_view):
    table = roles_frame(cat_view.weights.max((-1, -2)), [(3, 1)], head_roles(cat_view), [(0, 2)])
    small = table.assign(url=picture_urls(cat_view)).head(12)
    options = {"title": "t", "domain": (0.0, 1.0), "layers": 6, "roles": True}
    drawn = str(head_grid(small, **options, pictures=28).to_dict())
    assert "'type': 'image'" in drawn
    assert "'field': 'url'" in drawn
    assert "'type': 'image'" not in str(head_grid(small, **options).to_dict())
