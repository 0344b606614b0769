"""Predict, then reveal: what is said fits the answer that is picked, and the first one counts."""

from streamlit.testing.v1 import AppTest

from tests.pages.reader import plain


def page(*options):
    import streamlit as st

    from attention.question import Question
    from attention.ui import predict

    st.title("A page")
    predict(Question("one", "Which?", options, options[1], "Because."))


def asked(*options):
    app = AppTest.from_function(page, args=options or ("a", "b", "c"))
    app.session_state["ask-one"] = True
    return app.run()


def answer(app, *answers):
    for one in answers:
        app.radio[0].set_value(one).run()
        assert not app.exception
    said = [*app.success, *app.warning]
    assert len(said) == 1
    return plain(said[0].value), bool(app.success)


def counted(app):
    return app.caption[-1].value


def test_a_right_first_answer_counts_whatever_comes_after():
    app = asked()
    assert answer(app, "b") == ("Right. Because.", True)
    assert answer(app, "c") == ("No: b, as you first answered. Because.", False)
    assert "1 of 1" in counted(app)
    assert answer(app, "b") == ("Right. Because.", True)


def test_a_wrong_first_answer_counts_and_the_right_one_is_told_so():
    app = asked()
    assert answer(app, "a") == ("Not this time: b. Because.", False)
    assert answer(app, "b") == ("Yes; your first answer was a. Because.", True)
    assert answer(app, "c") == ("No: b; your first answer was a. Because.", False)
    assert "0 of 1" in counted(app)


def test_answers_that_are_sentences_end_with_one_full_stop():
    app = asked("A cat.", "A dog.", "A cow.")
    assert answer(app, "A cat.") == ("Not this time: A dog. Because.", False)
    assert answer(app, "A dog.") == ("Yes; your first answer was A cat. Because.", True)
    assert answer(app, "A cow.") == ("No: A dog; your first answer was A cat. Because.", False)
