"""Clicks in charts in AppTest, which has no call for them: sent as a browser sends them."""

import json

from streamlit.proto.WidgetStates_pb2 import WidgetState


def chart(app, told):
    """Return the chart whose description begins so."""
    return next(c for c in app.get("vega_lite_chart") if c.proto.alt.startswith(told))


def click(app, told, selection, **fields):
    """Click the mark with these fields in the chart whose description begins so; run the page."""
    states = app._tree.get_widget_states()
    clicked = chart(app, told).proto.id
    assert clicked, f"the chart “{told}” hears no click"
    value = json.dumps({"selection": {selection: [fields]}})
    states.widgets.append(WidgetState(id=clicked, string_value=value))
    app._run(states)
    assert not app.exception, [(e.value, e.stack_trace) for e in app.exception]
    return app
