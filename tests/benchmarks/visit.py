"""A reader without a browser: speaks the messages of Streamlit's websocket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from itertools import cycle
from time import perf_counter
from urllib.parse import urlsplit

from requests import Session
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLsRequest
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

    patience = 60.0  # seconds until the next message

    def __init__(self, connection: ClientConnection, page: str, query: str = "") -> None:
        """Prepare to open a page."""
        self.connection, self.received = connection, 0
        self.client = BackMsg().rerun_script
        self.client.page_name, self.client.query_string = page, query
        self.deltas: list[Delta] = []
        self.messages: list[bytes] = []  # which held them, and the menu

    def open(self) -> float:
        """Open the page, or look at it again; return the milliseconds until it is complete."""
        del self.client.widget_states.widgets[:]
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
        for _ in self.pressing(label):
            pass

    def pressing(self, label: str) -> Iterator[Delta]:
        """Press a button, and give what comes as it comes."""
        button = self._find("button", label).new_element.button
        self._say(WidgetState(id=button.id, trigger_value=True))
        return self.answers()

    def upload(self, label: str, name: str, content: bytes) -> None:
        """Give a file to an uploader and wait until the page is complete."""
        found = self._find("file_uploader", label).new_element.file_uploader
        asked = FileURLsRequest(request_id="file", file_names=[name])
        self.connection.send(BackMsg(file_urls_request=asked).SerializeToString())
        told = self._message()
        while told.WhichOneof("type") != "file_urls_response":
            told = self._message()
        (place,) = told.file_urls_response.file_urls
        host, port, *_ = self.connection.socket.getpeername()
        with Session() as session:
            session.get(f"http://{host}:{port}/_stcore/health")
            session.put(
                f"http://{host}:{port}{place.upload_url}",
                files={"file": (name, content)},
                headers={"X-Xsrftoken": session.cookies["_streamlit_xsrf"]},
            ).raise_for_status()
        state = WidgetState(id=found.id)
        state.file_uploader_state_value.uploaded_file_info.add(
            file_id=place.file_id, name=name, size=len(content), file_urls=place
        )
        self._send(state)

    def _say(self, state: WidgetState) -> None:
        del self.client.widget_states.widgets[:]
        self.client.widget_states.widgets.append(state)

    def _send(self, state: WidgetState) -> float:
        self._say(state)
        start = perf_counter()
        self._run()
        return (perf_counter() - start) * 1e3

    def _run(self) -> list[Delta]:
        """Ask for a rerun; return what came until it was finished."""
        return list(self.answers())

    def answers(self) -> Iterator[Delta]:
        """Ask for a rerun; give what comes until it is finished.

        Raises
        ------
        RuntimeError : an error came.
        """
        self.connection.send(BackMsg(rerun_script=self.client).SerializeToString())
        self.messages, self.received = [], 0
        while True:
            message = self._message()
            kind = message.WhichOneof("type")
            if kind == "navigation":  # as the browser does: from now on by its hash
                self.client.page_script_hash = message.navigation.page_script_hash
                self.client.page_name = ""
                self.messages.append(self.raw)
            elif kind == "delta":
                if message.delta.new_element.HasField("exception"):
                    raise RuntimeError(message.delta.new_element.exception.message)
                self.messages.append(self.raw)
                yield message.delta
            elif kind == "script_finished":
                return

    def _message(self) -> ForwardMsg:
        self.raw = self.connection.recv(timeout=self.patience)
        self.received += len(self.raw)
        return ForwardMsg.FromString(self.raw)

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
