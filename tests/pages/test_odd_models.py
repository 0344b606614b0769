"""Every page and tab with models of unusual sizes and tokenizers, and with texts that they read."""

import pytest

from tests.models import odd
from tests.models.offered import offered
from tests.pages.app import CONTEXT, EXPLORER, HEADS, LESSON, PIPELINE, VISUALIZER, open_page
from tests.pages.test_architectures import TABS

pytestmark = pytest.mark.slow

TEXT = "the cat sat on the mat it was"
MORE_TABS = (
    (LESSON, "pair_score", "true"),
    (EXPLORER, "start", "The lesson's weights"),
    (EXPLORER, "blended", "own"),
    (PIPELINE, "step", "Scale"),
    (CONTEXT, "view", "Cost"),
    (HEADS, "more", "Beside another model"),
    (VISUALIZER, "second", "true"),
)


@pytest.fixture(scope="module", autouse=True)
def odd_models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    odd.write_all(folder)
    with offered(folder):
        yield


def with_texts():
    """Give every tab with every model, and one of two more texts: of each kind each tab has both.

    One is a word; the other, None, the page's own, which may be too long.
    """
    for i, at in enumerate(TABS + MORE_TABS):
        for j, name in enumerate(odd.NAMES):
            yield *at, name, ("cat", None)[(i + j) % 2]


@pytest.mark.parametrize(("page", "key", "tab", "name", "other"), [*with_texts()])
def test_every_tab_opens(page, key, tab, name, other):
    for text in (TEXT, other):
        params = {} if text is None else {"q": text}
        app = open_page(page, model=name, **params, **{key: tab})
        assert app.title


@pytest.mark.parametrize("page", [PIPELINE, VISUALIZER])
def test_one_layer_and_one_head_are_said_and_have_no_slider(page):
    app = open_page(page, model="one-gpt2", q=TEXT)
    assert not [s for s in app.slider if s.key in ("layer", "head")]
    assert [c.value for c in app.caption if "there is only one" in c.value] == [
        "Layer 0: there is only one.",
        "Head 0: there is only one.",
    ]


def test_one_number_a_head_has_no_slider_for_the_column():
    app = open_page(PIPELINE, model="thin-bert", q=TEXT, receipt="The output number")
    assert "column" not in [slider.key for slider in app.slider]
    assert any("Output column e 0" in caption.value for caption in app.caption)


def test_examples_that_a_model_cannot_read_are_told_with_the_numbers():
    app = open_page(LESSON, model="spanning-llama", q=TEXT)
    assert any("at most 16" in w.value and "one that fits" in w.value for w in app.warning)
    app = open_page(CONTEXT, model="spanning-llama", view="Data-dependent")
    assert len([w for w in app.warning if "at most 16" in w.value]) == 2


def test_pairs_are_offered_whose_words_the_model_finds():
    """Its tokens join “it was”: there is no pronoun to look at in most of them."""
    app = open_page(LESSON, model="spanning-bert", q=TEXT)
    offered_pairs = app.selectbox(key="_pair").options
    assert offered_pairs
    assert not any("it was" in pair for pair in offered_pairs)
    assert len(open_page(LESSON).selectbox(key="_pair").options) == 46


def test_words_that_a_tokenizer_joins_are_not_looked_for_far_apart():
    app = open_page(CONTEXT, model="one-token-bert", view="Arbitrary range")
    assert "as two words with sentences between them" in app.info[-1].value
