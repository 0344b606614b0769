"""Small pictures of maps: read back by another library, pixel by pixel."""

import io

import numpy as np
import pytest
from PIL import Image

from attention.pictures import RAMP, bin_starts, binned, data_url, map_png, sheet


def read(png):
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


def colour(code):
    return [int(code[i : i + 2], 16) for i in (1, 3, 5)]


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (5, 4), (62, 62)])
def test_a_picture_has_a_pixel_for_every_cell(shape):
    weights = np.random.default_rng(0).random(shape)
    pixels = read(map_png(weights, spread=1))
    assert pixels.shape == (*shape, 3)
    darkness = -pixels.astype(int).sum(axis=-1)
    order = np.argsort(weights, axis=None)
    assert (np.diff(darkness.ravel()[order]) >= 0).all()  # darker for more, and never the reverse


def test_the_ends_of_the_ramp_are_nothing_and_everything():
    pixels = read(map_png(np.array([[0.0, 1.0]])))
    assert pixels[0].tolist() == [colour(RAMP[0]), colour(RAMP[-1])]


def test_a_root_lets_small_weights_be_seen():
    plain, root = (read(map_png(np.array([[0.02]]), spread=p))[0, 0] for p in (1, 0.5))
    assert plain.tolist() == colour(RAMP[0])
    assert root.tolist() != colour(RAMP[0])


def test_what_a_mask_hides_is_transparent():
    seen = np.tri(3, dtype=bool)
    weights = np.random.default_rng(0).random((3, 3)) * seen
    weights[0, 0], weights[2, 0] = 1, 0
    with Image.open(io.BytesIO(map_png(weights, seen))) as image:
        pixels = np.asarray(image.convert("RGBA"))
    assert (pixels[..., 3] == 255 * seen).all()
    assert pixels[0, 0, :3].tolist() == colour(RAMP[-1])
    assert pixels[2, 0, :3].tolist() == colour(RAMP[0])
    darkness = -pixels[seen].astype(int)[:, :3].sum(axis=-1)
    assert (np.diff(darkness[np.argsort(weights[seen])]) >= 0).all()
    assert map_png(weights, np.ones_like(seen)) == map_png(weights)


def test_a_picture_is_small():
    weights = np.random.default_rng(1).dirichlet(np.full(62, 0.2), 62)
    assert len(data_url(map_png(weights))) < 3500  # of 3,844 cells


def test_bins_hold_the_largest_weight():
    weights = np.arange(25).reshape(1, 1, 5, 5) / 25
    assert bin_starts(5, 2).tolist() == [0, 2]
    assert (binned(weights, 2) * 25).round().tolist() == [[[[6, 9], [21, 24]]]]
    assert binned(weights, 5).shape == (1, 1, 5, 5)


def test_a_sheet_has_layers_below_and_heads_beside_each_other():
    maps = np.arange(4).reshape(2, 2, 1, 1) * np.ones((1, 1, 2, 3))
    whole = sheet(maps, gap=1)
    assert whole.shape == (5, 7)
    assert [whole[0, 0], whole[0, 4], whole[3, 0], whole[3, 4]] == [0, 1, 2, 3]
