"""The lesson without a browser: the living example, the cards, the claims and the questions."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]


def open_page(**params):
    app = AppTest.from_file(str(ROOT / "pages/learn/lesson.py"), default_timeout=60)
    for key, value in params.items():
        app.query_params[key] = value
    return healthy(app.run())


def healthy(app):
    assert not app.exception, [(e.value, e.stack_trace) for e in app.exception]
    return app


def test_opens_on_the_living_example_with_six_cards():
    app = open_page()
    assert "reads “cat” with 0\\.\u206068" in app.info[0].value
    assert len(app.metric) == 6


def test_another_sentence_changes_every_figure():
    app = open_page()
    before = [metric.value for metric in app.metric]
    healthy(app.text_area(key="q").set_value("We fished by the bank of the river").run())
    assert all(a != b for a, b in zip(before, [m.value for m in app.metric], strict=True))


def test_minimal_pairs_show_what_the_pronoun_reads_before_and_after():
    notice = open_page().info[1].value
    assert "0\\.\u206054" in notice
    assert "does not turn" in notice


@pytest.mark.parametrize("claim", ["“More heads are always better”", "Additive or dot product?"])
def test_every_claim_opens_from_a_link(claim):
    assert open_page(claim=claim).get("vega_lite_chart")


def test_a_question_is_answered_before_its_answer_is_shown():
    app = open_page()
    question = app.radio[0]
    assert not app.success
    plain = next(option for option in question.options if option.isalpha())  # not escaped
    healthy(question.set_value(plain).run())
    assert len(app.success) + len(app.warning) == 1
