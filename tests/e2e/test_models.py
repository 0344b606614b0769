"""The row above a page in a real browser: models with their sizes, many that cannot be used."""

import re

import pytest

from attention.models import places
from tests.e2e.conftest import served
from tests.e2e.page import expect, main, open_view
from tests.models import tiny

MANY = 23


@pytest.fixture
def full_cache(tmp_path, monkeypatch):
    """Run a server that finds as many unusable models as an ordinary cache has, and a small one."""
    tiny.write(tmp_path / "models" / "small", "bert")
    for i in range(MANY):
        (tmp_path / "models" / f"mine-{i}").mkdir(parents=True)
        (tmp_path / "models" / f"mine-{i}" / "config.json").write_text('{"model_type": "whisper"}')
    monkeypatch.setenv(places.OWN_FOLDER, str(tmp_path / "models"))
    (tmp_path / "server").mkdir()
    yield from served(tmp_path / "server")


def top(page):
    return page.locator("h1").bounding_box()["y"]


def test_reasons_are_read_on_demand_and_push_nothing_down(full_cache, open_page):
    usual = top(open_page("/explorer"))
    page = open_page("/explorer", base=full_cache)
    assert top(page) == usual
    open_view(page)
    page.get_by_text(f"{MANY} models cannot be used").click()
    told = page.get_by_text(
        re.compile("mine-7: model_type is 'whisper'; supported are bert, .*llama")
    )
    expect(told).to_be_visible()
    box = told.bounding_box()
    assert box["width"] < 700


def test_the_picker_shows_sizes_and_the_address_has_none(full_cache, open_page):
    page = open_page("/heads?q=the+cat+sat", base=full_cache)
    main(page).get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="small · 0.00 GB").click()
    expect(page).to_have_url(re.compile(r"[?&]model=small(&|$)"))
    open_view(page)
    expect(page.get_by_text(f"{MANY} models cannot be used")).to_be_visible()
