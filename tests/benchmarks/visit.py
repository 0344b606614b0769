"""A reader without a browser: speaks the messages of Streamlit's websocket."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from itertools import cycle
from time import perf_counter
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets import Subprotocol
from websockets.sync.client import ClientConnection, connect


class Prompt(socket.socket):
    """A socket that tells the other side at once that its packet has come, where that is possible.

    The server waits for that before it sends the next small one (Nagle's algorithm), and the system
    may take 40 ms over it. That is the network's time, not the server's, and the bare page's too.
    """

    def recv(self, *arguments) -> bytes:
        """Receive, in the mode in which the system does not wait before it answers."""
        if hasattr(socket, "TCP_QUICKACK"):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return super().recv(*arguments)


def websocket(url: str) -> ClientConnection:
    """Return a connection to the server's websocket."""
    place = urlsplit(url)
    connection = Prompt()
    connection.connect((place.hostname, place.port))
    return connect(
        f"ws://{place.netloc}/_stcore/stream",
        sock=connection,
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
    )


class Visit:
    """One reader of one page."""

    def __init__(self, connection: ClientConnection, page: str, query: str = "") -> None:
        """Prepare to open a page."""
        self.connection, self.received = connection, 0
        self.client = BackMsg().rerun_script
        self.client.page_name, self.client.query_string = page, query
        self.deltas: list[Delta] = []
        self.messages: list[bytes] = []  # which held them, and the menu

    def open(self) -> float:
        """Open the page, and return the milliseconds until it is complete."""
        start = perf_counter()
        self.deltas = self._run()
        return (perf_counter() - start) * 1e3

    def hold(self, kind: str, label: str) -> None:
        """Find the widget that starts with `label`: the one to `move`."""
        delta = self._find(kind, label)
        self.kind, self.widget = kind, getattr(delta.new_element, kind)
        self.client.fragment_id = delta.fragment_id  # where it stands in one, only that runs
        self.values = cycle(self._values())

    def move(self) -> float:
        """Move the widget and return the milliseconds until the page is complete."""
        state = WidgetState(id=self.widget.id)
        if self.kind == "slider":
            state.double_array_value.data.append(next(self.values))
        elif self.kind == "bidi_component":
            state.json_value = self._moved()
        else:
            state.string_value = next(self.values)
        return self._send(state)

    def press(self, label: str) -> None:
        """Press a button and wait until the page is complete."""
        button = self._find("button", label).new_element.button
        self._send(WidgetState(id=button.id, trigger_value=True))

    def _send(self, state: WidgetState) -> float:
        del self.client.widget_states.widgets[:]
        self.client.widget_states.widgets.append(state)
        start = perf_counter()
        self._run()
        return (perf_counter() - start) * 1e3

    def _run(self) -> list[Delta]:
        """Ask for a rerun; return what came until it was finished.

        Raises
        ------
        RuntimeError : an error came.
        """
        self.connection.send(BackMsg(rerun_script=self.client).SerializeToString())
        deltas, self.messages, self.received = [], [], 0
        while True:
            raw = self.connection.recv(timeout=60)
            message, self.received = ForwardMsg.FromString(raw), self.received + len(raw)
            kind = message.WhichOneof("type")
            if kind == "navigation":  # as the browser does: from now on by its hash
                self.client.page_script_hash = message.navigation.page_script_hash
                self.client.page_name = ""
                self.messages.append(raw)
            elif kind == "delta":
                if message.delta.new_element.HasField("exception"):
                    raise RuntimeError(message.delta.new_element.exception.message)
                deltas.append(message.delta)
                self.messages.append(raw)
            elif kind == "script_finished":
                return deltas

    def _find(self, kind: str, label: str) -> Delta:
        for delta in self.deltas:
            element = delta.new_element
            if not element.HasField(kind):
                continue
            if kind == "bidi_component":  # a column of sliders, whose rows have the labels
                found = f'"{label}"' in element.bidi_component.json
            else:
                found = getattr(element, kind).label.startswith(label)
            if found:
                return delta
        raise LookupError(f"no {kind} on the page starts with {label!r}")

    def _moved(self) -> str:
        """Return what the browser says of a column whose last slider is moved."""
        data = json.loads(self.widget.json)
        values = [row["value"] for row in data["rows"]]
        values[-1] = next(self.values)
        return json.dumps({"moved": {"turn": data["turn"], "moving": True, "values": values}})

    def _values(self) -> Sequence:
        if self.kind == "selectbox":
            return self.widget.options[1:6]
        if self.kind == "bidi_component":
            data = json.loads(self.widget.json)
            low, high, step = data["low"], data["high"], data["step"]
        else:
            low, high, step = self.widget.min, self.widget.max, self.widget.step
        count = min(round((high - low) / step), 12)
        return [round(low + step * i, 6) for i in range(1, count)]
