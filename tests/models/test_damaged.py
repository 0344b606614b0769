"""Folders with a damaged file: each gives a model or one ValueError, never another error."""

import contextlib
import shutil
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attention.models.bert import Bert
from attention.models.gpt2 import Gpt2
from attention.models.llama import Llama
from tests.models import tiny

KINDS = {"bert": Bert, "gpt2": Gpt2, "llama": Llama}
FILES = ("config.json", "tokenizer.json", "model.safetensors")
TEXT = "the cat sat where a dog was"  # with words that are not in the vocabulary

reads_files = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module", params=KINDS)
def sound(request, tmp_path_factory):
    return tiny.write(tmp_path_factory.mktemp("sound") / request.param, request.param)


def use(folder):
    """Load and run what may be damaged; anything but ValueError gets through."""
    with contextlib.suppress(ValueError), np.errstate(all="ignore"):
        KINDS[folder.name.removesuffix("-damaged")].from_folder("m", folder).trace(TEXT)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
@reads_files
@given(data=st.data())
def test_any_flipped_byte_is_survived(sound, tmp_path, name, data):
    folder = tmp_path / f"{sound.name}-damaged"
    shutil.copytree(sound, folder, dirs_exist_ok=True)
    content = bytearray((sound / name).read_bytes())
    place = data.draw(st.integers(0, min(len(content), 2_000) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    (folder / name).write_bytes(content)
    tracemalloc.start()
    try:
        use(folder)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_off_anywhere_is_refused(sound, tmp_path, name):
    folder = shutil.copytree(sound, tmp_path / f"{sound.name}-damaged")
    whole = (sound / name).read_bytes()
    for length in range(0, len(whole), 37 if len(whole) > 2_000 else 1):
        (folder / name).write_bytes(whole[:length])
        with pytest.raises(ValueError, match=name):
            KINDS[sound.name].from_folder("m", folder)


def test_a_text_that_the_tokenizer_cannot_read_is_refused(tmp_path):
    folder = tiny.write(tmp_path / "llama", "llama")
    path = folder / "tokenizer.json"
    path.write_text(path.read_text().replace('"[UNK]": 10', '"[UNK)": 10'))
    model = Llama.from_folder("m", folder)
    assert len(model.trace("the cat").tokens) == 2
    with pytest.raises(ValueError, match="The tokenizer cannot read this text"):
        model.trace("the elephant")


@pytest.mark.parametrize(
    ("kind", "positions"),
    [
        ("bert", "max_position_embeddings"),
        ("gpt2", "n_positions"),
        ("llama", "max_position_embeddings"),
    ],
)
def test_traces_are_bounded_whatever_a_model_could_read(tmp_path, kind, positions):
    folder = tiny.write(tmp_path / kind, kind, **{positions: 5_000})
    model = KINDS[kind].from_folder("m", folder)
    with pytest.raises(ValueError, match="has 513 tokens; the model reads at most 512"):
        model.trace("cat " * 513)
