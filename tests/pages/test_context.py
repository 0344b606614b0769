"""The context page without a browser: each tab, each control, and texts that are refused."""

import re

import numpy as np
import pytest

from attention.analysis import embeddings, words
from attention.context import far_words, layer_costs, layer_runs, rnn_cnn
from attention.context.layer_costs import LayerTime
from attention.learning.compared import told_books
from attention.learning.stored import stored_comparison
from attention.ui.context import timed as timing
from attention.ui.show import escape_markdown
from attention.wording import human_seconds
from tests.pages.app import (
    CONTEXT,
    ask,
    charts,
    click,
    dashboard,
    drawn,
    go,
    healthy,
    rows,
    sentence,
)
from tests.pages.app import open_page as open_any
from tests.pages.reader import plain

pytestmark = pytest.mark.slow

RNN, CNN, FAR, PAIR, COST = "RNN", "CNN", "Arbitrary range", "Data-dependent", "Cost"
CHANGED = "changed"  # as addresses spell it
KEYS = "The keys that I left on the table in the kitchen yesterday are gone"


@pytest.fixture(autouse=True)
def timed(monkeypatch):
    """Timing itself is tested elsewhere; here each layer takes as long as its name.

    Return what has been timed, which must be asked for.
    """
    asked = []

    def time_layers(lengths, width, kernel):
        asked.append((width, kernel))
        return [
            LayerTime(layer, n, len(layer) * n * 1e-6, 1e-7, 1.0, 3)
            for n in lengths
            for layer in layer_costs.LAYERS
        ]

    monkeypatch.setattr(timing, "time_layers", time_layers)
    return asked


def open_page(view=RNN, **params):
    """Open a tab, that on recurrent networks with its details."""
    return open_any(CONTEXT, **{"view": view, "details": "true", **params})


def notice(app):
    return plain(app.info[0].value)


def check_colours(app):
    return [match[1] for m in app.markdown if (match := re.match(r":(\w+)-badge", m.value))]


def series(rows, part):
    return rows[rows["series"].str.contains(part)]


def test_page_runs_from_the_entrypoint():
    assert go(dashboard(), CONTEXT).title[0].value == "Context"


@pytest.mark.parametrize("view", [RNN, CNN, FAR, PAIR, CHANGED, COST])
def test_only_the_open_tab_is_drawn(view):
    own = {RNN: "share", CNN: "inside", FAR: "rank", PAIR: "cosine"}
    own |= {CHANGED: "change", COST: "seconds"}
    app = open_page(view)
    columns = {name for chart in charts(app) for name in rows(chart).columns}
    assert columns & set(own.values()) == {own[view]}
    assert 1 <= len(app.get("vega_lite_chart")) <= 4
    assert len(app.info) == 1


@pytest.mark.parametrize("view", [RNN, CNN, FAR, PAIR, CHANGED, COST])
def test_bad_values_in_a_link_fall_back(view):
    bad = {
        "path_head": "L9 H9", "far_head": "x", "pair_head": "", "gain": "nan", "seed": "-1",
        "changed_head": "L6H0", "kernel": "4", "cnn_layers": "99", "dilation": "no",
        "reach_word": "77 no", "tokens": "3", "wide": "1", "rnn_width": "x", "between": "1000",
        "shared": "nothing",
    }  # fmt: skip
    assert open_page(view, **bad).get("vega_lite_chart")
    assert open_page("Nowhere").get("vega_lite_chart")


# RNN


def test_the_curve_is_the_jacobian_and_attention_is_the_models_row(model):
    rows = drawn(open_page(gain="1.2", rnn_width="16", seed="3"), "share")
    trace = model.trace(KEYS)
    units = [unit for unit in words.whole_words(trace.input) if not unit.special]
    x = rnn_cnn.standardised(embeddings.unit_vectors(model, trace.input, units))
    for name, gates in (("tanh", rnn_cnn.TANH), ("GRU", rnn_cnn.GRU)):
        cell = rnn_cnn.random_cell(gates, 384, 16, gain=1.2, seed=3)
        value = series(rows, name)["value"]
        assert value.tolist() == pytest.approx(rnn_cnn.input_norms(cell, x).tolist())
    row = words.view(trace).weights[3, 1, 14, 1:15]
    assert series(rows, "L3 H1")["value"].tolist() == pytest.approx(row.tolist(), abs=1e-6)


def test_the_far_word_reaches_the_last_through_attention_only():
    app = open_page()
    rows = drawn(app, "share").set_index(["series", "k"])["share"]
    assert rows["attention L3 H1", 1] > 0.8
    assert rows["recurrent, tanh", 1] < rows["recurrent, GRU", 1] < 0.01
    assert "“gone” stands 12 words after “keys”" in " ".join(plain(c.value) for c in app.caption)


def test_what_is_said_of_recurrent_networks_is_of_trained_ones():
    app = open_any(CONTEXT)
    stored = stored_comparison()
    assert notice(app) == plain(escape_markdown(told_books(stored.library, 8)))
    assert len(drawn(app, "mean", "low", "high")) == len(stored.library)
    captions = " ".join(plain(c.value) for c in app.caption)
    assert "One word among 128 is marked" in captions
    assert stored.run.made in captions
    assert "random, untrained" in captions  # of the relay


def test_the_page_opens_on_the_relay_and_the_arc(model):
    app = open_any(CONTEXT)
    relay = drawn(app, "left")
    first, last = (relay.groupby("series")["left"].nth(at) for at in (0, -1))
    assert first.tolist() == [1, 1]
    assert (last < 0.01).all()
    assert relay["word"].iloc[0] == "keys"
    assert relay["word"].iloc[-1] == "gone"
    row = words.view(model.trace(KEYS)).weights[3, 1, 14]
    arcs = drawn(app, "step").query("i == 0")
    assert arcs["weight"].iloc[0] == pytest.approx(row[2], abs=1e-6)
    assert "share" not in {name for c in charts(app) for name in rows(c).columns}  # closed


def test_a_long_way_is_drawn_in_some_of_its_words():
    app = open_any(CONTEXT, q=" ".join(f"w{i}" for i in range(150)))
    assert drawn(app, "left").groupby("series").size().max() <= 16
    assert len(app.info) == 1


def test_attentions_cone_has_every_word():
    rows = drawn(open_page(CNN), "inside", nth=1)
    assert rows.query("kind == 'node' and layer < 3")["inside"].all()
    assert rows.query("kind == 'node' and layer == 3 and inside")["word"].tolist() == ["gone"]


@pytest.mark.parametrize(
    ("control", "value"), [("gain", 2.0), ("seed", 5), ("rnn_width", 8), ("path_head", "L0 H0")]
)
def test_each_control_of_the_curve_changes_it(control, value):
    app = open_page()
    before = drawn(app, "share")
    kinds = {"rnn_width": app.select_slider, "path_head": app.selectbox}
    healthy(kinds.get(control, app.slider)(key=control).set_value(value).run())
    assert not drawn(app, "share").equals(before)


def test_token_1_and_100_are_99_steps_apart_or_1():
    app = open_page()
    assert [metric.value for metric in app.metric[:2]] == ["99", "1"]
    healthy(app.select_slider(key="tokens").set_value(512).run())
    assert [metric.value for metric in app.metric[:2]] == ["511", "1"]


def test_one_word_has_nothing_before_it():
    for view in (RNN, CNN):
        assert open_page(view, q="Alone").get("vega_lite_chart")


@pytest.mark.parametrize("text", ["我爱你", "😀 😀", "**a** $b$ :red[c]", " ".join(["word"] * 510)])
@pytest.mark.parametrize("view", [RNN, CNN])
def test_any_text_is_read(view, text):
    assert open_page(view, q=text).get("vega_lite_chart")


def test_a_new_sentence_moves_the_words_and_the_head():
    app = open_page(CNN)
    text = "The bank near the old church by the river still accepts my deposit"
    healthy(sentence(app).set_value(text).run())
    assert "“bank” and “deposit”" in notice(app)
    assert app.selectbox(key="path_head").value == "L0 H1"


# CNN


def test_three_layers_of_kernel_3_see_three_words_to_each_side():
    rows = drawn(open_page(CNN), "inside")
    seen = rows[(rows["kind"] == "node") & (rows["layer"] == 0) & rows["inside"]]
    assert seen["word"].tolist() == ["kitchen", "yesterday", "are", "gone", "[SEP]"]


@pytest.mark.parametrize(
    ("params", "needed"),
    [
        ({}, "no dilation: 12"),
        ({"kernel": "7"}, "no dilation: 4"),
        ({"dilation": "Doubling: 1, 2, 4, …"}, "doubling dilation: 4"),
        ({"dilation": "2 in every layer"}, "a dilation of 2: 6"),
        ({"dilation": "2 in every layer", "reach_word": "3 that"}, "no number is enough"),
    ],
)
def test_the_layers_that_connect_keys_and_gone(params, needed):
    assert needed in notice(open_page(CNN, **params))


def test_enough_layers_turn_the_check_green():
    app = open_page(CNN, dilation="Doubling: 1, 2, 4, …")
    assert check_colours(app) == ["red"]
    healthy(app.slider(key="cnn_layers").set_value(4).run())
    assert check_colours(app) == ["green"]


def test_the_kernel_is_the_same_around_both_words_and_attention_is_not():
    app = open_page(CNN)
    kernel, attention = (
        drawn(app, "offset", nth=nth).pivot(index="offset", columns="place", values="weight")
        for nth in (0, 1)
    )
    kernel, attention = kernel.dropna(), attention.dropna()
    np.testing.assert_array_equal(kernel[0], kernel[1])
    assert np.abs(attention[0] - attention[1]).max() > 0.05


def test_a_long_text_is_drawn_in_a_window_that_holds_both_words():
    app = open_page(CNN, q=" ".join(f"w{i}" for i in range(60)), reach_word="40 w39")
    assert "62" in app.warning[0].value
    assert drawn(app, "inside")["k"].nunique() == 40
    healthy(app.selectbox(key="reach_word").set_value(3).run())
    assert drawn(app, "inside")["k"].min() == 3


def test_the_question_about_layers_is_scored_from_the_figures():
    app = ask(open_page(CNN))
    right = str(rnn_cnn.layers_to_connect(99, 3, 0))
    assert right in app.radio[0].options
    healthy(app.radio[0].set_value(right).run())
    assert app.success


# Arbitrary range


def test_the_weight_is_the_models_own_at_every_distance(model):
    app = open_page(FAR, between="6")
    rows = drawn(app, "rank")
    text = far_words.far_text(6)
    trace = model.trace(text)
    query, key = trace.tokens.index("deposit"), trace.tokens.index("bank")
    here = series(rows, "L2 H5")
    here = here[here["distance"] == query - key]
    assert here["weight"].item() == pytest.approx(float(trace.weights[2, 5, query, key]))
    assert here["tokens"].item() == len(trace.tokens)
    assert app.text[-1].value == text
    assert f"across {query - key} tokens" in notice(app)


def test_the_longest_text_has_about_400_tokens_and_bank_is_among_the_three_most_read():
    rows = drawn(open_page(FAR), "rank")
    assert 380 <= rows["tokens"].max() <= 400
    best = series(rows, "keeps it best")
    assert len(best) >= 10
    assert best["rank"].max() <= 3


def test_another_word_in_its_place_is_read_less():
    rows = drawn(open_page(FAR), "rank")
    best, control = series(rows, "keeps it best"), series(rows, "in place of")
    assert (best["weight"].to_numpy() > control["weight"].to_numpy()).all()


def test_the_head_to_compare_can_be_chosen():
    app = open_page(FAR)
    healthy(app.selectbox(key="far_head").set_value("L0 H4").run())
    assert series(drawn(app, "rank"), "L0 H4")["rank"].max() > 100


# Data-dependent


def test_bank_reads_deposited_in_one_text_and_river_in_the_other():
    app = open_page(PAIR)
    assert app.selectbox(key="shared").options == ["bank", "the"]
    for nth, word in enumerate(("deposited", "river")):
        rows = drawn(app, "is_query", nth=nth)
        assert rows.loc[rows["weight"].idxmax(), "word"] == word
        assert rows.loc[rows["is_query"], "word"].tolist() == ["bank"]
        assert rows["weight"].sum() == pytest.approx(1)


def test_its_vectors_start_equal_and_come_apart():
    rows = drawn(open_page(PAIR), "cosine")
    same = series(rows, "same word")["cosine"].tolist()
    assert same[0] == pytest.approx(1)
    assert same[1] == pytest.approx(0.99, abs=0.005)
    assert same[-1] == pytest.approx(0.79, abs=0.005)
    assert series(rows, "different")["cosine"].max() < 0.5


def test_two_texts_about_money_leave_bank_alike():
    app = open_page(PAIR, second="I went to the bank to deposit money")
    assert series(drawn(app, "cosine"), "same word")["cosine"].iloc[-1] > 0.9


def test_texts_word_and_head_can_be_changed():
    app = open_page(PAIR)
    healthy(app.text_input(key="second").set_value("The bank by the river was steep").run())
    assert "steep" in drawn(app, "is_query", nth=1)["word"].tolist()
    healthy(app.selectbox(key="shared").set_value("the").run())
    assert drawn(app, "is_query").query("is_query")["word"].tolist() == ["the"]
    before = drawn(app, "is_query")
    healthy(app.selectbox(key="pair_head").set_value("L0 H2").run())
    assert not drawn(app, "is_query").equals(before)


@pytest.mark.parametrize("toggle", ["words", "special"])
def test_the_view_toggles_work_on_the_pair(toggle):
    text = "I deposited xylophones at the bank"  # more pieces than words
    shown = [open_page(PAIR, first=text, **{toggle: value}) for value in ("true", "false")]
    whole, changed = (drawn(app, "is_query") for app in shown)
    assert len(whole) != len(changed)
    assert changed["weight"].sum() == pytest.approx(1)


def test_two_texts_open_on_the_head_that_differs_most_and_a_click_picks_another(model):
    app = open_page(CHANGED)
    grid = drawn(app, "layer", "head", "value")
    top = grid.loc[grid["value"].idxmax()]
    head = f"L{top['layer']} H{top['head']}"
    assert notice(app).startswith(f"The rows of {head} in the two texts are")
    change = drawn(app, "change")
    assert change.groupby("q")["change"].sum().abs().max() < 1e-6
    assert "+ old" in change["key"].tolist()
    click(app, "How far apart the rows of each", "head", layer=2, head=4)
    assert notice(app).startswith("The rows of L2 H4")
    assert not drawn(app, "change").equals(change)
    healthy(app.button(key="furthest0").click().run())
    assert notice(app).startswith(f"The rows of {head} ")


def test_two_texts_without_a_common_word_are_a_calm_state():
    app = open_page(CHANGED, first="Good morning", second="Hello there")
    assert not app.get("vega_lite_chart")
    assert "no word in common" in app.info[0].value


@pytest.mark.parametrize("key", ["first", "second"])
@pytest.mark.parametrize(
    ("text", "told"),
    [(" ".join(["word"] * 41), ("41", "40")), ("", ("no word",)), ("a" * 20_001, ("20,001",))],
)
def test_a_text_that_cannot_be_compared_is_refused_with_the_numbers(key, text, told):
    app = open_page(PAIR)
    healthy(app.text_input(key=key).set_value(text).run())
    assert all(part in app.warning[0].value for part in told)
    assert app.get("vega_lite_chart")


def test_texts_without_a_common_word_are_a_calm_state():
    app = open_page(PAIR, first="Good morning", second="Hello there")
    assert not app.get("vega_lite_chart")
    assert "no word in common" in app.info[0].value
    healthy(app.text_input(key="second").set_value("Good night").run())
    assert app.get("vega_lite_chart")


def test_hostile_text_is_not_markdown():
    app = open_page(PAIR, first="**bold** :red[x] <b>", second="**bold** $y$")
    assert "**bold**" not in app.info[0].value


# Cost


def test_the_table_has_the_readers_numbers():
    app = open_page(COST, tokens="512", wide="128", kernel="5")
    table = app.dataframe[0].value.set_index("Layer")
    assert table["multiplications"].tolist() == [
        f"{512 * 128**2:,}",
        f"{5 * 512 * 128**2:,}",
        f"{2 * 512**2 * 128:,}",
    ]
    assert table.iloc[:, 1].tolist() == ["511", "9", "1"]
    stored = layer_runs.stored_times(128, 5)
    assert table["Measured"].tolist() == [
        human_seconds(time.median) for time in stored if time.n == 512
    ]


@pytest.mark.parametrize("view", [RNN, COST])
def test_nothing_is_timed_unasked_and_the_stored_run_is_told(view, timed):
    def told():
        """Return what is said of the stored times; networks that were trained are another run."""
        stored = [plain(c.value) for c in app.caption if "stored run" in c.value]
        return next((text for text in stored if layer_runs.COMMAND in text), "")

    app = open_page(view)
    assert not timed
    assert layer_runs.stored().made in told()
    healthy(next(b for b in app.button if b.label == "Measure here").click().run())
    assert timed == [(64, 3)]
    assert not told()
    assert app.warning  # the stand-in's medians are far from its fastest
    healthy(app.select_slider(key="wide").set_value(32).run())
    assert timed == [(64, 3)]
    assert told()  # of this width none is measured


def test_times_are_kept_until_measured_again():
    app = open_page(COST)
    before = drawn(app, "seconds")
    healthy(next(b for b in app.button if b.label == "Measure here").click().run())
    after = drawn(app, "seconds")
    assert not after.equals(before)
    healthy(app.select_slider(key="tokens").set_value(512).run())
    assert drawn(app, "seconds").equals(after)


# The bar above the page


@pytest.mark.parametrize(
    ("view", "there"),
    [(RNN, "sentence model"), (CNN, "sentence model"), (FAR, "model"), (PAIR, "model"), (COST, "")],
)
def test_the_bar_has_what_acts_on_the_tab(view, there):
    app = open_page(view)
    found = ["sentence"] * len([field for field in app.text_input if field.key == "q"]) + [
        box.key for box in app.selectbox if box.key == "model"
    ]
    assert " ".join(found) == there


def test_a_sentence_is_still_there_after_a_tab_without_one():
    app = open_page(RNN)
    healthy(sentence(app).set_value("The dog ran home").run())
    for view in (FAR, RNN):
        app.session_state["view"] = view
        healthy(app.run())
    assert sentence(app).value == "The dog ran home"
