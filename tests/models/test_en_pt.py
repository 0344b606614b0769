"""The embedded translator: the words of another engine, and what its lines of attention carry."""

import json
from pathlib import Path

import pytest

import attention
from attention.edits import Cut, CutHeads

GOLDEN = Path(__file__).parents[1] / "golden" / "en_pt.json"

RIVER = "The bank by the river was steep."
AGREEMENT = "The agreement on the European Economic Area was signed in August 1992."
CHAIR = "The chair broke because it was old."


@pytest.fixture(scope="module")
def pair():
    return attention.load_translator("en-pt")


@pytest.mark.slow
@pytest.mark.parametrize("golden", json.loads(GOLDEN.read_text()), ids=lambda one: one["en"][:40])
def test_a_sentence_has_the_words_of_another_engine(pair, golden):
    assert pair.translate(golden["en"]).text == golden["pt"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I went to the bank to deposit money.", "Eu fui ao banco para depositar dinheiro."),
        ("The plant closed because it was too expensive to run.",
         "A fábrica fechou porque era muito caro para correr."),
        ("The plant died because it had no water.", "A planta morreu porque não tinha água."),
        ("The trophy wouldn't fit in the suitcase because it was too small.",
         "O troféu não se encaixava na mala porque era muito pequeno."),  # the suitcase was: wrong
        ("The suitcase wouldn't close because it was too small.",
         "A mala não fecharia porque era muito pequena."),
        (CHAIR, "A cadeira quebrou porque era velha."),
        ("He hit the ball with a wooden bat.", "Ele bateu a bola com um morcego de madeira."),
        ("The spring was broken, so the clock stopped.",
         "A primavera foi quebrada, então o relógio parou."),
    ],
)  # fmt: skip
def test_what_it_says_of_words_with_two_meanings(pair, text, said):
    assert pair.translate(text).text == said


@pytest.fixture(scope="module")
def bank_and_river(pair):
    trace = pair.trace(RIVER)
    return trace.find("bank"), trace.find("river")


def of_the_bank(pair, cut):
    """Return the translation, and how probable *margem* and *banco* are as its second token."""
    done = pair.translate(RIVER, cut)
    chances = done.chances(1)
    margem, banco = (pair.target_tokenizer.token_to_id(word) for word in ("▁margem", "▁banco"))
    return done.text, chances[margem], chances[banco]


def test_the_bank_by_the_river_is_a_margem(pair, bank_and_river):
    bank, river = bank_and_river
    text, margem, banco = of_the_bank(pair, ())
    assert text == "A margem junto ao rio era íngreme."
    assert (margem, banco) == (pytest.approx(0.976, abs=2e-3), pytest.approx(1e-4, abs=1e-4))
    weights = pair.trace(RIVER).weights
    assert weights[1, 1, bank, river] == pytest.approx(0.76, abs=5e-3)


@pytest.mark.parametrize(
    "where",
    [
        {"layers": (1,), "heads": (1,)},
        {"layers": (1,), "heads": (6,)},
        {"layers": (0,)},
        {"layers": (1,)},
    ],
)
def test_one_line_of_attention_decides_what_bank_becomes(pair, bank_and_river, where):
    bank, river = bank_and_river
    text, margem, banco = of_the_bank(pair, (Cut((bank,), (river,), **where),))
    assert text == "O banco junto ao rio era íngreme."
    assert banco > 0.75
    assert margem < 0.005
    if where == {"layers": (1,), "heads": (1,)}:
        assert banco - margem == pytest.approx(0.81, abs=5e-3)


@pytest.mark.parametrize("layer", [2, 3, 4, 5])
def test_later_layers_carry_nothing_more_of_it(pair, bank_and_river, layer):
    bank, river = bank_and_river
    text, margem, _ = of_the_bank(pair, (Cut((bank,), (river,), (layer,)),))
    assert text == "A margem junto ao rio era íngreme."
    assert margem > 0.97


def test_of_48_lines_two_tip_the_article_and_with_it_the_noun(pair, bank_and_river):
    """*Margem* is feminine and *banco* masculine: the first word, A or O, decides."""
    (bank,), (river,) = ((at,) for at in bank_and_river)
    article = pair.target_tokenizer.token_to_id("▁A")
    heads = [(layer, head) for layer in range(6) for head in range(8)]
    cuts = [(Cut((bank,), (river,), (layer,), (head,)),) for layer, head in heads]
    left = {
        at: pair.chances_after(RIVER, (), cut)[article] for at, cut in zip(heads, cuts, strict=True)
    }
    assert pair.chances_after(RIVER)[article] == pytest.approx(0.673, abs=2e-3)
    assert left.pop((1, 1)) == pytest.approx(0.474, abs=2e-3)
    assert left.pop((1, 6)) == pytest.approx(0.489, abs=2e-3)
    assert min(left.values()) > 0.58


def test_a_beginning_is_as_probable_as_its_tokens_one_by_one(pair):
    start = pair.translate(RIVER).target.ids[:4].tolist()
    cut = (Cut((1,), (4,)),)
    slow = [pair.chances_after(RIVER, start[:t], cut)[start[t]] for t in range(4)]
    assert pair.chances_on_the_way(RIVER, start, cut) == pytest.approx(slow, rel=1e-5)
    assert pair.chances_on_the_way(RIVER, []).shape == (0,)


def test_the_noun_agrees_with_the_article_cut_or_not(pair, bank_and_river):
    bank, river = bank_and_river
    margem, *start = (pair.target_tokenizer.token_to_id(word) for word in ("▁margem", "▁A"))
    for cut in ((), (Cut((bank,), (river,), (1,), (1,)),)):
        assert pair.chances_after(RIVER, start, cut)[margem] > 0.97


@pytest.mark.parametrize(
    ("where", "margem", "banco"),
    [
        (None, 0.658, 0.224),
        ({"layers": (1,), "heads": (1,)}, 0.466, 0.428),  # enough to tip it
        ({"layers": (1,)}, 0.218, 0.683),
        ({}, 0.024, 0.934),  # in every head
    ],
)
def test_how_much_the_line_carries_is_told_by_article_and_noun_together(
    pair, bank_and_river, where, margem, banco
):
    bank, river = bank_and_river
    cut = () if where is None else (Cut((bank,), (river,), **where),)

    def both(*words):
        article, noun = (pair.target_tokenizer.token_to_id(word) for word in words)
        first = pair.chances_after(RIVER, (), cut)[article]
        return first * pair.chances_after(RIVER, [article], cut)[noun]

    assert both("▁A", "▁margem") == pytest.approx(margem, abs=3e-3)
    assert both("▁O", "▁banco") == pytest.approx(banco, abs=3e-3)


def test_the_sentence_of_2014_is_read_backwards_where_portuguese_is(pair):
    done = pair.translate(AGREEMENT)
    said = "O acordo sobre o Espaço Económico Europeu foi assinado em Agosto de 1992."
    assert done.text == said
    for word, of, weight in (
        ("▁Espaço", "▁Area", 0.96),
        ("▁Económico", "▁Economic", 0.92),
        ("▁Europeu", "▁European", 0.72),
    ):
        row = done.cross_weights[1, 0, done.target.pieces.index(word)]
        assert done.source.pieces[row.argmax()] == of
        assert row.max() == pytest.approx(weight, abs=6e-3)


def test_the_gender_of_old_is_not_carried_by_the_line_from_it(pair):
    trace = pair.trace(CHAIR)
    cut = Cut((trace.find("it"),), (trace.find("chair"),))
    assert pair.translate(CHAIR, (cut,)).text == "A cadeira quebrou porque era velha."


@pytest.mark.parametrize(
    ("text", "kept", "said"),
    [
        ("I like red apples.", 0, ""),
        ("The young woman who won the race was born in a small village near the sea.", 0, ""),
        ("I like red apples.", 3, "Gosto de vermelho vermelho vermelho"),
        ("The young woman who won the race was born in a small village near the sea.", 9,
         "A jovem que venceu a corrida nasceu nasceu"),
    ],
)  # fmt: skip
def test_through_a_foggy_window_it_says_less(pair, text, kept, said):
    """With `</s>` alone to look at it says nothing; with the first half it ends up stuttering."""
    tokens = len(pair.tokenize(text))
    hidden = tuple(range(tokens - 1)) if kept == 0 else tuple(range(kept, tokens))
    done = pair.translate(text, cross_edits=(Cut(keys=hidden),))
    assert done.text.startswith(said)
    assert (done.text == "") == (said == "")
    assert done.ended == (kept == 0)
    assert len(done.target) == (1 if done.ended else int(2.5 * tokens))


def test_without_any_cross_attention_it_knows_nothing_of_the_source(pair):
    cut = (CutHeads(tuple((layer, head) for layer in range(2) for head in range(8))),)
    texts = "Run!", "The cat slept on the mat."
    short, long = (pair.translate(text, cross_edits=cut).text for text in texts)
    assert len(short) > 10
    assert long.startswith(short)  # stopped later, for its longer source


def test_what_it_has_no_token_for_is_told(pair):
    done = pair.translate("I like 😀 tea.")
    assert [bool(name) for name in done.source.unknown] == [p == "😀" for p in done.source.pieces]
    assert "<unk>" not in done.target.pieces


def test_no_text_ends_before_its_end(pair):
    tokens = pair.tokenize("He wrote </s> there.")
    assert tokens.ids.tolist().count(0) == 1
    assert tokens.special == (False,) * (len(tokens) - 1) + (True,)


def test_its_encoder_is_the_model_of_that_name(pair):
    assert attention.load_model("en-pt") is pair
    assert "en-pt" in attention.available_translators()
    assert "minilm" not in attention.available_translators()
    assert repr(pair) == "Marian en-pt: 6 x 8 heads, 256 wide, 32,000 words"
    for name in ("minilm", "../en-pt", None, 3):
        with pytest.raises(ValueError, match=r"no translator named .*; available: en-pt"):
            attention.load_translator(name)
