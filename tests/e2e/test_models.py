"""The sidebar in a real browser when many models were cannot be used."""

import pytest

from attention.models import places
from tests.e2e.conftest import served
from tests.e2e.live import playwright_api

expect = playwright_api().expect
MANY = 23


@pytest.fixture
def full_cache(tmp_path, monkeypatch):
    """Run a server for one test that finds as many unusable models as an ordinary cache has."""
    for i in range(MANY):
        (tmp_path / "models" / f"mine-{i}").mkdir(parents=True)
        (tmp_path / "models" / f"mine-{i}" / "config.json").write_text('{"model_type": "whisper"}')
    monkeypatch.setenv(places.OWN_FOLDER, str(tmp_path / "models"))
    (tmp_path / "server").mkdir()
    yield from served(tmp_path / "server")


def top(page):
    toggle = page.get_by_test_id("stSidebar").get_by_text("Whole words")
    return toggle.bounding_box()["y"]


def test_reasons_are_read_on_demand_and_push_nothing_down(full_cache, open_page):
    usual = top(open_page("/explorer"))
    page = open_page("/explorer", base=full_cache)
    assert top(page) - usual < 60  # one line
    page.get_by_role("button", name=f"{MANY} models cannot be used").click()
    told = page.get_by_text("mine-7: model_type is 'whisper'; supported are bert, gpt2, llama.")
    expect(told).to_be_visible()
    box = told.bounding_box()
    assert box["width"] < 700
    expect(page.get_by_text("Whole words").first).to_be_attached()
