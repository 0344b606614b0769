"""The lesson's story: its sentences, and the tables and charts of its pictures."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from attention.analysis import words
from attention.lesson import story, story_charts, story_frames, takeaways
from attention.lesson.takeaways import LessonExample
from attention.models.llama import Llama
from attention.pipeline import steps
from tests.models import tiny, tiny_tokenizers

BEFORE, AFTER = story.before_and_after()


@pytest.fixture(scope="module")
def example(cat_trace, cat_view):
    return LessonExample(cat_trace, cat_view, query=8, key=2, layer=3, head=1)


def frames(example):
    left = np.geomspace(1, 0.01, len(story.way(example)))
    return {
        story_charts.handed_on: story_frames.handed_frame(example, left),
        story_charts.fan: story_frames.fan_frame(example),
        story_charts.products: story_frames.products_frame(example),
        story_charts.average: story_frames.average_frame(example),
        story_charts.all_pairs: story_frames.price_frame_of(example),
    }


def test_the_figures_by_hand(example):
    relay, fan, products, average, learned, price = story.story(example, 0.059, AFTER)
    assert "Of “cat”, 5.9 % is left at “it”, 6 words on" in relay.text
    assert "“it” and “cat”: 1 step" in fan.text
    score = example.trace.query[3, 1, 8] @ example.trace.key[3, 1, 2] / np.sqrt(32)
    assert f"a score, {score:.2f}; softmax makes it a weight, 0.49" in products.text
    assert "49 % cat, 20 % [CLS], 14 % mat" in average.text
    own = AFTER.weights[:, 0].diagonal().mean()
    assert f"begins with 1/8 for each; after 100 steps of learning the right one has {own:.0%}" in (
        learned.text.replace(" %", "%")
    )
    assert "Each of 12 tokens meets each: 144 weights in a head" in price.text
    assert "Twice the text takes 576" in price.text


def test_links_lead_to_steps_and_tokens_that_are_there(example):
    link = story.story(example, 1.0, AFTER)[2].link
    assert link.state["step"] in {step.key for step in steps.ENCODER_STEPS}
    assert (link.state["word"], link.state["reads"]) == ("8", "2")  # it, cat


def test_one_word_hands_nothing_on(model):
    trace = model.trace("Cats")
    view = words.view(trace, special=False)
    alone = LessonExample(trace, view, query=0, key=0, layer=0, head=0)
    assert "nothing to hand on" in story.story(alone, 1.0, AFTER)[0].text
    assert all(len(frame) for frame in frames(alone).values())


def test_a_special_token_is_no_word_on_the_way(cat_trace, cat_view):
    cls = LessonExample(cat_trace, cat_view, query=0, key=2, layer=3, head=1)
    assert story.way(cls) == [1, 2]
    both = LessonExample(cat_trace, cat_view, query=0, key=0, layer=3, head=1)
    assert story.way(both) == [1]


def test_a_decoder_is_told_what_its_mask_leaves(tmp_path):
    llama = Llama.from_folder("tiny", tiny.write(tmp_path / "tiny", "llama"))
    trace = llama.trace("the cat sat on the mat")
    example = LessonExample(trace, words.view(trace), query=4, key=1, layer=1, head=3)
    _, fan, products, *_, price = story.story(example, 0.5, AFTER)
    assert "every earlier word" in fan.text
    assert "21 weights" in price.text
    assert "78" in price.text
    score = trace.query[1, 3, 4] @ trace.key[1, 1, 1] / 2  # head 3 uses shared head 1
    assert f"a score, {score:.2f};" in products.text
    table = story_frames.products_frame(example)
    assert table.loc[table["r"] == 2, "value"].sum() / 2 == pytest.approx(float(score), abs=1e-5)
    assert set(story_frames.fan_frame(example)["key"]) == {"the", "cat", "sat", "on"}


@pytest.mark.parametrize(("layer", "reach"), [(0, "here up to 4 tokens back"), (1, "however far")])
def test_a_window_is_told_where_the_layer_has_one(tmp_path, layer, reach):
    folder = tiny.write(tmp_path / "m", "gemma3_text")
    trace = (
        tiny.loader("gemma3_text").from_folder("tiny", folder).trace("the cat sat on the mat it")
    )
    example = LessonExample(trace, words.view(trace), query=6, key=4, layer=layer, head=2)
    _, fan, products, _, _, price = story.story(example, 0.5, AFTER)
    assert reach in fan.text
    assert f"a score, {trace.scores[layer, 2, 6, 4]:.2f}; softmax" in products.text
    assert f"{np.isfinite(trace.scores[layer, 2]).sum()} weights in a head" in price.text


def test_white_space_is_no_word_in_between(tmp_path):
    folder = tiny_tokenizers.write_model(tmp_path / "m", "llama", "bytes")
    trace = Llama.from_folder("tiny", folder).trace("the cat\n\nsat")
    example = LessonExample(trace, words.view(trace), query=4, key=0, layer=0, head=0)
    assert "Of “the”, 50 % is left at “sat”, 2 words on" in story.story(example, 0.5, AFTER)[0].text


def test_the_pictures_hold_the_models_numbers(example):
    drawn = frames(example)
    average = drawn[story_charts.average]
    assert average["weight"].sum() == pytest.approx(1, abs=1e-5)
    assert average["key"].iloc[0] == "cat"
    pairs = drawn[story_charts.all_pairs]["weight"].to_numpy().reshape(12, 12)
    assert np.allclose(pairs, example.trace.weights[3, 1], atol=1e-6)
    handed = drawn[story_charts.handed_on]["word"]
    assert " ".join(handed) == "cat sat on the mat because it"


def test_a_long_text_is_drawn_in_bins(model):
    trace = model.trace("the cat sat on the mat " * 50)
    view = words.view(trace)
    example = takeaways.example_of(trace, view, (200, 8, 3, 1), 200)
    drawn = frames(example)
    assert len(drawn[story_charts.all_pairs]) == 24 * 24
    assert drawn[story_charts.all_pairs]["weight"].mean() == pytest.approx(1 / 302, rel=0.05)
    assert all(len(frame) <= 32 for name, frame in drawn.items()
               if name not in (story_charts.all_pairs, story_charts.products))  # fmt: skip


@pytest.mark.parametrize(
    "build",
    [
        story_charts.handed_on,
        story_charts.fan,
        story_charts.products,
        story_charts.average,
        story_charts.all_pairs,
    ],
)
def test_a_chart_uses_its_tables_columns_and_not_its_rows(build, example):
    table, specs = frames(example)[build], []
    for rows in (table, pd.DataFrame(columns=table.columns)):
        spec = build(rows).to_dict()
        text = json.dumps(spec)
        made = set(re.findall(r'"as": "([^"]+)"', text))
        assert set(re.findall(r'"field": "([^"]+)"', text)) - made <= set(table.columns)
        del spec["data"], spec["datasets"]
        specs.append(re.sub(r"view_[0-9a-f]+", "view", json.dumps(spec)))
    assert specs[0] == specs[1]
