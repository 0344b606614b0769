from __future__ import annotations

import json
import re
from collections import defaultdict
from urllib.parse import urlsplit

import pytest

from tests.e2e.live import FLAGS, chromium, playwright_api, serve

# Streamlit's own frontend, asked for a sub-page first, looks for the server below that page before
# it looks at the root. Just these two addresses may answer 404.
PROBE = re.compile(r"http://127\.0\.0\.1:\d+/[a-z]+/_stcore/(health|host-config)")
# What Streamlit says of a change in a fragment and one outside it at one instant; the pages see to
# it that neither is lost (`attention.ui.address.end_fragment`).
AT_ONCE = "Unexpected state: Multiple different fragmentIds detected"
LOCAL = ("data", "blob", "about")

# Headless Chromium can't answer the dialog that asks where to save a file; browsers that lack it
# download instead. And count what is sent to the server, to see what happens without it.
PREPARE = """
delete window.showSaveFilePicker;
window.framesSent = 0;
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) { window.framesSent++; return send.call(this, data); };
"""


# The script has ended some time before the browser has drawn what it was sent; until then the page
# moves, and a click may miss.
DRAWN = """
() => !document.querySelector('[data-testid=stSkeleton]')
  && [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].every(
    (chart) => chart.querySelector('svg, canvas'))
"""


def pytest_itemcollected(item):
    item.add_marker(pytest.mark.browser)


class Watch:
    """Collects what goes wrong on one page: in its console, its scripts and its requests."""

    def __init__(self, page):
        self.page, self.problems = page, []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._add(f"page error: {error}"))
        page.on("request", lambda request: self._address(request.url))
        page.on("websocket", lambda socket: self._address(socket.url))
        page.on("requestfailed", lambda r: self._add(f"request failed: {r.failure} {r.url}"))
        page.on("response", self._response)
        page.on("dialog", self._dialog)

    def finish(self):
        """Look for what the page itself says went wrong, and return all problems."""
        for test_id in ("stException", "stDialog"):
            for box in self.page.get_by_test_id(test_id).all():
                self._add(f"{test_id}: {box.inner_text()}")
        return self.problems

    def _add(self, problem):
        self.problems.append(problem)

    def _console(self, message):
        probe = PROBE.fullmatch(message.location["url"]) and "404" in message.text
        known = probe or message.text.startswith(AT_ONCE)
        if message.type in ("error", "warning") and not known:
            self._add(f"console {message.type}: {message.text} ({message.location['url']})")

    def _address(self, url):
        parts = urlsplit(url)
        if parts.hostname != "127.0.0.1" and parts.scheme not in LOCAL:
            self._add(f"asked another machine: {url}")

    def _response(self, response):
        known = response.status == 404 and PROBE.fullmatch(response.url)
        if response.status >= 400 and not known:
            self._add(f"status {response.status}: {response.url}")

    def _dialog(self, dialog):
        self._add(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Run one server for all tests; give its address."""
    yield from served(tmp_path_factory.mktemp("server"))


@pytest.fixture
def fresh_server(tmp_path):
    """Run a server for one test; ask for it before `open_page`, so that it outlives the pages."""
    yield from served(tmp_path)


def served(folder):
    log = folder / "log.txt"
    with serve(log) as url:
        yield url
    assert "Traceback" not in log.read_text(), log.read_text()


# Not for the session: while Playwright runs, its thread has a running event loop, which would be in
# the way of whatever other tests want one.
@pytest.fixture(scope="module")
def browser():
    """Run one Chromium for all tests of a module."""
    executable = chromium()
    with playwright_api().sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def idle_contexts(browser):
    """Keep the contexts that no page is open in, by their options: what they have read of
    Streamlit's frontend is a third of the work of opening a page."""
    return defaultdict(list)


@pytest.fixture
def open_page(browser, idle_contexts, request):
    """Give `open_page(path, base=..., **context)`, each page in a context that no other is in.

    At the end the test fails for anything that went wrong on any of its pages.
    """
    watches = []

    def open_page(path, *, base=None, **options):
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        idle = idle_contexts[json.dumps(options, sort_keys=True)]
        page = (idle.pop() if idle else new_context(options)).new_page()
        watches.append((Watch(page), idle))
        page.goto((base or request.getfixturevalue("server")) + path)
        page.locator("[data-test-script-state=notRunning] h1").wait_for()
        page.wait_for_function(DRAWN)
        return page

    def new_context(options):
        context = browser.new_context(**options)
        context.set_default_timeout(60_000)
        context.add_init_script(PREPARE)
        return context

    yield open_page
    problems = [problem for watch, _ in watches for problem in watch.finish()]
    for watch, idle in watches:
        context = watch.page.context
        if watch.page.url.startswith("http"):  # it was opened
            watch.page.evaluate("localStorage.clear()")
        watch.page.close()
        context.clear_cookies()
        idle.append(context)
    assert not problems, "\n".join(problems)
