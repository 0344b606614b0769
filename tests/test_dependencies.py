"""What may be installed is what was tried: the bounds of pyproject.toml and the versions of .ci."""

import re
import subprocess
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEEDED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["gguf"]]


def pinned(name):
    """Return the versions in a file of `.ci` by the names of what they are of."""
    lines = (ROOT / ".ci" / name).read_text(encoding="utf-8").splitlines()
    pairs = [re.fullmatch(r"([\w.-]+)==([\w.]+)", line).groups() for line in lines]
    return {canonicalize_name(package): version for package, version in pairs}


def requirements(*extras):
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][e] for e in extras)]
    found = [Requirement(line) for needed in lists for line in needed]
    return [needed for needed in found if needed.name != PROJECT["name"]]


def test_the_lowest_versions_that_are_tried_are_the_lower_bounds():
    lowest = pinned("lowest.txt")
    bounds = dict(re.match(r"([\w-]+)>=([\w.]+)", line).groups() for line in NEEDED)
    assert len(bounds) == len(NEEDED)
    assert {name: lowest[canonicalize_name(name)] for name in bounds} == bounds


def test_every_dependency_is_pinned_within_its_bounds():
    for name, extras in (
        ("constraints.txt", ("gguf", "figures", "test", "dev")),
        ("lowest.txt", ("gguf", "figures", "test")),
    ):
        pins = pinned(name)
        for needed in requirements(*extras):
            assert needed.specifier.contains(pins[canonicalize_name(needed.name)]), needed


def test_what_changes_its_warnings_has_an_upper_bound():
    bounded = {
        needed.name
        for needed in requirements("test")
        if any(clause.operator == "<" for clause in needed.specifier)
    }
    assert bounded >= {"numpy", "pandas", "altair", "streamlit"}


def test_the_tests_that_ci_names_are_there():
    named = re.findall(r"(?<=\s)tests/[^\s\\]+", (ROOT / ".ci/run").read_text(encoding="utf-8"))
    assert len(named) > 5
    spelled = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {' '.join(named)}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    missing = [path for path in spelled.stdout.split() if not (ROOT / path).exists()]
    assert not missing
