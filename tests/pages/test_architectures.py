"""Every tab of every page that reads a text, with small models of each architecture.

They have few heads, few positions and a small vocabulary: whatever a page takes for granted of the
embedded model fails here.
"""

from itertools import cycle

import pytest

import attention
from attention.models import registry
from tests.models import tiny
from tests.models.offered import offered
from tests.optional import with_smollm2
from tests.pages.app import (
    CONTEXT,
    EXPLORER,
    HEADS,
    INTERVENTIONS,
    LESSON,
    PIPELINE,
    VISUALIZER,
    chart,
    handles,
    healthy,
    open_page,
    rows,
    weighed,
)
from tests.pages.reader import plain

pytestmark = pytest.mark.slow

TABS = (
    (LESSON, "claim", "“Attention means the model understands”"),
    (LESSON, "claim", "“More heads are always better”"),
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
    (INTERVENTIONS, "do", "What heads write"),
    (INTERVENTIONS, "do", "Which heads matter"),
    (INTERVENTIONS, "do", "Sink account"),
    (INTERVENTIONS, "do", "Write on"),
)
TEXT = "the cat sat on the mat it was"
KINDS = [*tiny.DIFFERENT, "marian", "headless"]


def check_tab(page, key, tab, kind, text):
    app = open_page(page, model=f"small-{kind}", q=text, **{key: tab})
    assert app.selectbox(key="model").value == f"small-{kind}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("page", "key", "tab"), TABS)
def test_every_tab_reads_every_architecture(small_models, page, key, tab, kind):
    check_tab(page, key, tab, kind, TEXT)


# Each tab and each kind, not each pair: four models more have each tab in `test_odd_models.py`.
@pytest.mark.parametrize(("at", "kind"), [*zip(TABS, cycle(KINDS), strict=False)], ids=str)
def test_every_tab_reads_one_word(small_models, at, kind):
    check_tab(*at, kind, "cat")


@with_smollm2
@pytest.mark.parametrize(("page", "key", "tab"), [t for t in TABS if "Arbitrary range" not in t])
def test_every_tab_reads_smollm2(page, key, tab):
    open_page(page, model=registry.SMOLLM2, **{key: tab})


def test_a_model_with_few_positions_is_told_apart_from_a_text_across_many(small_models):
    app = open_page(CONTEXT, view="Arbitrary range", model="small-llama", q=TEXT)
    assert "at most 20 tokens" in app.info[-1].value


def test_two_pages_of_one_visit_do_not_take_each_others_results(small_models):
    """Both compare heads on the same text, and keep what they find."""
    params = {"model": "small-llama", "q": TEXT}
    open_page(LESSON, claim="“More heads are always better”", **params)
    open_page(HEADS, more="Shared keys and values", **params)


def told(app):
    """Return all that the page says, letter for letter."""
    boxes = (*app.info, *app.warning, *app.caption, *app.markdown)
    return plain("\n".join(box.value for box in boxes))


def test_a_word_of_a_decoder_has_sliders_for_what_it_may_read_only(small_models):
    app = open_page(EXPLORER, model="small-llama", q=TEXT, start="A real head", word="3 on")
    scores = [slider for key, slider in handles(app).items() if key.startswith("r")]
    assert weighed(app)["word"].tolist() == ["the", "cat", "sat", "on"]
    assert "Words that are hidden: 4" in told(app)
    trace = attention.load_model("small-llama").trace(TEXT)
    layer, head = app.slider(key="layer").value, app.slider(key="head").value
    assert [s.value for s in scores] == pytest.approx(
        trace.scores[layer, head, 3, :4].tolist(), abs=1e-5
    )


def test_the_lesson_names_the_model_that_is_read(small_models):
    assert "all-MiniLM-L6-v2" in told(open_page(LESSON))
    small = told(open_page(LESSON, model="small-gpt2", q=TEXT))
    assert "small-gpt2, 3 layers of 4 heads" in small


@pytest.mark.parametrize("page", [EXPLORER, PIPELINE, CONTEXT, HEADS, VISUALIZER, LESSON])
def test_a_text_that_fitted_another_model_only_gives_way(small_models, page):
    """Then neither it nor the last that fitted can be read."""
    app = open_page(page, q="the cat sat on the mat " * 10)
    healthy(app.selectbox(key="model").set_value("small-llama").run())
    assert "60 tokens" in app.warning[0].value
    assert "at most 20" in app.warning[0].value


def test_special_tokens_are_a_choice_where_there_are_any(small_models):
    embedded = open_page(HEADS).toggle(key="special")
    assert not embedded.disabled
    assert "SEP" in embedded.help
    app = open_page(HEADS, model="small-llama", q=TEXT, special="false")
    assert app.toggle(key="special").disabled
    assert "taken out" not in told(app)


@pytest.mark.parametrize("tab", ["Steer", "Write on"])
def test_a_decoder_without_a_head_is_not_asked_for_the_next_word(small_models, tab):
    app = open_page(INTERVENTIONS, model="small-headless", q=TEXT, do=tab)
    assert "small-headless predicts no next token: its file has no head for that" in told(app)
    assert "is an encoder" not in told(app)


def test_the_pipeline_shows_positions_that_are_sines(small_models):
    """The matrix P in layer 0, from 0 at the first position; no later layer adds any."""
    drawn = {}
    for layer in ("0", "1"):
        app = open_page(PIPELINE, model="small-marian", q=TEXT, step="Representation", layer=layer)
        assert "sines and cosines" in told(app)
        drawn[layer] = "**P** sines, cosines" in told(app)
    assert drawn == {"0": True, "1": False}


def test_links_keep_the_model(small_models):
    assert "model=small-gpt2" in told(open_page(LESSON, model="small-gpt2", q=TEXT))
    assert "model=" not in told(open_page(LESSON))


def test_a_decoders_heads_are_not_measured_as_an_encoders(small_models):
    claim = "“More heads are always better”"
    app = open_page(LESSON, claim=claim, model="small-llama", q=TEXT)
    assert "Here heads of minilm are ablated" in told(app)
    assert "of 72 heads can be ablated" in told(app)
    assert "Here heads of" not in told(open_page(LESSON, claim=claim, model="small-bert", q=TEXT))


def test_a_hidden_pair_has_no_best_head(small_models):
    app = open_page(VISUALIZER, model="small-llama", q=TEXT, word="1 cat", pair="5 mat")
    assert "the mask of a decoder hides it in every head" in told(app)


WINDOWED = {"model": "small-gemma3_text", "q": TEXT, "word": "7 was"}  # L0 and L2 see 5 tokens


@pytest.mark.parametrize(("layer", "words"), [("0", TEXT.split()[3:]), ("1", TEXT.split())])
def test_a_word_has_sliders_and_lines_for_what_its_window_leaves(small_models, layer, words):
    app = open_page(EXPLORER, **WINDOWED, start="A real head", layer=layer)
    assert weighed(app)["word"].tolist() == words
    assert ("further back than the window" in told(app)) == (layer == "0")
    app = open_page(VISUALIZER, **WINDOWED, layer=layer)
    assert f"All {len(words)} words that it may attend to together: 1.0000" in told(app)
    app = open_page(CONTEXT, **WINDOWED, view="RNN", path_head=f"L{layer}H0")
    assert f"equal shares: {100 / len(words):.2g} %" in told(app)


def test_layers_together_have_the_cells_of_the_windows_below(small_models):
    app = open_page(HEADS, **WINDOWED, grid="maps", more="rollout", rolled="0")
    for at in (0, 1):  # the mean of the heads of L0, and the rollout up to it
        own = rows(chart(app, "The mean of a layer"))
        assert len(own[own["map"] == at]) == 8 * 9 // 2 - 3 * 4 // 2


def test_a_pair_outside_of_every_window_has_no_best_head(tmp_path):
    tiny.write(tmp_path / "all-windows", "mistral")
    with offered(tmp_path):
        app = open_page(VISUALIZER, model="all-windows", q=TEXT, word="7 was", pair="1 cat")
    assert "further back than any window reaches" in told(app)
