"""The lesson in a real browser: its links, its claims and its questions."""

import re

from tests.e2e.live import playwright_api

expect = playwright_api().expect
expect.set_options(timeout=15_000)


def main(page):
    return page.get_by_test_id("stMain")


def test_a_card_leads_to_the_right_page_in_the_right_state(open_page):
    page = open_page("/")
    main(page).get_by_role("link", name="Put heads side by side").click()
    expect(page.locator("h1")).to_have_text("Heads")
    expect(page).to_have_url(re.compile(r"/heads"))
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_minimal_pairs_follow_what_is_typed(open_page):
    page = open_page("/lesson")
    notice = main(page).get_by_text("reads “trophy” with 0")
    expect(notice).to_contain_text("does not turn")
    second = page.get_by_role("textbox", name="Second sentence")
    second.fill("The trophy wouldn't fit in the suitcase because it was too red")
    second.press("Enter")
    expect(main(page).get_by_text("0.24")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"two=.*red"))


def test_a_claim_opens_with_its_charts(open_page):
    page = open_page("/lesson")
    main(page).get_by_role("tab", name="Additive or dot product?").click()
    expect(page).to_have_url(re.compile("claim="))
    expect(main(page).get_by_test_id("stVegaLiteChart").nth(1)).to_be_visible()


def test_a_question_hides_its_answer_until_it_is_answered(open_page):
    page = open_page("/lesson")
    question = main(page).get_by_test_id("stExpander").first
    question.get_by_text("Predict first").click()
    expect(question.get_by_test_id("stAlert")).to_have_count(0)
    question.get_by_test_id("stRadio").locator("label", has_text="cat").click()
    expect(question.get_by_test_id("stAlert")).to_be_visible()
    expect(question.get_by_text(re.compile(r"\d of 1"))).to_be_visible()
