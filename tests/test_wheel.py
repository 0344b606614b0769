"""The wheel: the dashboard is in it, as it is in the checkout, and all that the package reads."""

import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from attention.ui.course import PAGES

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

with_builder = pytest.mark.skipif(
    find_spec("hatchling") is None, reason='nothing builds wheels: pip install -e ".[test]"'
)


def listed(*folders):
    """Return the files in these folders of the checkout that belong to the product."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    return {path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts}


@with_builder
@pytest.mark.slow
def test_the_wheel_holds_the_package_and_the_dashboard(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        own = {name for name in names if not name.startswith("attention/dashboard/")}
        assert own == listed("attention")
        shown = {name.removeprefix("attention/dashboard/") for name in names - own}
        assert shown == {"streamlit_app.py", *listed("pages", ".streamlit")}
        for name in shown:
            assert archive.read(f"attention/dashboard/{name}") == (ROOT / name).read_bytes()


def test_every_page_of_the_course_goes_along():
    goes = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for page in PAGES:
        assert goes[page.file.split("/")[0]] == "attention/dashboard/pages"
        assert (ROOT / page.file).is_file()


def test_the_command_is_there():
    module, _, name = PROJECT["project"]["scripts"]["attention"].partition(":")
    from attention.commands import program

    assert (module, name) == (program.__name__, program.main.__name__)
