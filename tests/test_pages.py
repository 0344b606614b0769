"""Every page without a browser: from the entrypoint, alone, and with each of its controls."""

import json
from pathlib import Path

import numpy as np
import pytest

from attention import presets, softmax
from attention.analysis import embeddings, words
from attention.analysis.written import rollout, written_view
from tests.pages.app import (
    EXPLORER,
    HEADS,
    ROOT,
    VISUALIZER,
    charts,
    click,
    dashboard,
    drawn,
    go,
    handles,
    healthy,
    open_page,
    rows,
    sentence,
    weighed,
)
from tests.pages.reader import plain

PAGES = sorted(page.relative_to(ROOT).as_posix() for page in ROOT.glob("pages/*/*.py"))
TITLES = {
    "lesson": "Attention: how a word finds its meaning"
}  # the others are called as their file
READING_PAGES = [EXPLORER, HEADS, VISUALIZER]


def told(app):
    return plain(app.info[0].value)


def title(page):
    name = Path(page).stem
    return TITLES.get(name, name.capitalize())


def relevance(app):
    """Return the relevance sliders, one for each word."""
    return [slider for key, slider in handles(app).items() if key.startswith("r")]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_page_runs_from_the_entrypoint(page):
    assert go(dashboard(), page).title[0].value == title(page)


@pytest.mark.parametrize("page", PAGES)
def test_page_runs_alone(page):
    assert open_page(page).title[0].value == title(page)


def test_a_sentence_goes_along_to_the_next_page():
    app = go(dashboard(q="The dog ran home"), HEADS)
    assert sentence(app).value == "The dog ran home"


@pytest.mark.parametrize("page", READING_PAGES)
def test_shared_controls_come_from_the_link(page):
    app = open_page(page, q="The dog ran home", words="false", special="false")
    assert sentence(app).value == "The dog ran home"
    assert not app.toggle(key="words").value
    assert not app.toggle(key="special").value
    assert app.selectbox(key="example").value is None


@pytest.mark.slow
@pytest.mark.parametrize("page", READING_PAGES)
@pytest.mark.parametrize("text", ["", "   ", "\u200b"])
def test_a_text_without_words_is_a_calm_state(page, text):
    app = open_page(page)
    healthy(sentence(app).set_value(text).run())
    assert len(app.info) == 1
    assert not app.get("vega_lite_chart")
    healthy(sentence(app).set_value("Words again").run())
    assert app.get("vega_lite_chart")


@pytest.mark.slow
@pytest.mark.parametrize("page", READING_PAGES)
@pytest.mark.parametrize(
    ("text", "numbers"), [("a " * 600, ("602", "512")), ("a" * 20_001, ("20,001", "20,000"))]
)
def test_a_text_that_is_too_long_is_refused_and_nothing_is_lost(page, text, numbers):
    app = open_page(page)
    before = weighed(app) if page == EXPLORER else drawn(app, "q", "k", "weight")
    healthy(sentence(app).set_value(text).run())
    assert all(number in app.warning[0].value for number in numbers)
    after = weighed(app) if page == EXPLORER else drawn(app, "q", "k", "weight")
    assert after.equals(before)
    assert sentence(app).value == text


@pytest.mark.slow
@pytest.mark.parametrize("page", READING_PAGES)
@pytest.mark.parametrize(
    "text",
    [
        "我爱你",
        "مرحبا بالعالم",
        "😀 😀",
        "e\u0301clair",
        "**a** $b$ :red[c] <b>d</b>",
        "One",
        "[SEP] [CLS]",
        " ".join(["word"] * 510),
    ],
)
def test_any_text_is_shown(page, text):
    assert open_page(page, q=text).get("vega_lite_chart")


@pytest.mark.slow
@pytest.mark.parametrize("page", READING_PAGES)
def test_every_example_points_the_controls_at_its_word(page):
    app = open_page(page, start="A real head")
    for preset in presets.PRESETS:
        healthy(app.selectbox(key="example").set_value(preset.text).run())
        assert sentence(app).value == preset.text
        assert (
            app.selectbox(key="word")
            .format_func(app.selectbox(key="word").value)
            .endswith(preset.query)
        )


@pytest.mark.slow
@pytest.mark.parametrize("page", READING_PAGES)
def test_the_chosen_word_stays_the_same_in_another_view(page):
    app = open_page(page, q=presets.TROPHY_BIG.text)
    word = app.selectbox(key="word")
    assert word.format_func(word.value) == "9 it"
    for toggle, expected in (("special", "8 it"), ("words", "10 it"), ("special", "11 it")):
        now = app.toggle(key=toggle)
        healthy(now.set_value(not now.value).run())
        word = app.selectbox(key="word")
        assert word.format_func(word.value) == expected


@pytest.mark.slow
@pytest.mark.parametrize("page", READING_PAGES)
@pytest.mark.parametrize(
    "params",
    [
        {"word": "99 nothing"},
        {"layer": "77"},
        {"model": "gone"},
        {"start": "x"},
        {"heads": "L9 H9"},
        {"temperature": "nan"},
        {"figure": "?"},
    ],
)
def test_a_bad_value_in_a_link_falls_back(page, params):
    assert open_page(page, **params).get("vega_lite_chart")


# The explorer


def test_explorer_opens_on_the_lessons_weights():
    rows = weighed(open_page(EXPLORER)).set_index("word")["weight"]
    assert rows["deposit"] == pytest.approx(0.35)
    assert rows["money"] == pytest.approx(0.30)
    assert rows["bank"] == pytest.approx(0.15)
    assert rows.sum() == pytest.approx(1)


def reset(app):
    return next(button for button in app.button if button.label == "Reset")


def test_a_slider_changes_the_weights_and_the_blend():
    app = open_page(EXPLORER)
    before = drawn(app, "part")
    slider = relevance(app)[-1]
    healthy(slider.set_value(5.0).run())
    scores = np.array([s.value for s in relevance(app)])
    rows = weighed(app)
    assert np.allclose(rows["weight"], softmax(scores))
    assert rows["before"].iloc[-1] == pytest.approx(0.30)
    after = drawn(app, "part")
    money = after[after["meaning"] == "money"]
    assert money["total"].iloc[0] > before[before["meaning"] == "money"]["total"].iloc[0]
    assert money["part"].sum() == pytest.approx(money["total"].iloc[0])
    healthy(reset(app).click().run())  # Reset
    assert weighed(app)["weight"].iloc[-1] == pytest.approx(0.30)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"special": "false"}, {"words": "false"}])
def test_untouched_sliders_reproduce_the_models_row(options, model):
    text = presets.TROPHY_BIG.text
    app = open_page(EXPLORER, q=text, start="A real head", layer="3", head="1", **options)
    shown = words.view(
        model.trace(text), words="words" not in options, special="special" not in options
    )
    query = app.selectbox(key="word").value
    assert shown.labels[query] == "it"
    assert np.abs(weighed(app)["weight"] - shown.weights[3, 1, query]).max() < 1e-6


@pytest.mark.slow
def test_temperature_flattens():
    app = open_page(EXPLORER)
    healthy(handles(app)["temperature"].set_value(5.0).run())
    rows = weighed(app)
    assert rows["weight"].max() < rows["before"].max()


def test_equal_scores_give_equal_weights_and_nobody_leads():
    app = open_page(EXPLORER, start="Equal scores")
    assert np.allclose(weighed(app)["weight"], 1 / 10)  # with [CLS] and [SEP]
    assert "all 10 words weigh the same (10.0 % each)" in told(app)
    healthy(app.toggle(key="special").set_value(False).run())
    assert np.allclose(weighed(app)["weight"], 1 / 8)
    healthy(relevance(app)[2].set_value(1.0).run())
    healthy(relevance(app)[5].set_value(1.0).run())
    assert "“to” at position 2 and “to” at position 5 weigh most" in told(app)


def test_reset_puts_scores_and_temperature_back_and_is_idle_where_they_are():
    app = open_page(EXPLORER)
    before = drawn(app, "part")
    assert reset(app).disabled
    healthy(handles(app)["temperature"].set_value(3.0).run())
    healthy(relevance(app)[0].set_value(3.0).run())
    assert not reset(app).disabled
    healthy(reset(app).click().run())
    assert handles(app)["temperature"].value == 1
    assert drawn(app, "part").equals(before)
    assert reset(app).disabled


@pytest.mark.parametrize(
    ("text", "whose"),
    [
        (presets.BANK.text, "Illustrative, from the lesson, for “bank”: deposit 35.0 %"),
        (presets.RIVER.text, "Illustrative, for “bank”: river 35.0 %"),
    ],
)
def test_weights_that_are_made_up_are_said_to_be_and_whose(text, whose):
    app = open_page(EXPLORER, q=text)
    assert any(plain(caption.value).startswith(whose) for caption in app.caption)
    label = app.segmented_control(key="start").options[0]
    assert label == ("The lesson's weights" if "lesson" in whose else "Illustrative weights")


def test_each_start_has_the_controls_that_act_on_it():
    app = open_page(EXPLORER)
    assert app.toggle(key="special").disabled
    assert app.toggle(key="words").disabled
    for start in ("equal", "head"):
        healthy(app.segmented_control(key="start").set_value(start).run())
        assert not app.toggle(key="special").disabled
        pickers = [box.key for box in app.selectbox]
        assert ("word" in pickers) == (start == "head")
        blended = [box.key for box in app.segmented_control]
        assert ("blended" in blended) == (start == "head")


def test_a_heads_own_values_blend_into_its_own_output(model):
    app = open_page(EXPLORER, q=presets.CAT.text, start="A real head", layer="3", head="1")
    assert any("The words' input vectors" in b.options for b in app.segmented_control)
    assert any("before any layer" in caption.value for caption in app.caption)
    healthy(app.segmented_control(key="blended").set_value("own").run())
    trace = model.trace(presets.CAT.text)
    w_o = model.output_projection(3)[0].reshape(12, 32, 384)[1]
    output = trace.head_output[3, 1, app.selectbox(key="word").value] @ w_o
    rows = drawn(app, "part").drop_duplicates("s")
    dims = [int(name.removeprefix("dim ")) for name in rows["meaning"]]
    assert rows["total"].tolist() == pytest.approx(output[dims].tolist(), abs=1e-5)
    assert np.abs(output).argmax() in dims
    assert f"a vector of length {np.linalg.norm(output):.2f} to “it”" in told(app)
    assert not [field for field in app.text_input if field.key == "meanings"]  # it has none
    assert any("measure no meaning" in caption.value for caption in app.caption)


def test_meanings_can_be_changed(model):
    app = open_page(EXPLORER)
    healthy(app.text_input(key="meanings").set_value("bread, tree").run())
    rows = drawn(app, "part")
    assert rows["meaning"].unique().tolist() == ["bread", "tree"]
    blended = weighed(app)["weight"].to_numpy(np.float32) @ np.stack(
        [embeddings.word_vector(model, word) for word in presets.BANK.text.split()]
    )
    bread = embeddings.word_vector(model, "bread")
    cosine = blended @ bread / np.linalg.norm(blended) / np.linalg.norm(bread)
    assert rows["total"].iloc[0] == pytest.approx(cosine, abs=1e-6)


@pytest.mark.parametrize("typed", [", ".join(map(str, range(13))), "\u200b"])
def test_meanings_that_cannot_be_shown_are_refused(typed):
    app = open_page(EXPLORER)
    healthy(app.text_input(key="meanings").set_value(typed).run())
    assert app.warning
    assert drawn(app, "part")["meaning"].iloc[0] == "money"


def test_raw_dimensions_are_those_of_the_blend():
    rows = drawn(open_page(EXPLORER, **{"as": "Raw dimensions"}), "part", nth=1)
    assert rows["meaning"].str.startswith("dim ").all()
    assert np.allclose(rows.groupby("s")["part"].sum(), rows.groupby("s")["total"].first())


def test_a_long_text_keeps_the_sliders_readable():
    app = open_page(EXPLORER, q=" ".join(f"word{i}" for i in range(30)))
    assert len(relevance(app)) == 24
    assert "32" in app.warning[0].value  # with [CLS] and [SEP]
    rows = weighed(app)
    assert len(rows) == 25
    assert rows["weight"].sum() == pytest.approx(1)


# The heads


def test_heads_opens_on_those_that_read_cat():
    app = open_page(HEADS)
    assert app.multiselect(key="heads").value == ["L3 H1", "L4 H3", "L4 H4"]
    rows = drawn(app, "q", "k", "weight")
    link = rows[(rows["query"] == "it") & (rows["key"] == "cat") & (rows["name"] == "L3 H1")]
    assert link["weight"].item() == pytest.approx(0.49, abs=0.01)


def test_choosing_heads_changes_the_maps():
    app = open_page(HEADS, heads=["L0 H2", "L1 H8"])
    assert drawn(app, "q", "k", "weight")["name"].unique().tolist() == ["L0 H2", "L1 H8"]
    healthy(app.multiselect(key="heads").set_value(["L2 H2"]).run())
    assert drawn(app, "q", "k", "weight")["name"].unique().tolist() == ["L2 H2"]


@pytest.mark.parametrize("more", ["One row, head by head", "Beside another model"])
def test_no_head_is_a_calm_state_and_what_needs_none_stays(more):
    app = open_page(HEADS, more=more)
    below = len(app.get("vega_lite_chart")), [box.label for box in app.get("expander")]
    healthy(app.multiselect(key="heads").set_value([]).run())
    assert any("No head is chosen" in info.value for info in app.info)
    assert len(app.get("tab")) == 5
    charts, boxes = len(app.get("vega_lite_chart")), [b.label for b in app.get("expander")]
    assert boxes == below[1]
    assert charts == below[0] - (2 if more.startswith("One row") else 1)  # maps, and the row
    healthy(app.multiselect(key="heads").set_value(["L0 H0"]).run())


def test_a_seventh_head_that_is_clicked_is_refused_with_the_limit():
    six = [f"L0 H{head}" for head in range(6)]
    app = open_page(HEADS, heads=six)
    click(app, "Entropy of all", "head", layer=5, head=11)
    assert app.multiselect(key="heads").value == six
    assert "6 heads are compared at most" in app.warning[0].value
    assert "L5 H11" in app.warning[0].value
    healthy(app.run())
    assert not app.warning


def test_the_grid_shows_the_chosen_figure():
    app = open_page(HEADS, figure="Previous")
    rows = drawn(app, "layer", "head", "value")
    assert len(rows) == 72
    assert rows.loc[rows["value"].idxmax(), "name"] == "L0 H2"


def test_every_head_can_be_a_small_map_and_a_click_adds_it():
    app = open_page(HEADS, grid="maps")
    rows = drawn(app, "layer", "head", "url")
    assert len(rows) == 72
    assert rows["url"].nunique() == 72
    click(app, "Maps of all 72 heads", "head", layer=0, head=2)
    assert app.multiselect(key="heads").value[-1] == "L0 H2"


def test_maps_have_the_role_in_their_title_with_chance():
    app = open_page(HEADS, heads=["L0 H2", "L3 H1"])
    maps = next(c for c in app.get("vega_lite_chart") if c.proto.alt.startswith("Maps of L0 H2"))
    assert "L0 H2\\nprevious word 1.00\\nchance 0.0" in maps.proto.spec
    assert "L3 H1\\nno role here" in maps.proto.spec


def test_a_head_without_a_role_is_shown_where_it_has_one():
    app = open_page(HEADS, heads=["L2 H9", "L4 H10", "L3 H1"])
    label = "Find texts on which L4 H10 and L3 H1 have a role"  # L2 H9 has one here
    assert app.toggle(key="probe").label == label
    healthy(app.toggle(key="probe").set_value(True).run())
    told = [plain(text.value) for text in app.markdown]
    rows = next(text for text in told if "A text where it has a role" in text)
    assert "first token, 0." in rows  # of L4 H10, on repeated words
    assert "L3 H1 | I went to the bank to deposit money | first token, 0.66 against 0.10" in rows
    assert any("L3 H1 of minilm gives the noun most: 0.39" in plain(c.value) for c in app.caption)


def test_maps_can_be_by_the_length_of_what_is_written(model, cat_trace):
    app = open_page(HEADS, heads="L4 H5", cell="written")
    rows = drawn(app, "q", "k", "weight")
    expected = written_view(model, cat_trace).weights[4, 5]
    assert rows["weight"].to_numpy() == pytest.approx(expected.ravel(), abs=1e-6)
    assert any("Kobayashi" in c.value for c in app.caption)
    maps = next(c for c in app.get("vega_lite_chart") if c.proto.alt.startswith("Maps of L4 H5"))
    assert "share of what is written" in maps.proto.spec


def test_all_layers_together_are_the_rollout(cat_trace):
    app = open_page(HEADS, more="rollout", rolled="2")
    found = drawn(app, "q", "k", "weight", nth=1)
    expected = rollout(cat_trace.weights)[2]
    own = found[found["map"] == 1]["weight"].to_numpy()
    assert own == pytest.approx(expected.ravel(), abs=1e-6)
    said = plain(app.info[-1].value)
    assert f"itself {100 * expected[8, 8]:.1f} %" in said
    assert "By rollout “it” draws on" in said


@pytest.mark.parametrize("grid", ["figure", "maps"])
def test_heads_are_filtered_by_role(grid):
    app = open_page(HEADS, role="next", grid=grid)
    rows = drawn(app, "layer", "head", "role", "on")
    assert rows.loc[rows["on"], "name"].tolist() == ["L1 H8"]
    assert rows.loc[rows["on"], "role"].item().startswith("next word, 0.6")
    assert app.button(key="highest0").label.startswith("L1 H8")
    assert any("Next word: weight on the word after" in plain(c.value) for c in app.caption)
    healthy(app.selectbox(key="role").set_value("none").run())
    rows = drawn(app, "layer", "head", "role", "on")
    assert set(rows.loc[rows["on"], "role"]) == {"no role here"}
    healthy(app.selectbox(key="role").set_value("any").run())
    assert drawn(app, "layer", "head", "role", "on")["on"].all()
    assert any("heads have a role" in plain(c.value) for c in app.caption)


def test_special_tokens_can_be_taken_out():
    app = open_page(HEADS, heads="L4 H5", special="false")
    rows = drawn(app, "q", "k", "weight")
    assert not set(rows["query"]) & {"[CLS]", "[SEP]"}
    assert np.allclose(rows.groupby(["map", "q"])["weight"].sum(), 1)
    assert any("taken out" in caption.value for caption in app.caption)


def test_sinks_are_explained_where_they_dominate():
    assert any(
        "Sinks" in c.value and "L4 H5" in c.value for c in open_page(HEADS, heads="L4 H5").caption
    )


def test_the_compared_row_follows_the_word():
    app = open_page(HEADS)
    healthy(app.selectbox(key="word").set_value(2).run())
    assert set(rows(charts(app)[-1])["query"]) == {"cat"}


def test_a_long_text_is_shown_whole_and_in_a_window():
    app = open_page(HEADS, q=" ".join(f"w{i}" for i in range(60)))
    window = app.slider(key="maps_at")
    assert "62" in window.label
    whole = drawn(app, "q", "to_q", "weight")
    assert (whole["q"].min(), whole["to_q"].max(), whole["k"].nunique()) == (0, 62, 32)
    for middle in (20, 55):
        shown = drawn(healthy(window.set_value(middle).run()), "q", "key", "weight")["q"].unique()
        assert len(shown) == 40
        assert middle in shown


def test_specs_hold_no_data():
    """The data travel apart from the spec, so a slider does not send the spec again."""
    for page in READING_PAGES:
        for chart in open_page(page).get("vega_lite_chart"):
            assert "datasets" not in json.loads(chart.proto.spec)
