"""Where models are looked for, and what is said of every way to name a folder."""

import os
import subprocess
import sys

import pytest

import attention
from attention.models import _load, convert, places, registry
from attention.models.gpt2 import Gpt2
from tests.models import tiny, tiny_gguf

CACHES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME")


@pytest.fixture
def look(monkeypatch, tmp_path):
    """Return a function that looks for models anew, with these variables and no others."""
    monkeypatch.setattr(registry, "find_spec", lambda name: None)

    def look(**variables):
        variables = {"XDG_CACHE_HOME": str(tmp_path / "nothing")} | variables
        for name in (*CACHES, places.OWN_FOLDER):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, str(value))
        registry.entries.cache_clear()
        _load.cache_clear()
        return attention.available_models()[2:]

    yield look
    registry.entries.cache_clear()
    _load.cache_clear()


def gguf(path):
    pytest.importorskip("gguf", reason="the gguf package is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    return tiny_gguf.write(path)


def snapshot(hub, name, revision="0123abc"):
    folder = hub / f"models--{name.replace('/', '--')}" / "snapshots" / revision
    folder.mkdir(parents=True)
    return folder


# the Hugging Face cache


def test_a_gguf_file_in_the_cache_has_the_name_of_its_repository(look, tmp_path):
    for file in ("a.Q4_0.gguf", "a.Q8_0.gguf"):
        gguf(snapshot(tmp_path, "who/a-GGUF", file) / file)
    (tmp_path / "models--who--a-GGUF" / "refs").mkdir()
    (tmp_path / "models--who--a-GGUF" / "refs" / "main").write_text("a.Q4_0.gguf")
    gguf(snapshot(tmp_path, "who/parted") / "Q4" / "b.gguf")
    found = look(HF_HUB_CACHE=tmp_path)
    assert found == ["who/a-GGUF/a.Q4_0", "who/parted/Q4/b"]
    assert attention.load_model(found[0]).trace("the hat").is_causal
    assert attention.unavailable_models() == {}


def test_a_config_beside_a_gguf_file_makes_no_second_model(look, tmp_path):
    """Repositories of GGUF files often have one, with nothing in it but the kind."""
    folder = snapshot(tmp_path, "who/what")
    gguf(folder / "what.gguf")
    (folder / "config.json").write_text('{"model_type": "llama"}')
    assert look(HF_HUB_CACHE=tmp_path) == ["who/what/what"]
    assert attention.unavailable_models() == {}


def test_the_cache_is_looked_for_in_the_order_of_its_own_library(look, tmp_path):
    below = {"HF_HOME": "hub", "XDG_CACHE_HOME": "huggingface/hub"}
    folders = {name: tmp_path / name for name in CACHES}
    for name, folder in folders.items():
        tiny.write(snapshot(folder / below.get(name, ""), f"in/{name}"), "gpt2")
    for at, name in enumerate(CACHES):
        later = {other: folders[other] for other in CACHES[at:]}
        assert look(**later) == [f"in/{name}"]


def test_a_refusal_names_the_repository_and_no_commit(look, tmp_path):
    folder = snapshot(tmp_path, "who/what", "8f3c1a")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    tiny.write_tokenizer(folder)
    assert look(HF_HUB_CACHE=tmp_path) == []
    reasons = attention.unavailable_models()
    assert reasons == {"who/what": "model.safetensors is missing"}
    with pytest.raises(ValueError, match="who/what cannot be loaded: model"):
        attention.load_model("who/what")


# a folder of one's own


def test_gguf_files_and_models_in_folders_below_are_found(look, tmp_path):
    gguf(tmp_path / "at-top.gguf")
    gguf(tmp_path / "some-GGUF" / "deeper.gguf")
    gguf(tmp_path / "publisher" / "some-GGUF" / "deepest.gguf")
    tiny.write(tmp_path / "publisher" / "mine", "bert")
    gguf(tmp_path / "a" / "b" / "c" / "too-deep.gguf")
    gguf(tmp_path / ".trash" / "hidden.gguf")
    found = look(ATTENTION_MODELS=tmp_path)
    assert found == ["at-top", "deeper", "mine", "deepest"]


def test_the_folder_of_a_model_may_be_named_itself(look, tmp_path, monkeypatch):
    tiny.write(tmp_path / "mine", "gpt2")
    (tmp_path / "mine" / "1_Pooling").mkdir()
    (tmp_path / "mine" / "1_Pooling" / "config.json").write_text("{}")
    assert look(ATTENTION_MODELS=tmp_path / "mine") == ["mine"]
    assert isinstance(attention.load_model("mine"), Gpt2)
    monkeypatch.chdir(tmp_path / "mine")
    assert look(ATTENTION_MODELS=".") == ["mine"]
    assert attention.unavailable_models() == {}


def test_a_gguf_file_may_be_named_itself(look, tmp_path):
    gguf(tmp_path / "mine.gguf")
    assert look(ATTENTION_MODELS=tmp_path / "mine.gguf") == ["mine"]


def test_several_folders_are_parted_as_in_path(look, tmp_path):
    for name in ("one", "two", "t:hree"):
        tiny.write(tmp_path / name / f"in-{name}", "bert")
    both = os.pathsep.join([str(tmp_path / "one"), "", str(tmp_path / "two"), ""])
    assert look(ATTENTION_MODELS=both) == ["in-one", "in-two"]
    assert look(ATTENTION_MODELS=tmp_path / "t:hree") == ["in-t:hree"]
    assert attention.unavailable_models() == {}


def test_the_cache_may_be_named_and_nothing_is_listed_twice(look, tmp_path):
    hub = tmp_path / "huggingface" / "hub"
    folder = tiny.write(snapshot(hub, "who/what"), "gpt2")
    (hub / "datasets--d" / "snapshots" / "1").mkdir(parents=True)
    (hub / "datasets--d" / "snapshots" / "1" / "config.json").write_text("{}")
    for named in (hub, hub.parent, folder, folder.parents[1], f"{hub}{os.pathsep}{folder}"):
        assert look(ATTENTION_MODELS=named, HF_HUB_CACHE=hub) == ["who/what"]
    assert attention.unavailable_models() == {}


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("modles", "it does not exist"),
        ("notes.txt", "it is neither a folder nor a GGUF file"),
        ("empty", "there is no model in that folder"),
        ("no.gguf", "no.gguf is not a file"),
    ],
)
def test_what_is_named_in_vain_is_told(look, tmp_path, named, told):
    pytest.importorskip("gguf", reason="the gguf package is not installed")
    (tmp_path / "notes.txt").write_text("no model")
    (tmp_path / "empty").mkdir()
    tiny.write(tmp_path / "good" / "mine", "bert")
    both = f"{tmp_path / 'good'}{os.pathsep}{tmp_path / named}"
    assert look(ATTENTION_MODELS=both) == ["mine"]
    ((name, reason),) = attention.unavailable_models().items()
    assert name == named.removesuffix(".gguf")
    assert told in reason
    assert str(tmp_path) not in reason


def test_a_folder_that_may_not_be_read_is_told(look, tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    look(ATTENTION_MODELS=tmp_path / "closed")
    assert "may not be read" in attention.unavailable_models()["closed"]


def test_a_folder_with_too_much_in_it_says_so(look, tmp_path, monkeypatch):
    monkeypatch.setattr(places, "_MOST_MODELS", 3)
    for at in range(5):
        tiny.write(tmp_path / "many" / f"m{at}", "bert")
    assert look(ATTENTION_MODELS=tmp_path / "many") == ["m0", "m1", "m2"]
    assert "more than 3 models" in attention.unavailable_models()["many"]


# other formats


def other_format(folder, *, words="vocab.txt", weights="pytorch_model.bin", kind="bert"):
    """Make a folder as those of 2019: of safetensors and tokenizer.json only what is not named."""
    tiny.write(folder, kind, architectures=["BertForMaskedLM"])
    for old, new in (("tokenizer.json", words), ("model.safetensors", weights)):
        if new:
            (folder / old).rename(folder / new)
    return folder


@pytest.mark.parametrize(
    ("options", "lacks", "made"),
    [
        ({}, "model.safetensors and tokenizer.json are missing", "BertForMaskedLM AutoTokenizer"),
        ({"words": None}, "model.safetensors is missing", "BertForMaskedLM"),
        ({"weights": None}, "tokenizer.json is missing", "AutoTokenizer"),
        (
            {"weights": None, "words": "sentencepiece.bpe.model"},  # of XLM-R and CamemBERT
            "tokenizer.json is missing",
            "AutoTokenizer",
        ),
    ],
)
def test_a_folder_in_another_format_comes_with_the_command_that_converts_it(
    look, tmp_path, options, lacks, made
):
    other_format(tmp_path / "own" / "mine", **options)
    assert look(ATTENTION_MODELS=tmp_path / "own") == []
    reason = attention.unavailable_models()["mine"]
    steps = "; ".join(
        f"t.{name}.from_pretrained('.').save_pretrained('.')" for name in made.split()
    )
    command = f'python -c "import transformers as t; {steps}"'
    assert reason == f"{lacks}; run in its folder, this makes it: {command}"


def test_a_repository_in_another_format_is_converted_to_a_folder(look, tmp_path):
    other_format(snapshot(tmp_path, "who/what"), weights=None)
    look(HF_HUB_CACHE=tmp_path)
    reason = attention.unavailable_models()["who/what"]
    assert "this writes a folder what with all, for ATTENTION_MODELS: python -c" in reason
    for name in ("BertForMaskedLM", "AutoTokenizer"):
        assert f"t.{name}.from_pretrained('who/what').save_pretrained('what')" in reason


@pytest.mark.parametrize(
    "architectures", [["x'); print('taken"], "BertModel", [], None, [7], ["y" * 500]]
)
def test_a_command_never_has_anything_odd_in_it(tmp_path, architectures):
    folder = other_format(snapshot(tmp_path, "who/wh'at"))
    assert "python" not in convert.missing(folder, {})
    told = convert.missing(other_format(tmp_path / "own"), {"architectures": architectures})
    assert "t.AutoModel.from_pretrained('.')" in told
    assert len(told) < 400


def test_where_there_is_nothing_to_convert_no_command_is_told(tmp_path):
    folder = other_format(tmp_path / "own", words="notes.txt")
    assert convert.missing(folder, {}) == "model.safetensors and tokenizer.json are missing"


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_the_command_makes_a_model_that_is_found(look, tmp_path, kind):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    folder = tmp_path / "own" / "mine"
    made = {"bert": "BertForMaskedLM", "gpt2": "GPT2LMHeadModel"}[kind]
    config = transformers.AutoConfig.for_model(**tiny.CONFIGS[kind])
    model = getattr(transformers, made)(config)
    model.save_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    if kind == "bert":
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *tiny.WORDS[:6]]
        (folder / "vocab.txt").write_text("\n".join(words))
    else:
        (folder / "vocab.json").write_text('{"t": 0, "h": 1, "th": 2, "<|endoftext|>": 3}')
        (folder / "merges.txt").write_text("#version: 0.2\nt h\n")
    assert look(ATTENTION_MODELS=tmp_path / "own") == []
    command = attention.unavailable_models()["mine"].partition('python -c "')[2].rstrip('"')
    subprocess.run([sys.executable, "-c", command], cwd=folder, check=True, capture_output=True)
    assert look(ATTENTION_MODELS=tmp_path / "own") == ["mine"]
    trace = attention.load_model("mine").trace("th")
    assert trace.weights.shape[0] == len(trace.hidden) - 1
