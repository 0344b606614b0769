"""The notebook runs from top to bottom in a kernel of its own, and every figure in it is drawn."""

import json
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.optional import with_renderer

TOUR = Path(__file__).with_name("tour.ipynb")
ROOT = Path(__file__).parents[2]

with_kernel = pytest.mark.skipif(
    find_spec("nbclient") is None or find_spec("ipykernel") is None,
    reason='nothing runs notebooks: pip install -e ".[test]"',
)


@with_kernel
@with_renderer
@pytest.mark.slow
def test_the_tour_runs(tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(TOUR, as_version=4)
    client = NotebookClient(notebook, timeout=120, kernel_name="python3")
    client.execute()
    shown = [data for cell in notebook.cells for data in outputs(cell)]
    pages = [data["text/html"] for data in shown if "<script>" in data.get("text/html", "")]
    assert len(pages) == sum(
        len(re.findall(r"^plot\.[a-np-z]", source, re.M)) for source in codes()
    )
    assert not any(re.search(r"<(script|link)[^>]+(src|href)=", page) for page in pages)
    texts = [data.get("text/plain", "") for data in shown]
    assert "(0.49, 0.11)" in texts
    assert any("Trace of minilm: 12 tokens" in data.get("text/html", "") for data in shown)
    printed = [out["text"] for cell in notebook.cells for out in cell.get("outputs", ())
               if out["output_type"] == "stream"]  # fmt: skip
    assert printed == ["it.svg True\n"]


def outputs(cell):
    return [out["data"] for out in cell.get("outputs", ()) if "data" in out]


def codes():
    cells = json.loads(TOUR.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def test_the_tour_is_kept_without_outputs():
    cells = json.loads(TOUR.read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


def test_the_tour_shows_every_picture():
    from attention import plot

    used = set(re.findall(r"plot\.(\w+)", "\n".join(codes())))
    assert used == set(plot.__all__) - {"drawn"}  # that draws a table of one's own
