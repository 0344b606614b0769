"""No address makes one press cost more than the page offers: work is counted, never timed."""

import pytest

import attention
from attention.learning import measure
from attention.learning.measure import End, contestants
from attention.learning.training import Learner
from attention.models.transformer import Transformer
from attention.ui.interventions import write
from attention.ui.learning import settings, training, trials
from tests.pages.app import INTERVENTIONS, LEARNING, healthy, open_page

ABSURD = ["1000000000", "1e9", "-1", "nan", "inf", "9" * 5_000]
NETWORKS = 2  # attention, and the one beside it


def press(app, label):
    (button,) = (b for b in app.button if b.label == label)
    return healthy(button.click().run())


@pytest.fixture
def steps(monkeypatch):
    """Count the steps that networks learn."""
    monkeypatch.setattr(training, "PICTURE_SECONDS", 0.0)
    done, learn = [], Learner.learn
    monkeypatch.setattr(Learner, "learn", lambda *own: done.append(1) or learn(*own))
    return done


@pytest.mark.slow
@pytest.mark.parametrize("value", [*ABSURD, str(max(settings.STEP_COUNTS))])
def test_a_training_has_no_more_steps_than_the_page_offers(steps, value):
    app = open_page(LEARNING, books="1", steps=value, learned=value)
    assert len(steps) <= NETWORKS * max(settings.STEP_COUNTS)
    steps.clear()
    press(app, "Train")
    assert 0 < len(steps) <= NETWORKS * max(settings.STEP_COUNTS)


@pytest.mark.parametrize("value", [*ABSURD, "5", "1000", "32"])
@pytest.mark.parametrize("tab", ["books", "positions", "heads"])
def test_a_comparison_has_no_more_trainings_than_the_page_offers(monkeypatch, tab, value):
    asked = []

    def end(network, settings, report):
        asked.append(settings)
        return End(0.5, settings.steps)

    monkeypatch.setattr(measure, "training_end", end)
    keys = "books", "seeds", "steps", "words", "back", "width", "books_heads"
    app = open_page(LEARNING, **{"try": tab}, **{f"trial_{key}": value for key in keys})
    press(app, "Measure")
    assert 0 < len(asked) <= len(contestants()) * 5
    assert max(one.steps * one.n for one in asked) <= max(trials._LONGEST_RUN) * 16
    assert max(one.n for one in asked) <= 32


@pytest.mark.slow
@pytest.mark.parametrize("value", [*ABSURD, str(write._MOST_TOKENS)])
def test_a_text_grows_by_no_more_tokens_than_the_page_offers(small_models, monkeypatch, value):
    done, run = [], Transformer._run_layer

    def counted(self, share, layer, edits, arrays):
        done.append(arrays.weights.shape[0] * arrays.weights.shape[2])
        run(self, share, layer, edits, arrays)

    text = {"q": "The cat sat on the mat", "model": "small-llama"}
    app = open_page(INTERVENTIONS, do="write", count=value, top_k=value, heat=value, **text)
    monkeypatch.setattr(Transformer, "_run_layer", counted)
    press(app, "Write")
    written = app.session_state[write._WRITTEN].steps
    assert 0 < len(written) <= write._MOST_TOKENS
    model = attention.load_model(text["model"])
    most = len(model.tokenize(text["q"])) + write._MOST_TOKENS
    assert sum(done) <= most * model.config.num_hidden_layers
