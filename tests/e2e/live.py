"""A real server and a real browser: what the tests here and the page benchmark share."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import psutil

ROOT = Path(__file__).parents[2]
# The first is the same engine without a browser's window around each page: to open one takes 0.6 of
# the processor's time that it takes the second.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--font-render-hinting=none",  # letters as wide as in a browser's window
    # Whatever asks for another machine fails, and so the test that it happens in.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
START_SECONDS = 180  # on a machine with ten times as much to do as processors


@contextmanager
def serve(log: Path, script: Path = ROOT / "streamlit_app.py") -> Iterator[str]:
    """Run the dashboard in a process of its own; give its address once it answers."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", script.name, "--server.headless=true"]
    command += ["--server.address=127.0.0.1", f"--server.port={port}"]
    if script.parent != ROOT:  # what our settings say
        command += ["--server.fileWatcherType=none", "--browser.gatherUsageStats=false"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=script.parent, stdout=output, stderr=output)
    try:
        wait_until_healthy(server, f"http://127.0.0.1:{port}", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_until_healthy(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


def server_of(url: str) -> psutil.Process:
    """Return the process that answers at an address, which this one has started."""
    option = f"--server.port={urlsplit(url).port}"
    return next(child for child in psutil.Process().children() if option in child.cmdline())


def free_port() -> int:
    """Return a port that was free a moment ago; E2E_PORTS, as `8700-8799`, narrows the choice."""
    first, _, last = os.environ.get("E2E_PORTS", "0-0").partition("-")
    for port in range(int(first), int(last) + 1):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError(f"no port from {first} to {last} is free")


def playwright_api():
    """Return `playwright.sync_api`; where it is missing, skip or fail."""
    try:
        import playwright.sync_api
    except ModuleNotFoundError:
        unavailable("Playwright is not installed: pip install -e '.[test]'")
    return playwright.sync_api


def chromium() -> str:
    """Return the browser's path; where there is none, skip or fail."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or unavailable(f"no browser found: none of {', '.join(BROWSERS)} is on the path")


def unavailable(reason: str) -> NoReturn:
    """Skip for want of a browser; fail instead where ATTENTION_REQUIRE_BROWSER=1 demands one."""
    if "pytest" not in sys.modules:  # the benchmark runs without it
        raise SystemExit(reason)
    import pytest

    if os.environ.get("ATTENTION_REQUIRE_BROWSER") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=True)
