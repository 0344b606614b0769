"""Whatever lies in a reader's folder, the list of models stays, and each refusal says why."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attention.models import available_models, load_model, registry, unavailable_models
from tests.models import tiny

KINDS = {kind: tiny.loader(kind).config_class for kind in tiny.CONFIGS}
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return an empty folder that ATTENTION_MODELS names; no other models are found."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("ATTENTION_MODELS", str(folder))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    registry.entries.cache_clear()
    yield folder
    registry.entries.cache_clear()


def reason(name):
    assert available_models()[0] == "minilm"
    assert name not in available_models()
    return unavailable_models()[name]


def config(folder, kind="llama", **changes):
    tiny.write(folder, kind)
    (folder / "config.json").write_text(json.dumps(tiny.CONFIGS[kind] | changes))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rope_theta": "10000"}, "rope_theta must be above 1 and below 1e15, got '10000'"),
        ({"rope_theta": [1]}, "rope_theta must be"),
        ({"rope_parameters": [1]}, "rope_parameters must be an object, got [1]"),
        ({"rope_parameters": {"rope_theta": {}}, "rope_theta": {"a": 1}}, "rope_theta must be"),
    ],
)
def test_a_config_of_odd_types_is_listed_with_the_reason(own, changes, told):
    config(own / "odd", **changes)
    assert told in reason("odd")


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_any_value_in_a_config_is_taken_or_refused_with_a_valueerror(kind, data):
    good = tiny.CONFIGS[kind]
    extra = ["rope_parameters", "rope_scaling", "head_dim", "n_inner", "is_decoder"]
    name = data.draw(st.sampled_from([*good, *extra]))
    with suppress(ValueError):
        KINDS[kind].from_dict(good | {name: data.draw(ODD)})


@pytest.mark.parametrize("part", ["x" * 5_000, "a\0b", "../m.safetensors", ""])
def test_an_index_with_impossible_names_is_listed_with_the_reason(own, part):
    config(own / "odd")
    (own / "odd" / "model.safetensors").unlink()
    index = own / "odd" / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": part}}))
    assert "not a file beside it" in reason("odd")
    assert len(reason("odd")) < 400


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(own):
    pytest.importorskip("gguf", reason="the gguf package is not installed")
    os.mkfifo(own / "pipe.gguf")
    config(own / "piped")
    (own / "piped" / "tokenizer.json").unlink()
    os.mkfifo(own / "piped" / "tokenizer.json")
    assert reason("pipe") == "pipe.gguf is not a file"
    assert reason("piped") == "tokenizer.json is missing"


@pytest.mark.parametrize("make", ["mkdir", "touch"])
def test_a_reason_names_the_file_and_not_where_it_lies(own, make):
    pytest.importorskip("gguf", reason="the gguf package is not installed")
    getattr(own / "odd.gguf", make)()
    assert "odd.gguf" in reason("odd")
    assert str(own) not in reason("odd")


def test_a_folder_may_begin_with_the_home_folder_or_a_variable(own, tmp_path, monkeypatch):
    config(tmp_path / "own" / "mine")
    monkeypatch.setenv("HOME", str(tmp_path))
    for folder in ("~/own", "$HOME/own", "${HOME}/own"):
        monkeypatch.setenv("ATTENTION_MODELS", folder)
        registry.entries.cache_clear()
        assert "mine" in available_models()
    config(tmp_path / "hf" / "hub" / "models--who--what" / "snapshots" / "1")
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.setenv("HF_HOME", "~/hf")
    registry.entries.cache_clear()
    assert "who/what" in available_models()


@pytest.mark.parametrize("kind", KINDS)
def test_a_word_that_the_model_has_no_vector_for_is_refused_by_name(own, kind):
    config(own / kind, kind)
    path = own / kind / "tokenizer.json"
    told = json.loads(path.read_text())
    told["model"]["vocab"]["elephant"] = 500
    path.write_text(json.dumps(told))
    model = registry.entries()[kind].load()  # not kept for the tests that follow
    assert model.trace("the cat").tokens == ("the", "cat")
    with pytest.raises(ValueError, match=r"'elephant' the number 500; the model has 11 words"):
        model.trace("the elephant sat")


def test_nobody_waits_for_the_loading_of_another_model(monkeypatch):
    begun, ended = Event(), Event()

    def slow():
        begun.set()
        assert ended.wait(10)

    found = registry.entries()
    monkeypatch.setitem(found, "slow", registry.Entry("slow", Path(), slow))
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(load_model, "slow")
        assert begun.wait(10)
        assert load_model("minilm").name == "minilm"
        assert not job.done()
        ended.set()
        job.result(10)
