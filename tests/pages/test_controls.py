"""No control that does nothing: each one that can be found changes the page, or is out of use.

Every page is opened in each of its states, its controls are found, and each is changed as a browser
would. Something must follow that is more than the echo of what was chosen; or the control is
disabled, which says why, or acts through a button beside it. A new control is found by itself.
"""

import json
import re
from functools import partial

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1.element_tree import Button, Widget

import attention
from attention.context import layer_costs
from attention.context.layer_costs import LayerTime
from attention.interventions import writing
from attention.runtime import timing
from attention.scaling import core_cost, crossover, methods
from attention.ui.context import timed
from attention.ui.learning import training, trials
from tests.models import tiny
from tests.models.offered import offered
from tests.pages.app import (
    CONTEXT,
    EXPLORER,
    HEADS,
    INTERVENTIONS,
    LEARNING,
    LESSON,
    PIPELINE,
    ROOT,
    SCALING,
    SURVEY,
    TRANSLATION,
    VISUALIZER,
    Handle,
    click,
    handles,
    healthy,
    open_page,
    rows,
)

pytestmark = pytest.mark.slow

DECODER = {"model": "small-llama", "q": "the cat sat on the mat it was"}
PIECES = "The xylophone was unbelievably loud because it was too big"  # words in pieces
STATES = [
    (LESSON, {}),
    (LESSON, {"pair_score": "true"}),
    (LESSON, {"claim": "“More heads are always better”"}),
    (EXPLORER, {}),
    (EXPLORER, {"as": "Raw dimensions"}),
    (EXPLORER, {"start": "Equal scores", "q": PIECES}),
    (EXPLORER, {"start": "A real head", "q": PIECES}),
    (EXPLORER, {"start": "A real head", "blended": "own"}),
    (PIPELINE, {}),
    (PIPELINE, {"sums": "true"}),
    (PIPELINE, {"step": "Softmax", "receipt": "The output number"}),
    (TRANSLATION, {"lines": "cut_l1_h1_q1_k4~cut_q2_k4"}),
    (TRANSLATION, {"fog": "3"}),
    (TRANSLATION, {"see": "scores"}),
    (TRANSLATION, {"see": "wrong"}),
    (LEARNING, {"steps": "60", "books": "2"}),
    (
        LEARNING,
        {
            "steps": "60",
            "books": "4",
            "task": "back",
            "rival": "convolution",
            "learn_heads": "2",
            "learned": "60",
        },
    ),
    (LEARNING, {"try": "positions", "steps": "60"}),
    (LEARNING, {"try": "heads", "steps": "60"}),
    (CONTEXT, {"view": "RNN"}),
    (CONTEXT, {"view": "RNN", "details": "true"}),
    (CONTEXT, {"view": "CNN"}),
    (CONTEXT, {"view": "Arbitrary range", "between": "3"}),
    (CONTEXT, {"view": "Data-dependent"}),
    (CONTEXT, {"view": "Data-dependent", "first": PIECES, "second": "It was a bank"}),
    (CONTEXT, {"view": "changed"}),
    (CONTEXT, {"view": "changed", "first": PIECES, "second": "The xylophone was loud"}),
    (CONTEXT, {"view": "Cost"}),
    (VISUALIZER, {"q": PIECES}),
    (VISUALIZER, {"mode": "Multi-head"}),
    (VISUALIZER, {"second": "true"}),
    (HEADS, {"more": "One row, head by head", "q": PIECES}),
    (HEADS, {"q": "and a word " * 20}),
    (HEADS, {"more": "Beside another model"}),
    (HEADS, {"more": "Shared keys and values", **DECODER}),
    (HEADS, {"more": "Rotation", **DECODER}),
    (HEADS, {"more": "Figures"}),
    (HEADS, {"more": "map", "pairs": "true"}),
    (HEADS, {"more": "rollout", "cell": "written"}),
    (HEADS, {"grid": "maps", "model": "minilm"}),
    (INTERVENTIONS, {"do": "Steer", "model": "minilm"}),
    (INTERVENTIONS, {"do": "Steer", **DECODER}),
    (INTERVENTIONS, {"do": "Steer", "where": "One layer", "model": "minilm"}),
    (INTERVENTIONS, {"do": "Steer", "where": "One head", **DECODER}),
    (INTERVENTIONS, {"do": "Steer", "how": "A slider for every word", "push3": "2", **DECODER}),
    (INTERVENTIONS, {"do": "Cut", "edits": "cut_l0_h0_q3_k1~off_0h1", **DECODER}),
    (INTERVENTIONS, {"do": "Cut", "model": "minilm", "q": " ".join(["big dog"] * 20)}),
    (INTERVENTIONS, {"do": "patch", "patch_text": "the cat sat on the dog it was", **DECODER}),
    (INTERVENTIONS, {"do": "patch", "patch_what": "states", "model": "minilm"}),
    (INTERVENTIONS, {"do": "direct", "lens": "true", **DECODER}),
    (INTERVENTIONS, {"do": "Which heads matter", "model": "minilm"}),
    (INTERVENTIONS, {"do": "Sink account", "model": "minilm"}),
    (INTERVENTIONS, {"do": "Write on", **DECODER}),
    (SCALING, {"lab": "Cost of n²", "n": "512"}),
    (SCALING, {"lab": "Same answer, other cost"}),
    (SCALING, {"lab": "Crossover"}),
    (SCALING, {"lab": "Memory"}),
    (SCALING, {"lab": "Planner"}),
    (SCALING, {"lab": "Planner", "phase": "one more token"}),
    (SCALING, {"lab": "Saved runs"}),
    (SURVEY, {}),
    (SURVEY, {"survey": "smollm2", "role": "induction"}),
]
TYPED = {  # what is typed, where a sentence would be refused
    "meanings": "bread, tree",
    "interests": "cat | mat",
    "edits": "cut_l0_h0_q2_k1",
    "one": "The cat saw the dog because it was big",
}
HOVER = "pointerover"
OTHERS = 3  # values of each control that are tried before it is called dead


@pytest.fixture(scope="module", autouse=True)
def tiny_models(tmp_path_factory):
    """Put a small encoder and a small decoder beside the embedded model."""
    folder = tmp_path_factory.mktemp("models")
    for kind in ("bert", "llama"):
        tiny.write(folder / f"small-{kind}", kind)
    with offered(folder), pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            attention, "available_models", lambda: ["minilm", "small-bert", "small-llama"]
        )
        yield


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """Replace what takes time or depends on it; return what has been asked of it."""
    calls = []

    def stand_in(*args, **options):
        options.pop("on_progress", None)
        options.pop("rate", None)  # a function, each time another
        calls.append(repr((args, options)))
        return iter(())

    for module, name in (
        (core_cost, "sweep"), (methods, "compare"), (crossover, "time_parts"), (core_cost, "peaks"),
        (trials, "accuracy_points"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, stand_in)

    def time_layers(lengths, width, kernel):
        return [
            LayerTime(layer, n, width + kernel * 1e-3, 1e-9, 1e9, 3)
            for n in lengths
            for layer in layer_costs.LAYERS
        ]

    monkeypatch.setattr(timed, "time_layers", time_layers)
    monkeypatch.setattr(training, "PICTURE_SECONDS", 0.0)
    monkeypatch.setattr(writing, "perf_counter", lambda: 0.0)
    monkeypatch.setattr(timing, "_WARM_UP_SECONDS", 1e-4)
    return calls


def controls(app):
    """Return every control of the page by its name; of one for each word, one.

    Files are for the tests of the pages that take or give them.
    """
    found = [w for w in app._tree if isinstance(w, Widget) and "load" not in type(w).__name__]
    found += handles(app).values()
    return {re.sub(r"\d+-\w+", "#", f"{type(w).__name__} {w.key or w.label}"): w for w in found}


def seen(app, echo=(), but=None, *, values=False):
    """Return all that the page shows, without the control itself and the echo of its values."""
    shown = []
    for node in app._tree:
        if isinstance(node, Widget):
            if node.id != but:
                said = [node.label, node.proto.disabled, getattr(node, "options", None)]
                shown.append(_without(echo, repr([*said, node.value if values else None])))
        elif getattr(node, "proto", None) is not None and getattr(node.proto, "id", "") != (
            but or 0
        ):
            proto = type(node.proto)()
            proto.CopyFrom(node.proto)
            for field in {"id", "alt"} & set(proto.DESCRIPTOR.fields_by_name):
                proto.ClearField(field)  # the key, which nobody sees, and what the picture shows
            drawn = node.type in ("vega_lite_chart", "arrow_data_frame")
            shown.append(str(proto) if drawn else _without(echo, str(proto)))
    return shown


def _without(echo, text):
    for word in sorted(filter(None, echo), key=len, reverse=True):
        text = text.replace(word, "◦")
    return text


def others(control, state):
    """Yield other states of a control, and what of it may be echoed."""
    kind = state.WhichOneof("value")
    options = [str(option) for option in getattr(control, "options", None) or []]
    if kind == "bool_value":
        yield WidgetState(id=state.id, bool_value=not state.bool_value), ()
    elif kind == "double_value":
        yield WidgetState(id=state.id, double_value=state.double_value * 2), ()
    elif kind == "double_array_value":
        proto, now = control.proto, state.double_array_value.data[0]
        for value in {proto.max, proto.min, (proto.min + proto.max) // 2} - {now}:
            other = WidgetState(id=state.id)
            other.double_array_value.data[:] = [value]
            yield other, (f"{now:g}", f"{value:g}")
    elif kind == "string_array_value":
        now = list(state.string_array_value.data)
        found = [o for o in options if o not in now] or [o for o in options if [o] != now]
        for option in found[-OTHERS:]:
            other = WidgetState(id=state.id)
            other.string_array_value.data[:] = [option]
            yield other, (*_words(option), *(word for o in now for word in _words(o)))
    else:
        own = state.string_value
        typed = TYPED.get(control.key, "A dog saw the bank and the mat")
        for option in [o for o in options if o != own][-OTHERS:] if options else [typed]:
            yield WidgetState(id=state.id, string_value=option), (*_words(option), *_words(own))


def _words(option):
    """Return what may be said of an option: itself and, of “8 it”, the word."""
    return option, re.sub(r"^\d+ ", "", option)


def changed(app, state):
    """Send a control's new state and run the page."""
    states = WidgetStates()
    for own in app._tree.get_widget_states().widgets:
        states.widgets.append(state if own.id == state.id else own)
    app._run(states)
    return healthy(app)


def pressed(app, label):
    """Press a button of the page."""
    button = next((b for b in app.button if b.label == label and not b.proto.disabled), None)
    return healthy(button.click().run()) if button else app


def clicked(app, told):
    """Click the mark in the middle of a chart that hears clicks."""
    chart = next((c for c in app.get("vega_lite_chart") if c.proto.alt == told), None)
    if chart is None:
        return app
    heard = [p for p in _selections(json.loads(chart.proto.spec)) if p["select"].get("on") != HOVER]
    data = rows(chart)
    row = data.iloc[len(data) // 2]
    fields = {name: int(row[name]) for name in heard[0]["select"]["fields"]}
    return click(app, told, heard[0]["name"], **fields)


def _selections(spec):
    for part in spec.values() if isinstance(spec, dict) else spec:
        if isinstance(part, dict) and isinstance(part.get("select"), dict):
            yield part
        if isinstance(part, dict | list):
            yield from _selections(part)


def out_of_use(control):
    return not isinstance(control, Handle) and control.proto.disabled


def ways_on(app):
    """Return what a control may act through: the buttons and the charts that hear clicks."""
    buttons = [partial(pressed, label=b.label) for b in app.button if not b.proto.disabled]
    charts = [c.proto.alt for c in app.get("vega_lite_chart") if c.proto.id]
    return [*buttons, *(partial(clicked, told=told) for told in charts)]


def acts(app, name, asked, fresh):
    """Return whether a control of a page changes it, by itself or through what is beside it.

    `fresh` opens the page again, as `app` is, which is left so.
    """
    control = controls(app)[name]
    if isinstance(control, Button | Handle):
        own = fresh()
        control = controls(own)[name]
        if isinstance(control, Button):
            before = seen(own, values=True)
            asked.clear()
            return seen(healthy(control.click().run()), values=True) != before or bool(asked)
        column = control.column.proto.id
        before = seen(own, but=column)
        return seen(healthy(control.set_value(control.value - 0.5).run()), but=column) != before
    state = next(s for s in app._tree.get_widget_states().widgets if s.id == control.id)
    choices = list(others(control, state))
    for other, echo in choices:
        if seen(changed(fresh(), other), echo, control.id) != seen(app, echo, control.id):
            return True
    for way in ways_on(app):
        for other, echo in choices:
            found = []
            for later in (fresh(), changed(fresh(), other)):
                asked.clear()
                way(later)
                found.append((seen(later, echo, control.id), tuple(asked)))
            if found[0] != found[1]:
                return True
    return not choices  # there is nothing else to choose


@pytest.mark.parametrize(("page", "params"), STATES, ids=lambda value: str(value)[-60:])
def test_every_control_acts_or_is_out_of_use(page, params, asked):
    fresh = partial(open_page, page, **params)
    app = fresh()
    names = [name for name, control in controls(app).items() if not out_of_use(control)]
    dead = [name for name in names if not acts(app, name, asked, fresh)]
    assert not dead


def test_every_page_is_looked_at():
    assert {page for page, _ in STATES} == {
        path.relative_to(ROOT).as_posix() for path in ROOT.glob("pages/*/*.py")
    }


def test_a_dead_control_is_found(asked, tmp_path):
    """What the test above is worth: it names a slider that only echoes itself."""
    page = tmp_path / "page.py"
    page.write_text(
        "import streamlit as st\n"
        "st.write(st.slider('Alive', 0, 9, 3, key='alive') ** 2)\n"
        "st.write('You chose', st.slider('Dead', 0, 9, 3, key='dead'))\n"
        "st.selectbox('Deaf', ['a', 'b'], key='deaf')\n"
        "n = st.slider('Asked', 0, 9, 3, key='asked')\n"
        "st.button('Go') and st.write(n ** 2)\n"
    )
    fresh = partial(open_page, page)
    app = fresh()
    found = {name: acts(app, name, asked, fresh) for name in controls(app)}
    assert found == {
        "Slider alive": True,
        "Slider dead": False,
        "Selectbox deaf": False,
        "Slider asked": True,
        "Button Go": True,
    }
