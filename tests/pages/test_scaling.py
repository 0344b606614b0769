"""The scaling page without a browser: each tab, each control, refusals, and saved runs."""

import json
import re

import numpy as np
import pytest

from attention.runtime import timing
from attention.scaling import core_cost, methods, planner, runs, stored
from attention.scaling.runs import Point
from tests.pages.app import SCALING, ask, charts, drawn, healthy, rows
from tests.pages.app import open_page as open_any
from tests.pages.reader import plain

pytestmark = pytest.mark.slow

CORE, METHODS, CROSS, MEMORY, PLAN, RUNS = (
    "Cost of n²", "Same answer, other cost", "Crossover", "Memory", "Planner", "Saved runs",
)  # fmt: skip
HERE = "This machine, measured"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(timing, "_WARM_UP_SECONDS", 1e-4)
    monkeypatch.setattr(timing, "_ROUND_SECONDS", 1e-5)


@pytest.fixture
def rates(monkeypatch):
    """A machine of 1 GFLOP/s and 2 GB/s."""
    from attention.ui.scaling import plan

    plan._measured_rates.clear()
    monkeypatch.setattr(planner, "measured_rates", lambda: planner.Rates(1e9, 2e9))
    yield
    plan._measured_rates.clear()


def open_page(lab=CORE, **params):
    return open_any(SCALING, lab=lab, **params)


def frames(app):
    return [rows(chart) for chart in charts(app)]


def press(app, key):
    return healthy(app.button(key=key).click().run())


def notice(app):
    return plain(app.info[0].value)


def captions(app):
    return plain(" ".join(caption.value for caption in app.caption))


def stored_is_shown(app):
    """Whether the picture is of the stored run, and the page says so with its date and command."""
    run = stored.stored_run(stored.CORE_KIND)
    points = drawn(app, "seconds").query("kind == 'measured'")
    told = run.made in captions(app) and stored.SWEEPS_COMMAND in captions(app)
    assert told == ("A stored run, not of this machine" in captions(app))
    return told and points["seconds"].tolist() == [point.seconds for point in run.points]


# The cost of n²


def test_the_core_is_measured_when_asked():
    app = open_page(n="512", repeats="3")
    assert stored_is_shown(app)
    press(app, "measure_core")
    assert not stored_is_shown(app)
    rows = drawn(app, "seconds")
    assert rows["n"].max() == 512
    assert set(rows["kind"]) == {"measured", "fit", "guide"}
    assert drawn(app, "bytes")["bytes"].min() > 0
    healthy(app.toggle(key="beyond").set_value(True).run())
    assert drawn(app, "seconds")["n"].max() == 1_000_000


def test_what_does_not_fit_is_refused_and_what_is_there_stays(monkeypatch):
    app = press(open_page(n="512", repeats="3"), "measure_core")
    before = drawn(app, "seconds")
    monkeypatch.setattr("attention.scaling.core_cost.available_bytes", lambda: 1_000_000)
    press(app, "measure_core")
    assert "1 MB" in app.error[0].value
    assert drawn(app, "seconds").equals(before)


def stand_in(seconds):
    """Return what replaces a sweep: each length takes what `seconds` says, in every step."""

    def sweep(lengths, *, width, heads, repeats, on_progress):
        for n in lengths:
            time = timing.Timing(seconds(n), seconds(n), seconds(n), repeats, 1)
            yield core_cost.Measurement(n, heads, width, time, time, time, time, n, 0.0)

    return sweep


def test_a_headline_has_its_interval_in_its_own_unit(monkeypatch):
    monkeypatch.setattr(core_cost, "sweep", stand_in(lambda n: n**2 * 1e-9))
    said = notice(press(open_page(), "measure_core"))
    assert "takes 4.0 times as long (4.0 to 4.0 times" in said
    uneven = stand_in(lambda n: n**2 * (1.0e-9 if n.bit_count() == 1 else 1.3e-9))
    monkeypatch.setattr(core_cost, "sweep", uneven)
    said = notice(press(open_page(), "measure_core"))
    headline, low, high = map(float, re.findall(r"(\d+\.\d) (?:to|times)", said)[:3])
    assert low < headline < high


def test_times_that_tell_nothing_have_no_headline(monkeypatch):
    erratic = stand_in(lambda n: 1e-3 * (1 if n.bit_count() == 1 else 9))
    monkeypatch.setattr(core_cost, "sweep", erratic)
    app = ask(press(open_page(), "measure_core"))
    low, high = map(float, re.search(r"a power of (\S+) to (\S+) \(95", notice(app)).groups())
    assert high - low > 1
    assert "Twice the text" not in notice(app)
    assert not app.radio  # nor a question on it
    assert not any("longer texts" in line.value for line in app.markdown)  # nor their times


def test_how_long_it_takes_is_said_of_the_default_only():
    app = open_page()
    assert "5 seconds" in captions(app)
    healthy(app.select_slider(key="n").set_value(131_072).run())
    assert "131,072" in captions(app)
    assert "seconds" not in captions(app)
    app = open_page(METHODS)
    assert "5 seconds" in captions(app)
    healthy(app.slider(key="methods_heads").set_value(12).run())
    assert "seconds" not in captions(app)


def test_the_fit_is_drawn_further_once_there_is_one():
    app = open_page(n="512", repeats="3")
    healthy(app.toggle(key="beyond").set_value(True).run())
    assert drawn(app, "seconds")["n"].max() == 1_000_000


# The same answer


def test_every_method_is_drawn_with_its_difference():
    app = press(open_page(METHODS, methods_n="512", window="16"), "measure_methods")
    zeros = np.zeros((1, 2, 1), np.float32)
    expected = set(methods.calls(zeros, zeros, zeros, window=1))
    assert set(drawn(app, "seconds")["series"]) == expected
    table = app.dataframe[0].value
    assert set(table["Method"]) == expected
    different = table["Largest difference"].astype(float) > 1e-5
    assert table["Method"][different].tolist() == [methods.WINDOW]
    assert "The window of 16" in notice(app)


@pytest.mark.parametrize(
    ("key", "value", "setting"),
    [("window", 32, "window"), ("methods_width", 16, "width"), ("methods_heads", 2, "heads")],
)
def test_each_control_reaches_the_measurement(monkeypatch, key, value, setting):
    asked = {}
    monkeypatch.setattr(methods, "compare", lambda n, **options: asked.update(options) or iter(()))
    app = open_page(METHODS, methods_n="512", methods_heads="3")
    control = app.slider(key=key) if key == "methods_heads" else app.select_slider(key=key)
    healthy(control.set_value(value).run())
    press(app, "measure_methods")
    assert asked[setting] == value


# Crossover


def test_the_prediction_is_there_before_anything_is_measured():
    app = open_page(CROSS)
    assert "2,304 tokens" in notice(app)
    healthy(app.selectbox(key="layer_shape").set_value("GPT-2 small").run())
    assert "9,216 tokens" in notice(app)


def test_the_parts_of_a_layer_are_measured():
    app = press(open_page(CROSS, cross_n="1,024"), "measure_parts")
    rows = drawn(app, "seconds")
    assert set(rows[rows["kind"] == "measured"]["n"]) == {256, 384, 512, 768, 1024}
    assert "Attention, plain" in notice(app)


# Memory


def test_memory_of_both_forms_is_measured():
    app = press(open_page(MEMORY, held_n="1,024", held_heads="2"), "measure_peaks")
    rows = drawn(app, "bytes").set_index(["series", "n"])["bytes"]
    assert rows["plain", 1024] > 2 * 4 * 1024 * 1024
    assert rows["tiled", 1024] < rows["plain", 1024]
    assert "times less" in notice(app)


def test_the_cache_follows_the_shape():
    app = open_page(MEMORY)
    before = frames(app)[-1]
    healthy(app.selectbox(key="cache_shape").set_value("GPT-2 small").run())
    assert (frames(app)[-1]["bytes"] < before["bytes"]).all()


# Planner


def test_the_plan_follows_every_control(rates):
    app = open_page(PLAN)
    seen = [notice(app)]
    for control, value in (
        (lambda: app.selectbox(key="shape"), "GPT-2 small"),
        (lambda: app.select_slider(key="plan_n"), 1000),
        (lambda: app.number_input(key="gflops"), 500.0),
        (lambda: app.segmented_control(key="phase"), "decode"),
        (lambda: app.number_input(key="gbs"), 100.0),
        (lambda: app.segmented_control(key="bytes"), "1"),
        (lambda: app.selectbox(key="machine"), "NVIDIA H100 SXM, published"),
    ):
        healthy(control().set_value(value).run())
        assert notice(app) not in seen
        seen.append(notice(app))
    assert app.number_input(key="gflops").value == 989_000.0
    healthy(app.selectbox(key="machine").set_value(HERE).run())
    assert app.number_input(key="gflops").value == 1.0


def test_the_planner_measures_nothing_unasked(monkeypatch):
    monkeypatch.delattr(planner, "measured_rates")
    assert "perfect machine" in notice(open_page(PLAN))


def test_the_plan_is_what_the_formulas_say(rates):
    """One token of GPT-2 small: 2 operations for each of 124 million parameters, at 1 GFLOP/s."""
    app = open_page(PLAN, shape="GPT-2 small", plan_n="100", phase="one more token", machine=HERE)
    table = app.dataframe[0].value.set_index("Part")
    assert table["Operations"]["the rest"] == "247 million"
    assert table["To compute"]["the rest"] == "247 ms"
    assert table["To move"]["the rest"] == "124 ms"  # 2 bytes each, at 2 GB/s


def test_scores_that_are_kept_are_counted(rates):
    app = open_page(PLAN, whole="true", plan_n="100,000")
    held = app.dataframe[1].value.set_index("Held")["Memory"]
    assert held["scores of one layer"] == "640 GB"


def test_one_more_token_is_told_as_such(rates):
    app = open_page(PLAN, phase="one more token", plan_n="100,000")
    assert "one more token after 99,999 others" in notice(app)
    assert "Reading the text" not in notice(app)
    held = app.dataframe[1].value.set_index("Held")["Memory"]
    assert f"Each step holds {held['all']}" in notice(app)
    assert "whole" not in [toggle.key for toggle in app.toggle]


def test_an_encoder_writes_no_next_token(rates):
    app = open_page(PLAN, shape="BERT base")
    assert not [c for c in app.segmented_control if c.key == "phase"]
    assert app.dataframe[1].value.set_index("Held")["Memory"]["KV cache"] == "0 bytes"


def test_rates_are_measured_again_when_asked(rates, monkeypatch):
    app = open_page(PLAN, machine=HERE)
    monkeypatch.setattr(planner, "measured_rates", lambda: planner.Rates(7e9, 2e9))
    healthy(next(b for b in app.button if b.label == "Measure again").click().run())
    assert app.number_input(key="gflops").value == 7.0


# Saved runs


def saved(name, seconds):
    run = runs.record("a test", {"width": 64}, [Point("plain", 8, seconds, seconds, seconds)])
    return (name, runs.to_json(run).encode(), "application/json")


def test_without_a_run_of_ones_own_the_tab_draws_a_stored_one():
    app = open_page(RUNS)
    assert stored.stored_run(stored.CORE_KIND).made in app.dataframe[0].value.to_string()
    assert set(drawn(app, "run")["run"]) == {"1"}


def test_a_run_is_laid_over_the_stored_one_of_its_kind():
    app = press(open_page(n="512", repeats="3"), "measure_core")
    again = open_page(**{**address(app), "lab": "runs"})
    assert again.multiselect(key="laid").value == [
        f"stored: {stored.CORE_KIND}", f"measured here: {stored.CORE_KIND}",
    ]  # fmt: skip
    assert "whole call" in notice(again)


def test_a_sweep_that_was_stopped_at_once_leaves_what_was_there(monkeypatch):
    monkeypatch.setattr(methods, "compare", lambda n, **options: iter(()))
    app = press(open_page(METHODS), "measure_methods")
    assert "A stored run" in captions(app)


def test_two_files_are_laid_over_each_other():
    app = open_page(RUNS)
    healthy(app.file_uploader(key="runs").set_value([saved("a.json", 1.0)]).run())
    assert set(drawn(app, "run")["run"]) == {"1"}
    both = [saved("a.json", 1.0), saved("b.json", 2.0)]
    healthy(app.file_uploader(key="runs").set_value(both).run())
    assert drawn(app, "run")[["run", "seconds"]].values.tolist() == [["1", 1.0], ["2", 2.0]]
    assert "plain 2.00 (n = 8)" in notice(app)
    lines, *others = json.loads(app.get("vega_lite_chart")[0].proto.spec)["layer"]
    assert lines["encoding"]["strokeDash"]["legend"]["symbolType"] == "stroke"
    # From points the legend would take its form, and all would be dots.
    assert not any("strokeDash" in layer["encoding"] for layer in others)
    facts = app.dataframe[0].value
    assert facts.columns.tolist() == ["Fact", "1: a.json", "2: b.json"]
    assert "numpy" in facts["Fact"].tolist()


def test_a_file_that_is_no_run_is_refused_and_the_others_stay():
    app = open_page(RUNS)
    bad = ("x.json", json.dumps({"format": "?"}).encode(), "application/json")
    healthy(app.file_uploader(key="runs").set_value([saved("a.json", 1.0), bad]).run())
    assert len(app.error) == 1
    assert set(drawn(app, "run")["run"]) == {"1"}


def address(app):
    """Return what the address of the page says, as a link to it would."""
    return dict(app.session_state["_visit"].query(tuple(app.session_state["_visit"].drawn)))


def test_a_run_that_was_measured_can_be_compared():
    app = press(open_page("methods", methods_n="512"), "measure_methods")
    again = open_page(**{**address(app), "lab": "runs"})
    assert set(drawn(again, "run")["series"]) >= {"plain", "tiled"}


# What a reload shows


@pytest.mark.parametrize(
    ("lab", "button", "params"),
    [
        ("core", "measure_core", {"n": "512", "repeats": "3"}),
        ("methods", "measure_methods", {"methods_n": "512"}),
        ("crossover", "measure_parts", {"cross_n": "1024"}),
        ("memory", "measure_peaks", {"held_n": "1024"}),
    ],
)
def test_a_reload_shows_the_measurement_again(lab, button, params):
    app = press(open_page(lab, **params), button)
    again = open_page(**address(app))
    assert all(rows.equals(other) for rows, other in zip(frames(app), frames(again), strict=True))
    assert notice(again) == notice(app)


def test_whoever_measures_anew_changes_nothing_for_others():
    mine = press(open_page(n="512", repeats="3"), "measure_core")
    theirs = press(open_page(**address(mine)), "measure_core")
    assert address(theirs)["run"] != address(mine)["run"]
    before, after = drawn(mine, "seconds"), drawn(open_page(**address(mine)), "seconds")
    assert after.equals(before)
    assert not drawn(theirs, "seconds").equals(before)


def test_nothing_is_seen_without_the_name():
    press(open_page(n="512", repeats="3"), "measure_core")
    assert stored_is_shown(open_page())
    assert stored_is_shown(open_page(run=""))


def test_what_the_server_no_longer_has_is_told():
    app = open_page(run="made-up")
    assert "no longer kept" in app.warning[0].value
    assert stored_is_shown(app)
    press(app, "measure_core")
    assert not any("no longer kept" in warning.value for warning in app.warning)
