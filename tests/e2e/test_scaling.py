"""The scaling lab in a real browser: measured, planned, saved, and laid over another run."""

import json
import re
from pathlib import Path

import pytest

from tests.e2e.page import chart, expect, main, notice

METHODS, CROSS, MEMORY, PLAN = "methods", "crossover", "memory", "planner"


def measure(page):
    main(page).get_by_role("button", name="Measure").and_(page.locator(":visible")).click()


def test_methods_are_compared_and_the_run_is_saved_and_laid_over_another(open_page, tmp_path):
    page = open_page(f"/scaling?lab={METHODS}&methods_n=512&window=16")
    measure(page)
    expect(notice(page)).to_contain_text("The window of 16 is another answer")
    expect(chart(page, "Time of one call of each method")).to_be_visible()
    with page.expect_download() as download:
        main(page).get_by_role("button", name="Save this run").click()
    run = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert run["settings"] == {"width": 64, "heads": 1, "window": 16}
    assert {point["n"] for point in run["points"]} >= {64, 512}

    for point in run["points"]:
        for field in ("low", "seconds", "high"):
            point[field] *= 2
    twice, broken = tmp_path / "twice.json", tmp_path / "broken.json"
    twice.write_text(json.dumps(run), encoding="utf-8")
    broken.write_text("{}", encoding="utf-8")
    page.get_by_role("tab", name="Saved runs").click()
    page.locator("input[type=file]").set_input_files([twice, broken])
    expect(main(page).get_by_text("the file is not a saved run")).to_be_visible()
    expect(main(page).get_by_text(re.compile(r"tiled 2\.\W?00"))).to_be_visible()
    expect(chart(page, "Times of the chosen runs")).to_be_visible()


@pytest.mark.parametrize(
    ("link", "title", "sentence"),
    [
        (f"{CROSS}&cross_n=1024", "Time of the parts", "overtakes the rest of one layer"),
        (f"{MEMORY}&held_n=1024", "Memory of one call against", "times less"),
    ],
)
def test_a_tab_measures_from_its_link(open_page, link, title, sentence):
    page = open_page(f"/scaling?lab={link}")
    measure(page)
    expect(chart(page, title)).to_be_visible()
    expect(main(page).get_by_text(sentence)).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape(link)))


def test_a_plan_follows_its_controls_and_its_link(open_page):
    page = open_page(f"/scaling?lab={PLAN}&shape=gpt-2-small&plan_n=1000&phase=decode")
    expect(notice(page)).to_contain_text("one more token after 999 others")
    page.get_by_role("radio", name="reading the text").click()
    expect(notice(page)).to_contain_text("small, 1,000 tokens")
    speed = main(page).get_by_label("GFLOP/s")
    before = notice(page).inner_text()
    speed.fill("1")
    speed.press("Enter")
    expect(notice(page)).not_to_have_text(before)
    expect(chart(page, "Planned time")).to_be_visible()


def test_the_address_shows_the_measurement_again_and_to_nobody_else(open_page):
    page = open_page(f"/scaling?lab={METHODS}&methods_n=512&window=16")
    measure(page)
    expect(notice(page)).to_contain_text("The window of 16 is another answer")
    expect(main(page).get_by_role("button", name="Stop")).to_have_count(0)
    told = notice(page).inner_text()
    again = open_page(page.url[page.url.index("/scaling") :])
    expect(notice(again)).to_have_text(told, use_inner_text=True)
    expect(chart(again, "Time of one call of each method")).to_be_visible()
    others = open_page(f"/scaling?lab={METHODS}")
    expect(main(others)).to_contain_text("A stored run, not of this machine")
    expect(notice(others)).to_contain_text("The window of 128 is another answer")
