"""Pictures of notebooks as pages of their own: clicked and pointed at, without any server."""

import json

import altair as alt
import numpy as np
import pytest

import attention
from attention import plot
from attention.analysis.words import Unit, View
from tests.optional import with_renderer

pytestmark = with_renderer


@pytest.fixture
def open_file(browser):
    contexts = []

    def open_file(path):
        context = browser.new_context(offline=True, viewport={"width": 1200, "height": 700})
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("console", lambda message: page.problems.append(message.text))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto(path.as_uri())
        page.locator("svg.marks").first.wait_for()
        return page

    yield open_file
    for context in contexts:
        context.close()


def told(page, cell):
    """Return what stands beside the pointer."""
    cell.hover()
    page.locator("#vg-tooltip-element.visible").wait_for()
    rows = page.locator("#vg-tooltip-element tr").all_inner_texts()
    return dict(row.replace("\n", "").split("\t") for row in rows)


def test_a_head_that_is_clicked_is_drawn_with_its_numbers(cat_trace, cat_view, tmp_path, open_file):
    page = open_file(plot.save(plot.head_grid(cat_trace), tmp_path / "grid.html"))
    pictures = page.locator("svg image")
    assert pictures.count() == 72
    for layer, head in ((3, 1), (5, 11)):
        pictures.nth(12 * layer + head).click()
        page.locator("svg text", has_text=f"L{layer} H{head}").wait_for()
        cells = page.locator("svg .concat_1_marks path")
        assert cells.count() == 144
        found = told(page, cells.nth(8 * 12 + 2))
        weight = cat_view.weights[layer, head, 8, 2]
        assert found == {"query": "it", "key": "cat", "weight": f"{weight:.3f}"}
    assert page.problems == []


def test_what_a_mask_hides_has_no_cell(tmp_path, open_file):
    units = tuple(Unit(str(i), (i,), False) for i in range(6))
    weights = np.tril(np.full((2, 1, 6, 6), 0.1))
    seen = View(units, weights, weights[..., 0], is_causal=True, windows=(3, None))
    page = open_file(plot.save(plot.head_grid(seen), tmp_path / "grid.html"))
    for layer, cells in enumerate((1 + 2 + 4 * 3, 21)):
        page.locator("svg image").nth(layer).click()
        page.locator("svg text", has_text=f"L{layer} H0").wait_for()
        assert page.locator("svg .concat_1_marks path").count() == cells
    assert page.problems == []


def test_a_word_that_is_clicked_is_the_query(cat_trace, tmp_path, open_file):
    page = open_file(plot.save(plot.links(cat_trace, query="it"), tmp_path / "links.html"))
    figures = page.locator("svg text").all_text_contents()
    page.locator("svg text", has_text="mat").first.click(force=True)  # the ground takes it
    page.wait_for_timeout(300)
    assert page.locator("svg text").all_text_contents() != figures
    assert page.problems == []


# What Jupyter and VS Code do with an output: put it into their page, and run its scripts there.
NOTEBOOK = """<!DOCTYPE html><meta charset="utf-8"><body><script>
for (const output of OUTPUTS) {
  const place = document.body.appendChild(document.createElement("div"));
  place.innerHTML = output;
  for (const script of place.querySelectorAll("script")) {
    const run = document.createElement("script");
    run.text = script.textContent;
    script.replaceWith(run);
  }
}
</script>"""


@pytest.fixture
def ending_trace():
    """Return a trace of words that would end a script."""
    words = ["</script>", "<!--<script>"]
    return attention.Trace.from_weights(words, np.full((1, 1, 2, 2), 0.5))


def test_every_figure_of_a_notebook_is_drawn(cat_trace, ending_trace, tmp_path, open_file):
    with alt.renderers.enable("default"):
        plot.offline()
        charts = plot.rows(cat_trace), plot.links(cat_trace), plot.head_map(ending_trace)
        outputs = [chart._repr_mimebundle_()["text/html"] for chart in charts]
    literal = json.dumps(outputs).replace("<", "\\u003c")
    notebook = tmp_path / "notebook.html"
    notebook.write_text(NOTEBOOK.replace("OUTPUTS", literal), encoding="utf-8")
    page = open_file(notebook)
    page.locator("svg.marks").nth(2).wait_for()
    assert page.get_by_text("A script draws").count() == 0
    assert page.locator("svg text", has_text="</script>").count() == 2  # a query and a key
    assert page.problems == []


def test_no_word_ends_the_script_of_a_file(ending_trace, tmp_path, open_file):
    page = open_file(plot.save(plot.head_map(ending_trace), tmp_path / "map.html"))
    assert page.locator("svg text", has_text="</script>").count() == 2
    assert page.problems == []
