"""A page in public: no reader names a path, loads what is not offered, or reads without end."""

from time import perf_counter

import pytest

import attention
from attention.edits import Patch
from attention.edits.codes import encode
from attention.models.transformer import Transformer
from attention.runtime import limits
from tests.pages.app import (
    CONTEXT,
    HEADS,
    INTERVENTIONS,
    LESSON,
    TRANSLATION,
    VISUALIZER,
    healthy,
    open_page,
    sentence,
)

PATHS = [
    "/etc/passwd",
    "../../attention/models/minilm",
    "~/models",
    "file:///etc/passwd",
    "minilm'",
]
LONG = "the cat sat " * 12


@pytest.mark.parametrize("path", PATHS)
def test_a_path_in_the_address_is_no_model(path):
    app = open_page(VISUALIZER, model=path)
    assert app.selectbox(key="model").value == "minilm"
    assert path not in app.selectbox(key="model").options


def test_a_path_in_the_address_is_no_translator():
    app = open_page(TRANSLATION, translator="/etc/passwd")
    assert app.selectbox(key="translator").value == "en-pt"


@pytest.mark.parametrize("page", [LESSON, VISUALIZER, HEADS, CONTEXT, INTERVENTIONS, TRANSLATION])
def test_a_text_of_more_tokens_than_the_server_allows_is_refused(page, monkeypatch):
    monkeypatch.setenv(limits.TOKENS_ALLOWED, "30")
    app = open_page(page, q="the cat " * 20)
    told = " ".join(warning.value.replace("\\", "") for warning in app.warning)
    assert "tokens; this server reads at most 30." in told
    assert "the cat the cat" in sentence(app).value


@pytest.mark.parametrize(
    ("page", "params"),
    [
        (INTERVENTIONS, {"do": "patch", "patch_text": LONG}),
        (INTERVENTIONS, {"do": "cut", "edits": encode((Patch(LONG, "head"),))}),
        (CONTEXT, {"view": "pair", "first": LONG}),
        (CONTEXT, {"view": "changed", "second": LONG}),
    ],
)
def test_so_is_a_second_text(page, params, monkeypatch):
    monkeypatch.setenv(limits.TOKENS_ALLOWED, "30")
    app = open_page(page, model="minilm", **params)
    told = " ".join(warning.value.replace("\\", "") for warning in app.warning)
    assert "The text has 38 tokens; this server reads at most 30." in told


@pytest.mark.slow
def test_edits_that_would_take_long_are_refused():
    many = "~".join(["add_a1"] * 256)
    app = open_page(INTERVENTIONS, model="minilm", do="cut", q="the cat " * 200, edits=many)
    told = " ".join(warning.value.replace("\\", "") for warning in app.warning)
    cells = 72 * 402**2 * 256
    assert f"they change {cells:,} weights" in told


def test_so_is_one_that_no_patch_can_hold():
    app = open_page(INTERVENTIONS, model="minilm", do="patch", patch_text="x" * 6_000)
    told = " ".join(warning.value.replace("\\", "") for warning in app.warning)
    assert "The text has 6,000 characters; at most 4,000 are put in." in told


@pytest.mark.parametrize(
    ("page", "params"),
    [(VISUALIZER, {}), (HEADS, {}), (CONTEXT, {}), (INTERVENTIONS, {"do": "matter"})],
)
def test_a_page_runs_a_long_text_once_unasked(page, params, monkeypatch):
    done, run = [], Transformer._run_layer

    def counted(self, share, layer, edits, arrays):
        done.append(arrays.weights.shape[0] * arrays.weights.shape[2])
        run(self, share, layer, edits, arrays)

    monkeypatch.setattr(Transformer, "_run_layer", counted)
    text = f"on the page {page} " + "the cat sat on the mat " * 12
    trace = attention.load_model().trace(text)
    whole, done[:] = sum(done), []
    open_page(page, q=text, model="minilm", **params)
    assert len(trace.tokens) > 80
    assert 0 < sum(done) <= whole


@pytest.mark.parametrize("page", [VISUALIZER, TRANSLATION])
def test_a_text_without_end_is_refused_before_it_is_read(page):
    app = open_page(page)
    start = perf_counter()
    healthy(sentence(app).set_value("cat " * 1_000_000).run())
    assert perf_counter() - start < 5
    told = " ".join(warning.value.replace("\\", "") for warning in app.warning)
    assert "has 4,000,000 characters; at most 50,000 are looked at." in told
    assert len(sentence(app).value) < 100
