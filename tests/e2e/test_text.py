"""Text in a real browser: what is typed stays text, and what is copied holds nothing invisible."""

import json
import random
import re

import pytest

from tests.e2e.live import ROOT, serve
from tests.e2e.page import expect

SCRIPT = f"""
import json, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from attention import ui

st.title("Samples")
show = {{
    "markdown": lambda text, i: st.markdown(text),
    "mixed": lambda text, i: st.markdown(f"**of** {{text}} `in` :material/home: $x^2$ :cat2:"),
    "info": lambda text, i: st.info(text),
    "caption": lambda text, i: st.caption(text),
    "heading": lambda text, i: st.subheader(text),
    "slider": lambda text, i: st.slider(text, 0, 1, key=str(i)),
    "table": lambda text, i: st.markdown(f"| a |\\n| --- |\\n| {{text}} |"),
}}
for i, sample in enumerate(json.loads(Path("samples.json").read_text())):
    with st.container(key=f"sample{{i}}"):
        if (kind := st.query_params["kind"]) == "badge":
            ui.show_check(sample, True)
        else:
            show[kind](ui.escape_markdown(sample), i)
"""
SAMPLES = (
    "0.68", "−1.5 and 1e-3", "**b** __b__ *i* _i_ ~~d~~", "$x$ and $y$", "`code`", "# h", "1. one",
    "1) one", "- a", "+ a", "> q", ":red[hi]", ":green-badge[x]", ":color[x]", "::a[b]{c=d}",
    ":smile: :+1: :-1:", ":material/home:", ":material_home:", ":streamlit:", "12:30:15", "a:b:c",
    "http://example.com/x", "https://a.b/c?d=e&f", "www.example.com", "me@example.com", "<b>x</b>",
    "<!-- x -->", "&amp; &#58;", "a -> b", "->", "<- x", "a <-> b", "--", "a -- b", ">= 3",
    "a <= b", "~=", ":->", "[a](http://x)", "![a](http://x)", "[^1]: x", "| a | b |", "---", "===",
    "a\\b", "L5 H11: “it” reads “cat” (0.68)", "<E4><BD>", "[UNK] 😀", "␣the ⏎",
)  # fmt: skip
ALPHABET = "ab1 :-<>~=.@w/[]{}()*_`#$&!|\\+^\"'"
PLACES = {
    "badge": ".stMarkdownBadge",
    "heading": "h3",
    "table": "td",
    "caption": "[data-testid=stCaptionContainer]",
}
# What Markdown would have made of it; the icon and the formula of "mixed" are not in the text.
MADE = "a[href^=http], a[href^=mailto], em, del, img, ul, ol, blockquote, hr, input[type=checkbox]"


def samples():
    rng = random.Random(0)
    made = ("".join(rng.choices(ALPHABET, k=rng.randint(1, 14))) for _ in range(150))
    return [*SAMPLES, *(text for text in made if text.strip())]


@pytest.fixture(scope="module")
def samples_server(tmp_path_factory):
    """Serve a page that shows each sample, escaped as the dashboard does it."""
    folder = tmp_path_factory.mktemp("samples")
    (folder / "page.py").write_text(SCRIPT)
    (folder / "samples.json").write_text(json.dumps(samples()))
    with serve(folder / "log.txt", folder / "page.py") as url:
        yield url


@pytest.mark.parametrize(
    "kind", ["markdown", "mixed", "info", "caption", "heading", "slider", "table", "badge"]
)
def test_any_text_is_shown_and_copied_letter_for_letter(samples_server, open_page, kind):
    page = open_page(f"/?kind={kind}", base=samples_server)
    expect(page.locator("[class*=st-key-sample]")).to_have_count(len(samples()))
    for i, sample in enumerate(samples()):
        place = PLACES.get(kind, "[data-testid=stMarkdownContainer]")
        box = page.locator(f".st-key-sample{i} {place}").first
        text = " ".join(box.text_content().split())
        wanted = " ".join(sample.split())
        if kind == "mixed":
            assert text.startswith(f"of {wanted} in home"), sample
        else:
            assert text.removeprefix("check").strip() == wanted, sample
            assert box.locator(MADE).count() == 0, sample


PAGES = (
    "/lesson", "/explorer", "/pipeline", "/context", "/visualizer", "/heads",
    "/interventions?model=minilm&do=Cut&edits=cut_q2_k1", "/scaling",
)  # fmt: skip
UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")


# KaTeX puts a zero-width space into the frame of a formula; it is no part of what it spells.
WITHOUT_FORMULAS = """element => {
  const copy = element.cloneNode(true);
  copy.querySelectorAll(".katex").forEach(formula => formula.remove());
  return copy.textContent;
}"""


@pytest.mark.parametrize("path", PAGES)
def test_nothing_that_can_be_copied_is_invisible(open_page, path):
    page = open_page("/" if path == "/lesson" else path)
    text = page.get_by_test_id("stApp").evaluate(WITHOUT_FORMULAS)
    assert page.locator("h1").inner_text() in text
    assert not UNSEEN.search(text)
