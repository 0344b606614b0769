"""What heads write, on the interventions page: the numbers, the answer, and the logit lens."""

import pytest

import attention
from attention import presets
from attention.interventions import attribution, steering
from attention.models import registry
from tests.optional import with_smollm2
from tests.pages.app import INTERVENTIONS, chart, drawn, healthy, open_page, rows
from tests.pages.reader import plain

pytestmark = pytest.mark.slow

GRID = "What each head writes"


@with_smollm2
def test_the_grid_is_what_the_package_computes_and_follows_the_answer():
    app = open_page(INTERVENTIONS, do="direct")
    model = attention.load_model(registry.SMOLLM2)
    trace = model.trace(presets.GIFT.text)
    for typed in ("Mary | John", "her | him"):
        found = attribution.written_for(model, trace, steering.interests(model, typed).ids)
        assert rows(chart(app, GRID))["value"].to_numpy() == pytest.approx(found.heads.ravel())
        assert app.dataframe[0].value["Writes"].iloc[0] == found.heads[found.ranked(1)[0]]
        healthy(app.text_input(key="interests").set_value("her | him").run())


@with_smollm2
def test_the_sentence_tells_weight_and_effect_apart():
    app = open_page(INTERVENTIONS, do="direct")
    said = plain(app.info[0].value)
    assert "L23 H3 writes most for “Mary” against “John”: +2.86 of +6.12 nats" in said
    assert "L24 H4 (0.81), writes -1.07, against it" in said
    table = app.dataframe[0].value
    assert table["Head"].iloc[0] == "L23 H3"
    assert table["Ablated"].iloc[0] == pytest.approx(-3.04, abs=0.01)
    assert any("Jain and Wallace" in c.value and "Wiegreffe" in c.value for c in app.caption)


@with_smollm2
def test_the_lens_opens_and_its_top_is_the_model_s_own_word():
    app = open_page(INTERVENTIONS, do="direct", lens="true")
    lens = drawn(app, "layer", "chance", "token", nth=0)
    best = lens.loc[lens["layer"].idxmax()]
    assert best["token"] == "␣Mary"
    assert len(rows(chart(app, "How probable each layer's"))) == 31 * 14


def test_an_encoder_has_no_answer_to_write_for():
    app = open_page(INTERVENTIONS, do="direct", model="minilm", q=presets.CAT.text)
    assert "it predicts no next word" in plain(app.info[-1].value)
