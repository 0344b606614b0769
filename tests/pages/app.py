"""The dashboard in AppTest: pages opened as by a link, what they draw, clicks, questions."""

import gc
import json
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pandas as pd
import pyarrow as pa
from streamlit import config
from streamlit.components.v2 import manifest_scanner
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

from attention.analysis.words import View
from attention.models.trace import Trace

ROOT = Path(__file__).parents[2]
LESSON, EXPLORER = "pages/learn/lesson.py", "pages/learn/explorer.py"
PIPELINE, CONTEXT = "pages/learn/pipeline.py", "pages/learn/context.py"
TRANSLATION, LEARNING = "pages/learn/translation.py", "pages/learn/learning.py"
VISUALIZER, HEADS = "pages/explore/visualizer.py", "pages/explore/heads.py"
INTERVENTIONS, SCALING = "pages/explore/interventions.py", "pages/measure/scaling.py"
SURVEY = "pages/measure/survey.py"
SECONDS = 120  # a run that takes longer has failed
# Either takes longer than most pages do: a look through all installed packages for components,
# whenever a page is opened, and after every run one through all objects, pytest's among them.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)
config.set_option("runner.postScriptGC", False)


def open_page(page, **params):
    """Open a page alone, as a link with these query parameters does."""
    app = AppTest.from_file(str(ROOT / page), default_timeout=SECONDS)
    for key, value in params.items():
        app.query_params[key] = value
    healthy(app.run())
    assert not list(held(app)), "the session would keep a pass until its reader is forgotten"
    return app


def held(app):
    """Find passes that a session holds on to, by way of what a callback was made with, say.

    Gives for each what leads to it. A pass may take half a gigabyte, and sessions stay for a while.
    """
    shared = {id(vars(module)) for name, module in sys.modules.items()
              if isinstance(module, ModuleType) and name != "__main__"}  # fmt: skip
    todo, seen = [(app.session_state, ())], set()
    while todo:
        one, way = todo.pop()
        if id(one) in seen or id(one) in shared or isinstance(one, ModuleType | type):
            continue
        seen.add(id(one))
        if isinstance(one, Trace | View):
            yield way
        else:
            todo += [(other, (*way, one)) for other in gc.get_referents(one)]


def dashboard(**params):
    """Open the dashboard as a reader does, at its first page."""
    return open_page("streamlit_app.py", **params)


def go(app, page):
    """Open another page from the menu."""
    return healthy(app.switch_page(page).run())


def healthy(app):
    assert not app.exception, [(e.value, e.stack_trace) for e in app.exception]
    return app


def charts(app):
    return app.get("vega_lite_chart")


def chart(app, alt):
    """Return the chart whose description begins so."""
    return next(c for c in charts(app) if c.proto.alt.startswith(alt))


def rows(chart):
    """Return the data that a chart draws."""
    return pa.ipc.open_stream(chart.proto.datasets[0].data.data).read_all().to_pandas()


def drawn(app, *columns, nth=0):
    """Return the rows of the nth chart whose data have these columns."""
    matches = [data for data in map(rows, charts(app)) if set(columns) <= set(data.columns)]
    assert len(matches) > nth, f"no chart draws {columns}"
    return matches[nth]


def click(app, alt, selection, **fields):
    """Click the mark with these fields in the chart whose description begins so; run the page.

    AppTest has no call for this: it is sent as a browser sends it.
    """
    clicked = chart(app, alt).proto.id
    assert clicked, f"the chart “{alt}” takes no click"
    value = json.dumps({"selection": {selection: [fields]}})
    states = app._tree.get_widget_states()
    states.widgets.append(WidgetState(id=clicked, string_value=value))
    app._run(states)
    return healthy(app)


class Handle:
    """A slider of a column of our own, moved as the browser does: AppTest does not know it."""

    type = "slider"

    def __init__(self, app, column, sliders, place):
        self.app, self.column, self.sliders, self.place = app, column, sliders, place
        self.key, self.label = sliders[place].key, sliders[place].label
        self.value = app.session_state[self.key]

    def set_value(self, value, *, moving=False, turn=None):
        values = [self.app.session_state[slider.key] for slider in self.sliders]
        values[self.place] = value
        data = json.loads(self.column.proto.json)
        self.moved = {"turn": turn or data["turn"], "moving": moving, "values": values}
        return self

    def run(self):
        said = json.dumps({"moved": self.moved})
        states = self.app._tree.get_widget_states()
        states.widgets.append(WidgetState(id=self.column.proto.id, json_value=said))
        self.app._run(states)
        return self.app


def columns(app):
    """Return the columns of sliders by their key, each with its data."""
    found = [c for c in app.get("bidi_component") if "sliders" in c.proto.component_name]
    return {c.proto.id.rsplit("-", 1)[1]: c for c in found}


def handles(app):
    """Return every slider of these columns by its key."""
    found = {}
    for key, column in columns(app).items():
        sliders = app.session_state[f"_{key}_turn"].sliders
        found |= {s.key: Handle(app, column, sliders, i) for i, s in enumerate(sliders)}
    return found


def weighed(app):
    """Return the weights that the explorer draws beside its sliders, now and at the start."""
    drawn = json.loads(columns(app)["scores"].proto.json)["rows"]
    return pd.DataFrame(
        {"word": row["label"], "weight": row["bar"]["share"], "before": row["bar"]["before"]}
        for row in drawn
    )


def ask(app):
    """Open every question of the page: they are closed until the reader opens them."""
    for box in app.get("expander"):
        _, found, key = box.proto.id.rpartition("-ask-")
        if found:
            app.session_state[f"ask-{key}"] = True
    return healthy(app.run())


def sentence(app):
    """Return the field that holds the page's text: of one line, or a tall one."""
    (field,) = (w for w in [*app.text_input, *app.text_area] if w.key == "q")
    return field
