"""The layout: imports run one way, heavy libraries stay where they belong, nothing is injected."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A part may use those before it, directly or through helpers, and never one after it.
ORDER = ("core", "models", "metrics", "frames", "charts", "ui", "pages")

ONLY_IN = {
    "streamlit": {"ui", "pages"},
    "altair": {"charts"},
    "pandas": {"frames", "charts", "ui", "pages"},  # frames may be several: x_frames.py
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


def import_graph(root):
    """Return, for every part, the parts of the product that it imports and the libraries."""
    parts = {part for _, part in sources(root)}
    graph = {part: set() for part in parts}
    for path, part in sources(root):
        for name in imported_names(path, root):
            top, *rest = name.split(".")
            if top == "attention":
                graph[part].add(rest[0] if rest and rest[0] in parts else "__init__")
            else:
                graph[part].add(f"library {top}")
    return graph


def reached(graph, part):
    """Return every part that `part` imports, directly or through others."""
    seen, waiting = set(), [part]
    while waiting:
        for name in graph.get(waiting.pop(), ()):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return seen


def broken_rules(root):
    graph = import_graph(root)
    for place, part in enumerate(ORDER):
        for later in reached(graph, part).intersection(ORDER[place + 1 :]):
            yield f"{part} reaches {later}"
    for part, names in graph.items():
        for library, allowed in ONLY_IN.items():
            if f"library {library}" in names and part.split("_")[-1] not in allowed:
                yield f"{part} imports {library}"


def test_imports_run_one_way():
    assert list(broken_rules(ROOT)) == []


def test_the_walk_sees_the_whole_package():
    graph = import_graph(ROOT)
    assert set(ORDER[:2]) <= set(graph)
    assert "core" in graph["models"]
    assert {"library numpy", "library math"} <= graph["core"]


@pytest.mark.parametrize(
    ("path", "source", "rule"),
    [
        ("attention/core.py", "import attention.models", "core reaches models"),
        ("attention/core.py", "from attention import models", "core reaches models"),
        ("attention/core.py", "from . import models", "core reaches models"),
        ("attention/core.py", "from .models.bert import Bert", "core reaches models"),
        ("attention/models/bert.py", "from ..charts import maps", "models reaches charts"),
        ("attention/frames.py", "def f():\n    from attention.ui import x", "frames reaches ui"),
        ("attention/metrics.py", "import attention.helper", "metrics reaches frames"),
        ("attention/core.py", "import streamlit as st", "core imports streamlit"),
        ("attention/__init__.py", "import pandas", "__init__ imports pandas"),
        ("attention/metrics.py", "from pandas.api import types", "metrics imports pandas"),
        ("attention/helper.py", "import pandas", "helper imports pandas"),
        ("attention/ui.py", "import altair as alt", "ui imports altair"),
        ("pages/learn/lesson.py", "import altair", "pages imports altair"),
        ("streamlit_app.py", "from altair import Chart", "pages imports altair"),
    ],
)
def test_the_walk_finds_what_is_wrong(tmp_path, path, source, rule):
    allowed = {
        "attention/__init__.py": "from attention.core import softmax",
        "attention/core.py": "import numpy",
        "attention/models/bert.py": "from attention.core import softmax",
        "attention/metrics.py": "from attention.core import softmax",
        "attention/helper.py": "from attention.frames import table",
        "attention/frames.py": "import pandas\nfrom attention import metrics",
        "attention/charts/maps.py": "import altair\nfrom . import axes",
        "attention/ui.py": "import streamlit\nimport attention.charts.maps",
        "pages/learn/lesson.py": "import streamlit, pandas\nfrom attention import softmax, ui",
        "streamlit_app.py": "import streamlit",
    }
    for name, text in allowed.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert list(broken_rules(tmp_path)) == []
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
