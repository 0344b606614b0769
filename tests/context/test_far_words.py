"""How much one far word gets, by hand and on the lesson's words."""

import re

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from attention.analysis import words
from attention.context import far_words
from attention.context.far_words import FarAttention
from attention.context.frames import far_frame
from attention.context.questions import ranks_question
from tests.models import tiny


def far(model, sentences, word=far_words.KEY_WORD):
    trace = model.trace(far_words.far_text(sentences, word))
    return trace, far_words.far_attention(
        trace, words.whole_words(trace.input), far_words.QUERY_WORD, word
    )


def test_the_far_weight_is_a_cell_of_the_models_weights(model):
    trace, found = far(model, 3)
    query, key = trace.tokens.index("deposit"), trace.tokens.index("bank")
    assert (found.tokens, found.distance) == (len(trace.tokens), query - key)
    np.testing.assert_array_equal(found.weight, trace.weights[:, :, query, key])
    assert found.rank[2, 5] == 1 + sum(trace.weights[2, 5, query] > found.weight[2, 5])


def test_deposit_finds_bank_across_196_tokens(model):
    """The lesson's claim: 195 tokens earlier L2 H5 still has it among its three strongest."""
    _, found = far(model, 17)
    assert found.distance == 196
    assert found.rank[2, 5] <= 3
    assert found.weight[2, 5] == pytest.approx(0.05, abs=0.015)
    assert found.weight[2, 5] > 5 / found.tokens  # many times an even share


def test_all_of_the_text_fits_and_nothing_in_it_is_about_banks(model):
    text = far_words.far_text(len(far_words.FILLER))
    assert 350 < len(model.tokenize(text)) <= 400
    filler = " ".join(far_words.FILLER).lower()
    for word in ("bank", "money", "deposit", "cash", "account", "river", "pay", "coin", "park"):
        assert word not in filler.split()


def test_the_head_that_keeps_best_is_the_one_with_the_best_worst_weight(model):
    measured = [far(model, count)[1] for count in (0, 4)]
    layer, head = far_words.keeps_best(measured)
    worst = np.minimum(measured[0].weight, measured[1].weight)
    assert worst[layer, head] == worst.max()


def test_a_text_without_the_words_is_refused(model):
    trace = model.trace("Nothing here")
    with pytest.raises(ValueError, match="'deposit' and 'bank'"):
        far_words.far_attention(trace, words.whole_words(trace.input), "deposit", "bank")


def test_the_sweep_says_what_was_measured():
    def one(distance, weights, ranks):
        row = np.zeros((1, 2, 4))
        return FarAttention(4, distance, np.array([weights]), np.array([ranks]), row)

    measured = [one(1, [0.5, 0.1], [1, 3]), one(2, [0.4, 0.2], [1, 2])]
    controls = [one(1, [0.3, 0.0], [2, 4]), one(2, [0.2, 0.0], [2, 4])]
    sweep = far_words.FarSweep([0, 3], 3, measured, controls, (0, 1))
    assert sweep.best == (0, 0)
    assert sweep.sentence == (
        "“deposit” attends to “bank” across 2 tokens in one step: L0 H0 gives it 40.0 %, rank 1 "
        "of 4; L0 H1 20.0 %, rank 2. With “park” in its place L0 H0 gives 20.0 %, rank 2."
    )
    assert [head for _, head in sweep.series.values()] == [(0, 0), (0, 1), (0, 0)]


def test_the_longest_text_that_a_model_reads(model):
    assert far_words.longest_far_text(model) == len(far_words.FILLER)


def windowed(kind, folder):
    """Return a tiny model that has a token for each word, with a window of 60."""
    text = f"{far_words.far_text(len(far_words.FILLER))} {far_words.CONTROL_WORD}"
    known = dict.fromkeys(re.findall(r"\w+|[^\w\s]+", text))
    tiny.write(folder, kind, vocab_size=len(known) + 1, max_position_embeddings=512,
               sliding_window=60)  # fmt: skip
    vocabulary = {word: i for i, word in enumerate([*known, "[UNK]"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return tiny.loader(kind).from_folder("tiny", folder)


def test_where_every_layer_has_a_window_texts_end_with_it(tmp_path):
    decoder = windowed("mistral", tmp_path / "m")
    most = far_words.longest_far_text(decoder)
    assert far(decoder, most)[1].distance < 60 <= far(decoder, most + 1)[1].distance
    assert (far(decoder, most)[1].rank > 0).all()
    assert (far(decoder, most + 1)[1].rank == 0).all()


def test_a_head_whose_window_hides_the_far_word_has_no_figure_of_it(tmp_path):
    decoder = windowed("gemma3_text", tmp_path / "m")  # L0 and L2 have the window
    assert far_words.longest_far_text(decoder) == len(far_words.FILLER)
    counts = [0, 8]
    both = [[far(decoder, n, word)[1] for n in counts]
            for word in (far_words.KEY_WORD, far_words.CONTROL_WORD)]  # fmt: skip
    sweep = far_words.FarSweep(counts, 8, *both, (0, 1))
    assert sweep.best[0] == 1
    assert "L0 H1 cannot attend so far: its window hides it." in sweep.sentence
    drawn = far_frame({"own": sweep.series["L0 H1, your choice"]})
    assert drawn["rank"].isna().tolist() == drawn["weight"].isna().tolist() == [False, True]
    within = sum(1 <= rank <= 10 for rank in sweep.chosen.rank.ravel())
    question = ranks_question(sweep.chosen)
    assert f"It is in {within} of 12 heads" in question.because
    assert "8 because the window of their layer hides it" in question.because
