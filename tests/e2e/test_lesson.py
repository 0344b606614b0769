"""The lesson in a real browser: its links, its claims and its questions."""

import re

from tests.e2e.page import chart, expect, field, main, sentence

TITLE = "Attention: how a word finds its meaning"
TROPHY = "The trophy wouldn't fit in the suitcase because it was too big"


def follow(page, name, **how):
    main(page).get_by_role("link", name=name, **how).first.click()


def notice(page, text):
    return main(page).get_by_test_id("stAlert").filter(has_text=text)


def test_the_first_page_shows_the_living_example(open_page):
    page = open_page("/")
    expect(page.locator("h1")).to_have_text(TITLE)
    expect(notice(page, "the other words give it 0.11 on average")).to_be_visible()
    expect(chart(page, "Lines from each")).to_contain_text("0.49")


def test_a_click_makes_another_word_the_query_of_the_whole_page(open_page):
    page = open_page("/lesson")
    word = chart(page, "Lines from each").locator('path[aria-label*="click: tired;"]')
    word.click()
    expect(field(page, "word")).to_have_value("10 tired")
    expect(notice(page, "“tired” attends to")).to_be_visible()
    expect(page).to_have_url(re.compile("word=10"))
    expect(main(page)).to_contain_text("The query of “tired” times the key of")


def test_a_picture_of_the_story_leads_to_its_page(open_page):
    page = open_page("/lesson")
    follow(page, "Explorer", exact=True)
    expect(page.locator("h1")).to_have_text("Explorer")
    expect(page.get_by_role("radio", name="A real head")).to_be_checked()


def test_a_link_opens_the_pipeline_at_its_step_and_cell(open_page):
    page = open_page("/")
    follow(page, "See the scale at work")
    expect(page.locator("h1")).to_have_text("Pipeline")
    expect(page.get_by_role("radio", name="÷ √E")).to_be_checked()
    expect(field(page, "word")).to_have_value("8 it")
    expect(field(page, "reads")).to_have_value("2 cat")


def test_a_link_brings_its_own_sentence_and_the_address_says_so(open_page):
    page = open_page("/lesson")
    follow(page, "See this head's whole map")
    expect(page.locator("h1")).to_have_text("Heads")
    expect(sentence(page)).to_have_value(TROPHY)
    expect(page).to_have_url(re.compile(r"/heads\?.*q=The\+trophy"))
    expect(page.locator(".st-key-heads [data-tag]:visible")).to_have_text(["L3 H1"])
    expect(page).not_to_have_url(re.compile("to="))


def test_a_link_works_in_a_new_tab_too(open_page):
    page = open_page("/lesson")
    address = main(page).get_by_role("link", name="See this head's whole map").get_attribute("href")
    other = open_page("/" + address.lstrip("/"))
    expect(sentence(other)).to_have_value(TROPHY)
    expect(other.locator(".st-key-heads [data-tag]:visible")).to_have_text(["L3 H1"])


def test_a_link_wins_over_what_was_chosen_there_before(open_page):
    page = open_page("/heads")
    page.locator('path[aria-label^="head: 2; layer: 0;"]').first.click()
    expect(page.locator(".st-key-heads [data-tag]:visible")).to_have_count(4)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Lesson").click()
    expect(page.locator("h1")).to_have_text(TITLE)
    follow(page, "Put heads side by side")
    tags = page.locator(".st-key-heads [data-tag]:visible")
    expect(tags).to_have_text(["L3 H1", "L4 H3", "L4 H4"])


def test_the_2014_card_opens_both_scores_beside_translation(open_page):
    page = open_page("/lesson")
    follow(page, "Compare both scores")
    tab = main(page).get_by_role("tab", name="Additive or dot product?")
    expect(tab).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile("/translation.*see=scores"))


def test_an_old_link_to_the_claim_that_moved_opens_the_lesson(open_page):
    page = open_page("/lesson?claim=additive")
    expect(main(page).get_by_role("tab").first).to_have_attribute("aria-selected", "true")


def test_a_click_in_the_grid_chooses_the_head(open_page):
    page = open_page("/lesson")
    page.locator('path[aria-label^="head: 0; layer: 5;"]').first.click()
    expect(field(page, "turn_head")).to_have_value("L5 H0")
    expect(notice(page, "It turns with the meaning")).to_be_visible()
    expect(page).to_have_url(re.compile(r"turn_head=L5H0"))


def test_a_picked_pair_fills_the_fields(open_page):
    page = open_page("/lesson")
    picker = field(page, "_pair")
    picker.click()
    picker.fill("animal didn")
    expect(page.get_by_text("too tired / wide")).to_be_visible()
    picker.press("Enter")
    expect(field(page, "meant1")).to_have_value("2 animal")
    expect(field(page, "meant2")).to_have_value("6 street")
    expect(notice(page, "In L3 H1 the pronoun gives “animal”")).to_be_visible()


def test_minimal_pairs_follow_what_is_typed(open_page):
    page = open_page("/lesson")
    expect(notice(page, "the pronoun gives “trophy” 0")).to_contain_text("does not turn")
    second = page.get_by_role("textbox", name="Second sentence")
    second.fill("The trophy wouldn't fit in the suitcase because it was too red")
    second.press("Enter")
    expect(page).to_have_url(re.compile(r"two=.*red"))
    expect(field(page, "meant2")).to_have_value("7 suitcase")


def test_the_score_opens_when_asked(open_page):
    page = open_page("/lesson")
    main(page).get_by_text("The score over").click()
    expect(notice(page, "chosen by these very pairs")).to_be_visible(timeout=60_000)
    main(page).get_by_text("Both sentences right", exact=True).click()
    expect(page).to_have_url(re.compile(r"points=both"))


def test_heads_are_removed_and_the_most_alike_open_side_by_side(open_page):
    page = open_page("/lesson")
    main(page).get_by_role("tab").nth(1).click()
    expect(notice(page, "heads can be ablated, least effect first")).to_be_visible(timeout=60_000)
    alike = main(page).get_by_role("link", name=re.compile("differ by")).first
    names = re.findall(r"L\d+ H\d+", alike.inner_text())
    alike.click()
    expect(page.locator("h1")).to_have_text("Heads")
    expect(page.locator(".st-key-heads [data-tag]:visible")).to_have_text(names)


def test_a_claim_opens_with_its_charts(open_page):
    page = open_page("/lesson")
    main(page).get_by_role("tab", name="More heads are always better").click()
    expect(page).to_have_url(re.compile("claim=heads"))
    expect(chart(page, "How differently any two heads attend")).to_be_visible()


def test_a_question_hides_its_answer_until_it_is_answered(open_page):
    page = open_page("/lesson")
    question = main(page).get_by_test_id("stExpander").first
    question.get_by_text("Predict first").click()
    expect(question.get_by_test_id("stAlert")).to_have_count(0)
    question.get_by_test_id("stRadio").locator("label", has_text="cat").click()
    expect(question.get_by_test_id("stAlert")).to_be_visible()
    expect(question.get_by_text(re.compile(r"\d of 1"))).to_be_visible()
