"""Every tab of every page that reads a text, with small models of each architecture.

They have few heads, few positions and a small vocabulary: whatever a page takes for granted of the
embedded model fails here.
"""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import attention
from attention.models import registry
from tests.models import tiny

ROOT = Path(__file__).parents[2]
LESSON, EXPLORER = "pages/learn/lesson.py", "pages/learn/explorer.py"
PIPELINE, CONTEXT = "pages/learn/pipeline.py", "pages/learn/context.py"
HEADS, VISUALIZER = "pages/explore/heads.py", "pages/explore/visualizer.py"
INTERVENTIONS = "pages/explore/interventions.py"
TABS = (
    (LESSON, "claim", "“Attention means the model understands”"),
    (LESSON, "claim", "“More heads are always better”"),
    (LESSON, "claim", "Additive or dot product?"),
    (EXPLORER, "start", "A real head"),
    (EXPLORER, "start", "Equal scores"),
    (PIPELINE, "step", "Query, key, value"),
    (PIPELINE, "step", "Mask"),
    (PIPELINE, "receipt", "The output number"),
    (CONTEXT, "view", "RNN"),
    (CONTEXT, "view", "CNN"),
    (CONTEXT, "view", "Arbitrary range"),
    (CONTEXT, "view", "Data-dependent"),
    (VISUALIZER, "mode", "Single head"),
    (VISUALIZER, "mode", "Multi-head"),
    (HEADS, "more", "One row, head by head"),
    (HEADS, "more", "Shared keys and values"),
    (HEADS, "more", "Rotation"),
    (HEADS, "more", "Figures"),
    (INTERVENTIONS, "do", "Steer"),
    (INTERVENTIONS, "how", "A slider for every word"),
    (INTERVENTIONS, "do", "Cut"),
    (INTERVENTIONS, "do", "Which heads matter"),
    (INTERVENTIONS, "do", "Sink account"),
    (INTERVENTIONS, "do", "Write on"),
)
TEXT = "the cat sat on the mat it was"
with_smollm2 = pytest.mark.skipif(
    registry.SMOLLM2 not in attention.available_models(),
    reason=f"SmolLM2 is not installed: {registry.INSTALL_SMOLLM2}",
)


@pytest.fixture(scope="module")
def tiny_models(tmp_path_factory):
    """Put one small model of each kind where the registry looks for the reader's own."""
    folder = tmp_path_factory.mktemp("models")
    for kind in tiny.CONFIGS:
        tiny.write(folder / f"small-{kind}", kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(registry.OWN_FOLDER, str(folder))
        registry.entries.cache_clear()
        yield
    registry.entries.cache_clear()


def open_page(page, **params):
    app = AppTest.from_file(str(ROOT / page), default_timeout=120)
    for key, value in params.items():
        app.query_params[key] = value
    return healthy(app.run())


def healthy(app):
    assert not app.exception, [(e.value, e.stack_trace) for e in app.exception]
    return app


@pytest.mark.parametrize("text", [TEXT, "cat"])
@pytest.mark.parametrize("kind", tiny.CONFIGS)
@pytest.mark.parametrize(("page", "key", "tab"), TABS)
def test_every_tab_reads_every_architecture(tiny_models, page, key, tab, kind, text):
    app = open_page(page, model=f"small-{kind}", q=text, **{key: tab})
    assert app.selectbox(key="model").value == f"small-{kind}"


@with_smollm2
@pytest.mark.parametrize(("page", "key", "tab"), [t for t in TABS if "Arbitrary range" not in t])
def test_every_tab_reads_smollm2(page, key, tab):
    open_page(page, model=registry.SMOLLM2, **{key: tab})


def test_a_model_with_few_positions_is_told_apart_from_a_text_across_many(tiny_models):
    app = open_page(CONTEXT, view="Arbitrary range", model="small-llama", q=TEXT)
    assert "at most 20 tokens" in app.info[-1].value


def test_two_pages_of_one_visit_do_not_take_each_others_results(tiny_models):
    """Both compare heads on the same text, and keep what they find."""
    params = {"model": "small-llama", "q": TEXT}
    open_page(LESSON, claim="“More heads are always better”", **params)
    open_page(HEADS, more="Shared keys and values", **params)
