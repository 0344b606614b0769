"""Translation in a real browser: a word clicked on either side, and the line cut."""

import re

from tests.e2e.page import button, chart, expect, field, main, notice


def word(page, label):
    """Return the ground of a word in the picture of lines, which takes its clicks."""
    return chart(page, "Lines between").locator(f'path[aria-label*="click: {label};"]').first


def test_a_word_of_the_translation_and_of_the_source_can_be_clicked(open_page):
    page = open_page("/translation")
    expect(notice(page)).to_contain_text("“margem” attends to “bank” most (0.76")
    word(page, "rio").click()
    expect(notice(page)).to_contain_text("“rio” attends to “river” most")
    expect(page).to_have_url(re.compile("written=4"))
    word(page, "bank").click()
    expect(notice(page)).to_contain_text("“bank” is looked at most by “margem”")
    expect(page).to_have_url(re.compile("looked=1"))


def test_one_click_cuts_the_line_and_the_bank_is_another(open_page):
    page = open_page("/translation")
    expect(chart(page, "Weights of the encoder")).to_be_visible()
    button(page, "Cut the line").click()
    expect(main(page).get_by_text("O banco junto ao rio era íngreme.").first).to_be_visible()
    expect(page).to_have_url(re.compile("lines=cut_l1_h1_q1_k4"))
    expect(chart(page, "Probability of what is said")).to_contain_text("46.4%")
    button(page, "Restore the line").click()
    expect(field(page, "lines")).to_have_value("")


def test_a_link_opens_with_the_line_cut_in_every_head(open_page):
    page = open_page("/translation?lines=cut_q1_k4&cut_where=all")
    expect(chart(page, "Probability of what is said")).to_contain_text("93.4%")


def test_additive_scores_stand_beside_dot_products_and_are_timed(open_page):
    page = open_page("/translation?see=scores")
    expect(chart(page, "One row of weights from dot products")).to_be_visible()
    button(page, "Measure").click()
    expect(chart(page, "Time of additive and of dot-product scores")).to_be_visible()
