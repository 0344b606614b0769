"""The layout: imports run one way, heavy libraries stay where they belong, names are told apart."""

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Everything in attention/, and the pages. A part may use those before it and never one after it.
ORDER = (
    "lazily", "arrays", "characters", "pictures", "wording", "question", "edits", "runtime", "core",
    "presets", "models", "analysis", "charts", "scaling", "interventions", "pipeline", "context",
    "translation", "learning", "survey", "lesson", "plot", "__init__", "commands", "__main__", "ui",
    "pages",
)  # fmt: skip

# Where a library may be imported: in these parts, and in modules whose name ends so.
ONLY_IN = {
    "streamlit": ({"ui", "pages"}, ()),
    "altair": ({"charts", "plot"}, ("charts",)),
    "pandas": ({"charts", "ui", "pages"}, ("frames", "charts")),
}


def sources(root):
    """Yield every file of the product with the part that it belongs to."""
    for path in sorted((root / "attention").rglob("*.py")):
        yield path, path.relative_to(root / "attention").parts[0].removesuffix(".py")
    for path in [root / "streamlit_app.py", *sorted((root / "pages").rglob("*.py"))]:
        if path.exists():
            yield path, "pages"


def imported_names(path, root):
    """Yield the dotted name of everything that the file imports, wherever in the file it does."""
    package = path.relative_to(root).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            parent = package[: len(package) + 1 - node.level] if node.level else ()
            base = ".".join([*parent, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def for_types_only(path):
    """Return the libraries that a file imports for the sake of its annotations."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guards = [node for node in tree.body if isinstance(node, ast.If)]
    guards = [node for node in guards if ast.unparse(node.test) == "TYPE_CHECKING"]
    imports = [node for guard in guards for node in guard.body if isinstance(node, ast.Import)]
    return {alias.name for node in imports for alias in node.names}


def broken_rules(root):
    """Yield what is wrong with the imports of a tree, in words."""
    parts = {part for _, part in sources(root)}
    yield from (f"{part} is not listed" for part in sorted(parts - set(ORDER)))
    for path, part in sources(root):
        for name in imported_names(path, root):
            top, *rest = name.split(".")
            if top == "attention":
                used = rest[0] if rest and rest[0] in parts else "__init__"
                if {used, part} <= set(ORDER) and ORDER.index(used) > ORDER.index(part):
                    yield f"{part} imports {used}"
            elif top in ONLY_IN and name not in for_types_only(path):
                allowed, endings = ONLY_IN[top]
                if part not in allowed and path.stem.split("_")[-1] not in endings:
                    yield f"{part} imports {top}"


def public_names(root):
    """Return where each public top-level name of the package is defined.

    What `plot` draws has the name of what it is a picture of.
    """
    places = defaultdict(list)
    for path, part in sources(root):
        for node in ast.parse(path.read_text(encoding="utf-8")).body if part != "plot" else ():
            for name in defined(node):
                if not name.startswith("_") and path.is_relative_to(root / "attention"):
                    places[name].append(str(path.relative_to(root)))
    return places


def defined(node):
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = getattr(node, "targets", [node.target] if isinstance(node, ast.AnnAssign) else [])
    return [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]


def test_imports_run_one_way():
    assert list(broken_rules(ROOT)) == []


def test_no_two_public_things_have_one_name():
    assert {name: where for name, where in public_names(ROOT).items() if len(where) > 1} == {}


def test_the_walk_sees_the_whole_package():
    assert {part for _, part in sources(ROOT)} == set(ORDER)
    assert public_names(ROOT)["softmax"] == ["attention/core/plain.py"]


@pytest.mark.parametrize(
    ("path", "source", "rule"),
    [
        ("attention/core/plain.py", "import attention.models", "core imports models"),
        ("attention/core/plain.py", "from attention import models", "core imports models"),
        ("attention/core/plain.py", "from .. import models", "core imports models"),
        ("attention/core/plain.py", "from ..models.bert import Bert", "core imports models"),
        ("attention/core/plain.py", "import attention", "core imports __init__"),
        ("attention/models/bert.py", "from ..charts import maps", "models imports charts"),
        ("attention/lesson/x.py", "def f():\n    from attention import ui", "lesson imports ui"),
        ("attention/core/plain.py", "import streamlit as st", "core imports streamlit"),
        ("attention/__init__.py", "import pandas", "__init__ imports pandas"),
        ("attention/analysis/links.py", "from pandas.api import types", "analysis imports pandas"),
        ("attention/ui/x.py", "import altair as alt", "ui imports altair"),
        ("pages/learn/lesson.py", "import altair", "pages imports altair"),
        ("streamlit_app.py", "from altair import Chart", "pages imports altair"),
        ("attention/helper.py", "", "helper is not listed"),
        ("attention/helpers/x.py", "", "helpers is not listed"),
    ],
)  # fmt: skip
def test_the_walk_finds_what_is_wrong(tmp_path, path, source, rule):
    allowed = {
        "attention/__init__.py": "from attention.core import softmax",
        "attention/core/plain.py": "import numpy",
        "attention/models/bert.py": "from attention.core import softmax",
        "attention/analysis/metrics.py": "from attention.core import softmax",
        "attention/analysis/link_frames.py": "import pandas\nfrom attention.analysis import x",
        "attention/lesson/frames.py": "import pandas",
        "attention/lesson/charts.py": "import altair\nfrom . import frames",
        "attention/charts/maps.py": "import altair\nfrom . import axes",
        "attention/ui/x.py": "import streamlit\nimport attention.charts.maps",
        "pages/learn/lesson.py": "import streamlit, pandas\nfrom attention import softmax, ui",
        "streamlit_app.py": "import streamlit",
    }
    for name, text in allowed.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert list(broken_rules(tmp_path)) == []
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(source)
    assert rule in broken_rules(tmp_path)


def test_importing_the_package_is_light():
    heavy = ["streamlit", "altair", "pandas", "tokenizers", "safetensors", "attention.models.bert"]
    code = f"import sys, attention; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_every_public_name_exists():
    import attention

    assert sorted(attention.__all__) == list(attention.__all__)
    assert all(hasattr(attention, name) for name in attention.__all__)


def test_pages_are_in_section_folders_only():
    """A file directly in pages/ would bring Streamlit's old auto-discovery back."""
    assert list((ROOT / "pages").glob("*.py")) == []


def test_no_page_injects_html():
    for path, _ in sources(ROOT):
        assert "unsafe_allow_html" not in path.read_text(encoding="utf-8"), path


@pytest.mark.slow
def test_the_page_benchmark_runs_without_pytest():
    blocked = "import sys; sys.modules['pytest'] = None; import tests.benchmarks.pages"
    found = subprocess.run(
        [sys.executable, "-c", blocked], cwd=ROOT, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr


def test_benchmarks_use_public_names_only():
    """What is private may change without anybody looking at scripts that no test runs."""
    for path in sorted((ROOT / "tests" / "benchmarks").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {
            (alias.asname or alias.name).split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        private = [
            f"{node.value.id}.{node.attr}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            if node.value.id in imported and node.attr.startswith("_")
        ]
        assert private == [], path
