import numpy as np
import pytest

from attention import blend, presets
from attention.analysis import embeddings, words
from attention.models.bert import Bert
from attention.models.llama import Llama
from tests.models import tiny_tokenizers


def test_parts_add_up_to_the_cosine():
    rng = np.random.default_rng(0)
    contributions, directions = rng.standard_normal((5, 7)), rng.standard_normal((3, 7))
    total = contributions.sum(axis=0)
    cosine = [total @ d / np.linalg.norm(total) / np.linalg.norm(d) for d in directions]
    assert np.allclose(embeddings.cosine_parts(contributions, directions).sum(axis=0), cosine)


def test_parts_of_a_zero_blend_are_zero():
    cancelling = np.array([[1.0, 2.0], [-1.0, -2.0]])
    assert not embeddings.cosine_parts(cancelling, np.ones((2, 2))).any()


def test_the_lessons_blend_means_money(model):
    """The figures of the lesson: what the embedding space says about its weights."""
    view = words.view(model.trace(presets.BANK.text), special=False)
    values = embeddings.unit_vectors(model, model.tokenize(presets.BANK.text), view.units)
    weights = np.array(presets.illustrative_weights(presets.BANK, view.labels))
    nearest = embeddings.nearest_words(model, blend(weights, values).output, 9)
    assert [word for word, _ in nearest][:5] == ["deposit", "money", "bank", "deposits", "banks"]
    assert nearest[0][1] == pytest.approx(0.74, abs=0.01)


def test_nearest_words_agree_with_a_loop(model):
    vector = embeddings.word_vector(model, "river")
    vocabulary = [w for w in model.tokenizer.get_vocab() if w.isalpha()]
    table = model.word_embeddings
    norm = np.linalg.norm

    def cosine(word):
        other = table[model.tokenizer.token_to_id(word)]
        return float(other @ vector / norm(other) / norm(vector))

    expected = sorted(vocabulary, key=cosine, reverse=True)[:4]
    assert [word for word, _ in embeddings.nearest_words(model, vector, 4)] == expected
    assert embeddings.nearest_words(model, vector, 1)[0][1] == pytest.approx(1)


def test_nearest_words_to_nothing(model):
    assert embeddings.nearest_words(model, np.zeros(384, np.float32), 3) == ()


def test_word_vector_is_the_mean_of_its_pieces(model):
    ids = model.tokenizer.encode("unbelievability", add_special_tokens=False).ids
    assert len(ids) > 1
    expected = model.word_embeddings[ids].mean(axis=0)
    assert np.array_equal(embeddings.word_vector(model, "unbelievability"), expected)


def test_word_without_a_token_is_refused(model):
    with pytest.raises(ValueError, match="no token"):
        embeddings.word_vector(model, "\u200b")


def test_too_many_words_are_refused_with_both_numbers():
    with pytest.raises(ValueError, match=r"3 words.*2"):
        embeddings.parse_words("a, b, c", most=2)


@pytest.mark.parametrize("kind", ["sentencepiece", "metaspace", "no prefix", "bytes"])
def test_words_are_found_whatever_sign_stands_for_the_space_before_them(tmp_path, kind):
    folder = tiny_tokenizers.write_model(tmp_path / "m", "llama", kind)
    llama = Llama.from_folder("tiny", folder)
    vector = embeddings.word_vector(llama, "river")
    space = "Ġ" if kind == "bytes" else "▁"
    own = llama.word_embeddings[llama.tokenizer.token_to_id(f"{space}river")]
    assert np.array_equal(vector, own)
    assert embeddings.nearest_words(llama, vector, 1)[0][0] == "river"


def test_a_small_vocabulary_gives_as_many_words_as_it_has(tmp_path):
    bert = Bert.from_folder("tiny", tiny_tokenizers.write_model(tmp_path / "m", "bert", "unigram"))
    vector = embeddings.word_vector(bert, "river")
    assert len(embeddings.nearest_words(bert, vector, 50)) == len(tiny_tokenizers.WORDS)
