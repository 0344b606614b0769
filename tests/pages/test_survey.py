"""The survey page: roles over heads, a click, the texts, two models, a survey of one's own."""

import threading
import time

import numpy as np
import pytest

from attention.survey import live, run
from attention.survey.measure import SURVEY_COLUMNS
from attention.survey.summary import load, shipped
from tests.pages.app import SURVEY, click, drawn, healthy, open_page
from tests.pages.reader import plain

pytestmark = pytest.mark.slow

HOSTILE = "**Bold** :red[text] with a <b>tag</b> in it"


@pytest.fixture(scope="module")
def minilm():
    return load(shipped()["minilm"])


def notice(app):
    return plain(app.info[0].value)


def test_it_opens_on_the_shipped_survey(minilm):
    app = open_page(SURVEY)
    grid = drawn(app, "layer", "head", "value")
    assert grid["value"].to_numpy() == pytest.approx(minilm.of("previous").ravel())
    best = grid.loc[grid["value"].idxmax()]
    assert f"L{best['layer']} H{best['head']} scores highest" in notice(app)
    assert f"over {minilm.texts} texts" in notice(app)


@pytest.mark.parametrize("column", SURVEY_COLUMNS)
@pytest.mark.parametrize("name", ["minilm", "en-pt", "en-pt-decoder", "smollm2"])
def test_every_role_and_figure_of_every_survey(name, column):
    app = open_page(SURVEY, survey=name, role=column, survey_with="nobody")
    found = load(shipped()[name])
    counted = found.of(column, "counts").any()
    shown = drawn(app, "layer", "head", "value")["value"].to_numpy()
    first = "alignment" if name == "en-pt-decoder" else "previous"
    expected = found.of(column if counted else first)
    assert shown == pytest.approx(expected.ravel())


def test_a_click_picks_a_head_whose_roles_and_texts_follow(minilm):
    app = open_page(SURVEY)
    click(app, "previous word of all", "head", layer=3, head=1)
    bars = drawn(app, "role", "score", "chance")
    assert bars["score"].tolist()[0] == pytest.approx(float(minilm.of("previous")[3, 1]))
    assert any("L3 H1 is most active" in h.value for h in app.subheader)
    text = minilm.said[int(minilm.top[3, 1, 0])]
    assert any(text[:30] in plain(m.value) for m in app.markdown)


def test_two_models_are_put_in_order(minilm):
    app = open_page(SURVEY, survey_with="smollm2")
    lines = drawn(app, "model", "place", "value")
    assert set(lines["model"]) == {"minilm", "smollm2"}
    own = lines[lines["model"] == "minilm"]["value"].to_numpy()
    assert (np.diff(own) <= 0).all()
    assert len(own) == minilm.of("previous").size
    app = open_page(SURVEY, survey="smollm2", role="induction")
    assert any("measured in no other survey" in plain(c.value) for c in app.caption)


def test_a_survey_of_ones_own_is_shown_letter_for_letter(tmp_path):
    texts = [HOSTILE, "The cat sat on the mat.", "A dog, too, sat on the mat."]
    out = run(texts, "minilm", tmp_path / "a.parquet", draws=4)
    app = open_page(SURVEY)
    field = app.file_uploader(key="survey_file")
    healthy(field.set_value([("a.parquet", out.read_bytes(), "application/parquet")]).run())
    assert "over 3 texts" in notice(app)
    assert any(HOSTILE in plain(m.value) for m in app.markdown)


def test_texts_are_surveyed_while_the_page_goes_on(monkeypatch, tmp_path):
    """The first rerun finds it running: another role is shown meanwhile; then the result is."""
    go_on = threading.Event()
    monkeypatch.setattr(live, "run", lambda *a, **o: go_on.wait(60) and run(*a, **o))
    texts = [HOSTILE, "The cat sat on the mat.", "A dog, too, sat on the mat."]
    app = open_page(SURVEY, survey_model="minilm")
    assert app.button(key="survey_go").proto.disabled
    given = ("a.txt", "\n".join(texts).encode(), "text/plain")
    healthy(app.file_uploader(key="survey_texts").set_value([given]).run())
    healthy(app.button(key="survey_go").click().run())
    assert app.button(key="survey_stop")
    assert app.button(key="survey_go").proto.disabled
    healthy(app.selectbox(key="role").set_value("same").run())
    assert "itself" in notice(app)
    go_on.set()
    job = app.session_state["_live_survey"]
    until = time.monotonic() + 60
    while job.is_running and time.monotonic() < until:
        time.sleep(0.05)
    healthy(app.run())
    assert "over 3 texts" in notice(app)
    assert any(HOSTILE in plain(m.value) for m in app.markdown)
    out = run(texts, "minilm", tmp_path / "a.parquet", part=live.PART_LIVE)
    assert job.file == out.read_bytes()
    assert not app.button(key="survey_go").proto.disabled


def test_a_file_that_is_no_text_is_refused_and_the_page_stays():
    app = open_page(SURVEY)
    given = ("a.txt", b"caf\xe9", "text/plain")
    healthy(app.file_uploader(key="survey_texts").set_value([given]).run())
    healthy(app.button(key="survey_go").click().run())
    assert "a.txt: it is no text in UTF-8" in plain(app.warning[0].value)
    assert app.get("vega_lite_chart")


def test_a_file_that_is_no_survey_is_refused():
    app = open_page(SURVEY)
    field = app.file_uploader(key="survey_file")
    healthy(field.set_value([("a.parquet", b"nothing", "application/parquet")]).run())
    assert "no survey" in plain(app.warning[0].value)
    assert app.get("vega_lite_chart")


@pytest.mark.parametrize("key", ["survey", "role", "survey_head", "survey_with"])
def test_bad_values_in_a_link_fall_back(key):
    assert open_page(SURVEY, **{key: "nonsense"}).get("vega_lite_chart")
