"""`attention serve`: the dashboard, from a checkout or from wherever the package is installed."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import attention
from attention.commands.common import command
from attention.models.places import OWN_FOLDER

APP = "streamlit_app.py"
_EXAMPLES = """  attention serve                                  http://127.0.0.1:8501
  attention serve --port 9000 --models ~/models
  attention serve --host 0.0.0.0                   for others, too: see "Serve it" in the README"""


def add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = command(commands, "serve", _serve, "open the dashboard", _EXAMPLES)
    parser.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8501, help="port (default: %(default)s)")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="with models of your own")
    parser.add_argument("--no-browser", action="store_true", help="open none")


def app_file() -> Path:
    """Return the dashboard's file: within the package where it is installed, else beside it.

    Raises
    ------
    ValueError : neither has it.
    """
    package = Path(attention.__file__).parent
    places = package / "dashboard" / APP, package.parent / APP
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        listed = " and no ".join(map(str, places))
        raise ValueError(f"the dashboard is missing: there is no {listed}")
    return found


def serve_words(arguments: argparse.Namespace) -> list[str]:
    """Return the command that serves the dashboard."""
    options = {
        "server.address": arguments.host,
        "server.port": str(arguments.port),
        "client.showErrorDetails": "type",  # the rest, with paths of this machine, is in the log
        "server.headless": str(arguments.no_browser or not sys.stdout.isatty()).lower(),
    }
    if arguments.host in ("0.0.0.0", "::"):  # else it asks another machine for this one's address
        options["browser.serverAddress"] = "localhost"
    flags = [f"--{name}={value}" for name, value in options.items()]
    # -P: a click.py in the folder where the reader stands is none of the server's modules
    return [sys.executable, "-P", "-m", "streamlit", "run", str(app_file()), *flags]


def _serve(arguments: argparse.Namespace) -> None:
    if arguments.models is not None:
        if not arguments.models.exists():
            raise ValueError(f"there is no {arguments.models}")
        os.environ[OWN_FOLDER] = str(arguments.models.expanduser().resolve())
    words = serve_words(arguments)
    sys.stdout.flush()
    if os.name == "posix":  # whoever ends this process ends the server
        os.execv(words[0], words)
    elif subprocess.call(words):
        raise ValueError("the server has ended with an error")
