"""Back and Forward of a real browser, and the address that stands in it."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.page import expect, main, sentence, slider, tags, type_sentence

TITLES = {"Lesson": "Attention: how a word finds its meaning"}  # of others it is their name
CAT = "The cat sat on the mat because it was tired"
DOG = "The dog chased the ball because it was fast"
STEEP = "The bank by the river was steep"


def menu(page, name):
    """Open a page from the map of the course."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    on(page, name)


def on(page, name, text=None):
    """Expect a page that has run, and the sentence that it shows."""
    expect(page.locator("h1")).to_have_text(TITLES.get(name, name))
    if text is not None:
        expect(sentence(page)).to_have_value(text)
    page.locator("[data-test-script-state=notRunning]").wait_for(timeout=60_000)


def entries(page):
    return page.evaluate("history.length")


def address(page):
    """Return what the address says: the page, and its choices."""
    parts = urlsplit(page.url)
    return parts.path, parse_qs(parts.query, keep_blank_values=True)


def says(page, **choices):
    """Wait for an address with these choices and no others."""
    page.wait_for_function(
        """wanted => JSON.stringify([...new URLSearchParams(location.search)].sort()) === wanted""",
        arg=__import__("json").dumps(
            sorted([key, value] for key, values in choices.items() for value in values),
            separators=(",", ":"), ensure_ascii=False,
        ),
    )  # fmt: skip


def test_back_from_a_card_returns_to_the_lesson_as_it_was_left(open_page):
    page = open_page("/lesson")
    start = entries(page)
    type_sentence(page, DOG)
    says(page, q=[DOG])
    page.get_by_role("tab", name="More heads").click()
    says(page, q=[DOG], claim=["heads"])
    card = main(page).get_by_role("link", name="Pipeline")
    expect(card).to_have_attribute("href", re.compile("dog"))  # drawn anew for this sentence
    card.click()
    on(page, "Pipeline", DOG)
    assert entries(page) == start + 1
    there = page.url

    page.go_back()
    on(page, "Lesson", DOG)
    expect(page.get_by_role("tab", name="More heads")).to_have_attribute("aria-selected", "true")
    assert address(page) == ("/lesson", {"q": [DOG], "claim": ["heads"]})
    page.go_forward()
    on(page, "Pipeline", DOG)
    assert page.url == there
    assert entries(page) == start + 1


def test_back_and_forward_go_through_pages_from_the_menu(open_page):
    page = open_page("/visualizer?model=minilm")
    start = entries(page)
    type_sentence(page, DOG)
    expect(page.locator(".st-key-word input").first).to_have_value("8 was")
    before = slider(page, "Head").input_value()
    slider(page, "Head").press("ArrowLeft" if before != "0" else "ArrowRight")
    page.wait_for_function("location.search.includes('head=')")
    left = page.url

    menu(page, "Heads")
    expect(sentence(page)).to_have_value(DOG)
    page.locator('path[aria-label^="head: 2; layer: 0;"]').first.click()
    expect(tags(page)).to_have_count(4)
    page.wait_for_function("location.search.includes('heads=')")
    compared = page.url

    menu(page, "Interventions")
    expect(sentence(page)).to_have_value(DOG)
    page.get_by_role("tab", name="Cut").click()
    page.wait_for_function("location.search.includes('do=cut')")
    cut = page.url
    type_sentence(page, STEEP)
    page.wait_for_function("location.search.includes('steep')")
    assert entries(page) == start + 2

    page.go_back()
    on(page, "Heads", DOG)
    expect(tags(page)).to_have_count(4)
    assert page.url == compared
    page.go_back()
    on(page, "Visualizer", DOG)
    expect(slider(page, "Head")).not_to_have_value(before)
    assert page.url == left
    page.go_forward()
    on(page, "Heads", DOG)
    page.go_forward()
    on(page, "Interventions", STEEP)
    expect(page.get_by_role("tab", name="Cut")).to_have_attribute("aria-selected", "true")
    assert urlsplit(page.url).path == urlsplit(cut).path
    assert entries(page) == start + 2


def test_back_to_an_untouched_page_shows_its_own_sentence(open_page):
    page = open_page("/lesson")
    menu(page, "Heads")
    type_sentence(page, DOG)
    says(page, q=[DOG])
    page.go_back()
    on(page, "Lesson", CAT)
    assert address(page) == ("/lesson", {})
    page.go_forward()
    on(page, "Heads", DOG)


def test_a_page_that_is_left_while_it_runs_is_left_as_it_is(open_page):
    """Then the end of its run, which says in the address what is chosen, is never reached."""
    text = "A long run that nobody has asked for before is cut short when the reader goes on"
    page = open_page(f"/lesson?q={text.replace(' ', '+')}")
    start = entries(page)
    page.get_by_role("tab", name="More heads").click()
    expect(main(page).get_by_text("Ablating heads")).to_be_visible()
    page.get_by_role("link", name="Put heads side by side").click()
    on(page, "Heads", text)
    assert entries(page) == start + 1
    page.go_back()
    on(page, "Lesson", text)
    assert address(page) == ("/lesson", {"q": [text], "claim": ["heads"]})


def test_back_several_times_at_once(open_page):
    page = open_page("/lesson")
    type_sentence(page, DOG)
    says(page, q=[DOG])
    for name in ("Heads", "Visualizer", "Explorer"):
        menu(page, name)
    page.evaluate("history.go(-2)")  # as the list does that a browser's Back button drops
    page.wait_for_function("location.pathname === '/heads'")
    on(page, "Heads", DOG)
    assert address(page) == ("/heads", {"q": [DOG]})
    page.go_back()
    on(page, "Lesson", DOG)
    for name in ("Heads", "Visualizer", "Explorer"):
        page.go_forward()
        on(page, name, DOG)
        assert address(page) == (f"/{name.lower()}", {"q": [DOG]})


def test_a_score_that_was_moved_is_there_again(open_page):
    """The explorer's scores are in a fragment, which runs without the rest of the page."""
    page = open_page("/explorer")
    slider(page, "deposit").press("PageUp")
    page.wait_for_function("/r6-[0-9a-f]+=/.test(location.search)")
    moved, at = slider(page, "deposit").input_value(), page.url
    menu(page, "Lesson")
    page.go_back()
    on(page, "Explorer")
    expect(slider(page, "deposit")).to_have_value(moved)
    assert page.url == at


def test_a_typed_address_is_an_entry_and_goes_back_too(open_page):
    page = open_page("/lesson")
    type_sentence(page, DOG)
    says(page, q=[DOG])
    base = page.url.split("/lesson")[0]
    page.goto(f"{base}/heads?heads=L1+H2&figure=Distance")
    on(page, "Heads", CAT)
    says(page, heads=["L1H2"], figure=["distance"])
    page.go_back()
    on(page, "Lesson", DOG)
    page.go_forward()
    on(page, "Heads", CAT)
    expect(tags(page)).to_have_text(["L1 H2"])


def test_what_the_first_address_says_goes_along_to_the_next_page(open_page):
    page = open_page("/lesson?q=The+bank+by+the+river+was+steep&special=false&words=false")
    menu(page, "Heads")
    expect(sentence(page)).to_have_value(STEEP)
    says(page, q=[STEEP], special=["false"], words=["false"])
    menu(page, "Visualizer")
    says(page, q=[STEEP], special=["false"], words=["false"])


def test_a_link_to_the_page_itself_opens_what_it_says(open_page):
    texts = "q=The+cat+was+tired&patch_text=The+dog+was+tired"
    page = open_page(f"/interventions?do=patch&model=minilm&{texts}")
    start = entries(page)
    page.get_by_role("button", name="Open it on “Cut”").click()
    expect(page.get_by_role("tab", name="Cut")).to_have_attribute("aria-selected", "true")
    page.wait_for_function("new URLSearchParams(location.search).get('do') === 'cut'")
    page.wait_for_function("new URLSearchParams(location.search).get('edits').startsWith('put')")
    assert entries(page) == start


def test_a_reload_changes_nothing(open_page):
    page = open_page("/heads?q=The+bank+by+the+river+was+steep&special=false&heads=L1H2")
    says(page, q=[STEEP], special=["false"], heads=["L1H2"])
    notice, before = main(page).get_by_test_id("stAlert").first.inner_text(), page.url
    page.reload()
    on(page, "Heads", STEEP)
    expect(tags(page)).to_have_text(["L1 H2"])
    expect(main(page).get_by_test_id("stAlert").first).to_have_text(notice, use_inner_text=True)
    assert page.url == before


@pytest.mark.parametrize("text", ["", "word " * 600])
def test_a_page_that_ends_early_has_an_address_too(open_page, text):
    page = open_page("/heads")
    type_sentence(page, text)
    page.wait_for_function("location.search.startsWith('?q=')")
    menu(page, "Lesson")
    page.go_back()
    on(page, "Heads", text)


def test_a_picker_shows_the_word_of_the_new_sentence(open_page):
    """Word number 8 of both: the browser must be told that it is another word."""
    page = open_page("/visualizer")
    picker = page.locator(".st-key-word input").first
    expect(picker).to_have_value("8 it")
    type_sentence(page, DOG)
    expect(picker).to_have_value("8 was")


def test_the_address_takes_no_room(open_page):
    page = open_page("/heads")
    boxes = page.locator("[data-testid=stBidiComponentRegular], [data-testid*=Bidi]")
    assert all(box.bounding_box() is None for box in boxes.all())
    assert re.search(r"/heads$", page.url)
