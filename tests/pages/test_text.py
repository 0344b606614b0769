"""What pages say of words and characters: with every page and tab, and tokenizers of each kind."""

import re
import unicodedata

import numpy as np
import pytest

import attention
from attention.models import registry
from tests.models import tiny_tokenizers
from tests.models.offered import offered
from tests.optional import with_smollm2
from tests.pages.app import healthy, open_page, sentence
from tests.pages.reader import plain, texts
from tests.pages.test_architectures import TABS

pytestmark = pytest.mark.slow

PAGES = sorted({page for page, _, _ in TABS})
TEXT = "The cat sat\n\n\ton مر 你 ❤️ the\u00admat\u200b it <0x0A> ␣ 1"
EMOJI = "The cat 😀 sat on the mat 😡 it was 😀"
SIGNS = "ĠĊĉ▁ðØÙâ"  # spaces and bytes in vocabularies, and what bytes of TEXT look like there
MODELS = {  # name -> architecture and tokenizer; pages keep models by their names
    "spelled-llama": ("llama", "sentencepiece"),
    "spelled-gpt2": ("gpt2", "bytes"),
    "spelled-bert": ("bert", "unigram"),
    "spelled-words": ("bert", "words"),
}


@pytest.fixture(scope="module")
def tiny_models(tmp_path_factory):
    """Put models with tokenizers of different kinds where the registry looks for the reader's."""
    folder = tmp_path_factory.mktemp("models")
    for name, kinds in MODELS.items():
        tiny_tokenizers.write_model(folder / name, *kinds)
    with offered(folder):
        yield


def format_characters(text):
    """Return the characters that nobody sees, those that part lines aside."""
    return {c for c in text if unicodedata.category(c) in ("Cf", "Cc") and c not in "\n\t"}


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("minilm", "true"),
        ("spelled-llama", "false"),
        ("spelled-gpt2", "true"),
        ("spelled-bert", "false"),
    ],
)
@pytest.mark.parametrize(("page", "key", "tab"), TABS)
def test_no_page_adds_what_cannot_be_seen_or_spells_as_a_vocabulary_does(
    tiny_models, page, key, tab, model, words
):
    app = open_page(page, model=model, q=TEXT, words=words, **{key: tab})
    assert app.selectbox(key="model").value == model
    for text in texts(app):
        assert not format_characters(text) - set(TEXT), text
        assert not set(text) & set(SIGNS), text


@with_smollm2
@pytest.mark.parametrize(("page", "key", "tab"), [t for t in TABS if "Arbitrary range" not in t])
def test_smollm2s_tokens_are_spelled_as_text(page, key, tab):
    app = open_page(page, model=registry.SMOLLM2, q=TEXT, words="false", **{key: tab})
    for text in texts(app):
        assert not set(text) & set(SIGNS), text


@pytest.mark.parametrize("page", PAGES)
def test_words_without_a_token_are_named_once_and_marked(page):
    app = open_page(page, q=EMOJI, model="minilm")
    told = [plain(c.value) for c in app.caption if "no token" in c.value]
    assert len(told) == 1
    assert told[0].endswith(
        "minilm has no token for 😀, 😡: it sees them as the same unknown word."
    )
    assert any("[UNK] 😡" in text for text in texts(app))


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_said_where_every_word_has_a_token(page):
    app = open_page(page, q="The cat sat", model="minilm")
    assert not any("no token" in caption.value for caption in app.caption)


def test_the_one_unknown_word_is_not_compared_with_others():
    app = open_page("pages/explore/heads.py", q="The cat 😀")
    (told,) = [plain(c.value) for c in app.caption if "no token" in c.value]
    assert told.endswith("minilm has no token for 😀: it sees it as an unknown word.")


def test_unknown_words_of_other_texts_are_named_too():
    app = open_page("pages/learn/context.py", view="Data-dependent", first="a 😀 cat")
    assert any("no token for 😀:" in plain(c.value) for c in app.caption)


def test_long_and_many_unknown_words_make_a_short_sentence():
    text = " ".join(["ก" * 500, *(chr(0x1F600 + i) for i in range(40))])
    app = open_page("pages/explore/heads.py", q=text)
    (told,) = [plain(c.value) for c in app.caption if "no token" in c.value]
    assert "ก…, " in told
    assert "and 29 more" in told
    assert len(told) < 250


@pytest.mark.parametrize(("page", "key", "tab"), TABS)
def test_a_hostile_text_stays_text_on_every_tab(page, key, tab):
    hostile = "**b** $x$ :red[hi] <b>d</b> :smile: [a](http://x.yz) it"
    app = open_page(page, q=hostile, **{key: tab})
    boxes = (*app.markdown, *app.info, *app.caption, *app.subheader, *app.warning)
    raw = re.compile(r"\*\*b\*\*|(?<!\\)\$x|:red\[|<b>|:smile:|\]\(http")
    assert not [box.value for box in boxes if raw.search(box.value)]


# Interventions


@pytest.mark.parametrize(
    ("words", "special", "told"),
    [
        ("true", "true", "cut from 10 it to 2 trophy, 4 wouldn't, in every head"),
        ("true", "false", "cut from 9 it to 1 trophy, 3 wouldn't, in every head"),
        ("false", "true", "cut from 12 it to 2 trophy, 4 wouldn, 5 ', 6 t, in every head"),
    ],
)
def test_edits_are_told_with_the_numbers_of_the_picker(words, special, told):
    text = "The trophy just wouldn't fit in the suitcase because it was"
    app = open_page(
        "pages/explore/interventions.py",
        model="minilm", do="Cut", q=text, words=words, special=special, edits="cut_q12_k2.4-6",
    )  # fmt: skip
    assert app.text[0].value == f"1. {told}"


def test_a_part_of_a_word_and_a_token_that_is_not_shown_are_told_as_such():
    app = open_page(
        "pages/explore/interventions.py",
        model="minilm", do="Cut", q="It wouldn't fit", special="false", edits="cut_q4_k0.2",
    )  # fmt: skip
    assert "cut from t of 1 wouldn't to [CLS], wouldn of 1 wouldn't" in app.text[0].value


# Texts that are refused or empty


def test_before_any_sentence_fitted_the_example_is_called_one():
    app = open_page("pages/explore/heads.py", q="a " * 600)
    assert "Below is an example" in app.warning[0].value
    healthy(app.toggle(key="words").set_value(False).run())
    assert "Below is an example" in app.warning[0].value


def test_an_empty_text_is_no_sentence_that_fitted():
    app = open_page("pages/explore/heads.py", q="The dog ran home")
    healthy(sentence(app).set_value("").run())
    assert not app.warning
    healthy(sentence(app).set_value("a " * 600).run())
    assert "still the last sentence that fitted" in app.warning[0].value
    assert any("dog" in text for text in texts(app))
    assert not any("There is no word" in info.value for info in app.info)


@pytest.mark.parametrize("text", [" ", "\n\n", "\t"])
def test_white_space_alone_is_no_word_in_any_model(tiny_models, text):
    for model in MODELS:
        app = open_page("pages/explore/heads.py", model=model, q=text)
        assert app.info[0].value.startswith("There is no word")


def test_next_words_are_shown_with_their_spaces(tiny_models):
    app = open_page("pages/explore/interventions.py", model="spelled-llama", q="The cat")
    model = attention.load_model("spelled-llama")
    best = int(np.argmax(model.trace("The cat").next_logits))
    assert any(model.label(best) in text for text in texts(app))
