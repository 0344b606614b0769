"""The learning page without a browser: training, what is kept of it, refusals, comparisons."""

import threading

import pytest

from attention.learning.experiment import Experiment, pictures
from attention.learning.measure import contestants
from attention.learning.stored import stored_comparison
from attention.ui.learning import training
from tests.pages.app import LEARNING, ask, drawn, handles, healthy, open_page
from tests.pages.reader import plain

pytestmark = pytest.mark.slow

QUICK = {"steps": "60", "books": "4"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(training, "PICTURE_SECONDS", 0.0)


def opened(**params):
    return open_page(LEARNING, **QUICK | params)


def train(app):
    return healthy(app.button(key="train").click().run())


def told(app):
    return plain(app.info[0].value)


def captions(app):
    return plain(" ".join(caption.value for caption in app.caption))


def test_the_page_opens_on_what_is_not_learned_yet():
    app = opened()
    assert drawn(app, "weight", "right")["weight"].eq(0.25).all()
    assert "every weight is 1/4 = 25.0 %" in told(app)
    assert "scrubber" not in {h.key for h in handles(app).values()}
    assert not [b for b in app.button if b.label == "Stop"]


def test_training_draws_what_the_package_computes():
    app = train(opened())
    *_, last = pictures(Experiment(n=4, steps=60))
    cells = drawn(app, "weight", "right")
    assert cells["weight"].tolist() == pytest.approx(last.weights.ravel().tolist())
    right = cells.query("right")["weight"].mean()
    assert f"has {right:.1%}".replace("%", " %") in told(app)
    curves = drawn(app, "accuracy", "loss")
    assert curves["series"].unique().tolist() == ["attention, width 32", "GRU, width 24"]
    assert curves["step"].max() == 60
    assert "attention, width 32: 5,168; GRU, width 24: 5,104" in captions(app)
    assert not [b for b in app.button if b.label == "Stop"]


def test_the_slider_over_the_steps_shows_how_it_was():
    app = train(opened())
    healthy(handles(app)["at"].set_value(20.0).run())
    assert told(app).startswith("After 20 steps")
    then = next(p for p in pictures(Experiment(n=4, steps=60)) if p.step == 20)
    push = drawn(app, "push")
    assert push["push"].tolist() == pytest.approx((-then.gradients[0, 0]).tolist(), abs=1e-6)
    assert push["push"].sum() == pytest.approx(0, abs=1e-5)
    assert "The right one is pushed up" in captions(app)
    healthy(app.selectbox(key="asked").set_value(1).run())
    assert drawn(app, "push").query("right")["k"].tolist() == [1]


def test_a_link_trains_up_to_where_it_was_left():
    app = opened(learned="30", at="10")
    assert told(app).startswith("After 10 steps")
    assert drawn(app, "accuracy", "loss")["step"].max() == 30
    assert told(opened(learned="-1", at="nothing")) == told(opened())


@pytest.mark.parametrize("learned", ["0", "30"])
def test_a_page_that_opens_slowly_says_how_far_it_is(monkeypatch, learned):
    monkeypatch.setattr(training, "_SILENT_SECONDS", -1.0)
    assert told(opened(learned=learned))


def test_a_training_that_was_stopped_at_once_holds_nothing():
    empty = training.Trained(Experiment(n=4, steps=60))
    assert not empty.holds(empty.experiment, 0)
    app = opened()
    app.session_state["_trained"] = empty
    assert "every weight is 1/4" in told(healthy(app.run()))


def test_a_run_that_is_being_stopped_adds_nothing_to_what_is_shown():
    """Streamlit begins the next run while the last one has yet to notice that it is stopped."""
    app = opened(learned="30")
    held = app.session_state["_trained"]
    healthy(app.run())
    held.pictures.append(held.pictures[-1]._replace(step=31))
    healthy(handles(app)["at"].set_value(20.0).run())
    assert told(app).startswith("After 20 steps")
    assert app.session_state["learned"] == 30
    assert drawn(app, "accuracy", "loss")["step"].max() == 30


def test_what_is_trained_with_other_settings_begins_anew():
    app = train(opened())
    healthy(app.select_slider(key="books").set_value(8).run())
    assert "Nothing is learned yet: every weight is 1/8" in told(app)


def test_readers_wait_for_their_turn_and_are_told_so(monkeypatch):
    line, free = training.line(), threading.Event()
    waiting = []

    def waits(status):
        def tell(ahead):
            waiting.append(ahead)
            free.set()

        return tell

    def hold():
        with line.join() as turn:
            assert turn.wait(10)
            free.wait(10)

    monkeypatch.setattr(training, "waits", waits)
    others = [threading.Thread(target=hold) for _ in range(training.MOST_TRAININGS)]
    for other in others:
        other.start()
    while len(line) < training.MOST_TRAININGS:
        pass
    app = train(opened())
    for other in others:
        other.join(10)
    assert waiting[0] == training.MOST_TRAININGS
    assert told(app).startswith("After 60 steps")
    assert len(line) == 0


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"task": "back", "back": "3"}, "Which one stands 3 back from the end?"),
        ({"task": "first"}, "Which one is the first?"),
        ({"task": "majority"}, "Which one is the most frequent?"),
        ({"task": "library"}, "Which colour has the book?"),
    ],
)
def test_every_task_is_told_and_learned(params, said):
    app = train(opened(steps="120", rival="none", **params))
    assert said in captions(app)
    right = drawn(app, "accuracy", "loss")["accuracy"].iloc[-1]
    assert right > 0.8
    if params["task"] == "majority":
        assert "All words count" in told(app)


def test_without_positions_the_order_is_not_seen():
    with_them, without = (
        drawn(
            train(opened(task="back", back="2", steps="120", rival="none", positions=on)),
            "accuracy", "loss",
        )["accuracy"].iloc[-1]
        for on in ("true", "false")
    )  # fmt: skip
    assert with_them > 0.95
    assert without < 0.6


def test_the_stored_comparison_is_drawn_with_its_date_and_command():
    app = opened()
    stored = stored_comparison()
    points = drawn(app, "mean", "low", "high")
    assert len(points) == len(stored.library)
    assert not points["here"].any()
    assert stored.run.made in captions(app)
    assert "A stored run, not of this machine" in captions(app)


def test_every_stored_figure_is_in_the_table():
    app = opened(figures="true")
    lines = next(m.value for m in app.markdown if m.value.startswith("| network"))
    shown = plain(lines)
    for point in stored_comparison().library:
        assert f"{point.parameters:,}" in shown
        assert f"{max(point.accuracies):.1%}".replace("%", " %") in shown


def test_one_number_of_books_is_measured_here():
    app = opened(trial_books="1", trial_steps="250", trial_seeds="1")
    healthy(app.button(key="measure_books").click().run())
    here = drawn(app, "mean", "low", "high").query("here")
    assert here["series"].tolist() == list(contestants())
    assert here["n"].eq(1).all()
    assert "Measured here. Asked for the only book: attention gets" in plain(
        " ".join(i.value for i in app.info)
    )
    assert "Rings: measured on this machine." in captions(app)


@pytest.mark.parametrize(
    ("tab", "names"),
    [
        ("positions", ["with positions", "without positions"]),
        ("heads", ["1 head of 32", "2 heads of 16", "4 heads of 8", "8 heads of 4"]),
    ],
)
def test_networks_are_compared_when_asked(tab, names):
    app = opened(**{"try": tab, "trial_seeds": "1", "trial_words": "4", "trial_books_heads": "4"})
    healthy(app.button(key=f"measure_{tab}").click().run())
    points = drawn(app, "mean", "low", "high")
    assert points["series"].tolist() == names
    assert "Right answers: " in plain(app.info[-1].value)
    if tab == "positions":
        assert points["mean"].iloc[0] > 0.95
        assert points["mean"].iloc[1] < 0.6


def test_the_question_is_answered_from_the_stored_figures():
    app = ask(opened())
    radio = next(r for r in app.radio if "16 books" in r.options)
    healthy(radio.set_value("16 books").run())
    assert "by the number of books: 1: " in plain(
        " ".join(box.value for box in [*app.success, *app.warning])
    )
