"""Text in a real browser: what is typed stays text, and what is copied holds nothing invisible."""

import json
import random

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

LOOK = """(samples, [place, made]) => samples.map((sample) => {
  const box = sample.querySelector(place);
  return [box.textContent, box.querySelectorAll(made).length];
})"""


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
    place = PLACES.get(kind, "[data-testid=stMarkdownContainer]")
    boxes = page.locator("[class*=st-key-sample]")
    expect(boxes).to_have_count(len(samples()))
    shown = boxes.evaluate_all(LOOK, [place, MADE])
    for sample, (text, made) in zip(samples(), shown, strict=True):
        text, wanted = " ".join(text.split()), " ".join(sample.split())
        if kind == "mixed":
            assert text.startswith(f"of {wanted} in home"), sample
        else:
            assert text.removeprefix("check").strip() == wanted, sample
            assert made == 0, sample
