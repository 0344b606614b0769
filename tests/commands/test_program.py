"""The command line: each command run as a reader runs it, for people and for programs."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import attention
from attention.commands import serve
from attention.commands.program import COMMANDS, main, program
from attention.scaling import runs
from tests.optional import with_renderer

ROOT = Path(__file__).parents[2]
CAT = "The cat sat on the mat because it was tired"
STEEP = "The bank by the river was steep."


def run(capsys, *words, code=0):
    """Return what a command prints; nothing else is printed."""
    assert main(words) == code
    out, err = capsys.readouterr()
    assert (err == "") == (code == 0)
    return out if code == 0 else err


def as_json(capsys, *words):
    return json.loads(run(capsys, *words, "--json"))


def test_the_program_runs_as_a_module_too():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "attention", "--version"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"attention {attention.__version__}\n"


def test_models_are_listed(capsys):
    assert run(capsys, "models").startswith("minilm ")
    found = as_json(capsys, "models")
    assert [model["name"] for model in found["models"]] == attention.available_models()
    assert found["models"][0]["published_as"] == "all-MiniLM-L6-v2"
    assert next(m["name"] for m in found["models"] if m["translates"]) == "en-pt"


def test_a_trace_is_told_and_kept(capsys, tmp_path, cat_trace):
    path = tmp_path / "cat.npz"
    told = run(capsys, "trace", CAT, "--out", str(path))
    assert told.startswith("Trace of minilm: 12 tokens, 6 x 12 heads\n[CLS] the cat sat")
    assert (
        "“it” attends to “tired” in L2 H8 (0.76; the other words give it 0.06 on average)" in told
    )
    np.testing.assert_allclose(attention.Trace.load(path).weights, cat_trace.weights, atol=1e-6)
    found = as_json(capsys, "trace", CAT)
    assert found["tokens"] == list(cat_trace.tokens)
    assert found["shape"] == [6, 12, 12, 12]
    at = found["telling"]
    place = at["layer"], at["head"], at["query"], at["key"]
    assert at["weight"] == pytest.approx(float(cat_trace.weights[place]), abs=1e-6)


def test_a_trace_can_be_edited_and_piped(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{CAT}\n"))
    path = tmp_path / "cut.npz"
    run(capsys, "trace", "-", "--edits", "cut_q8_k2", "--out", str(path))
    trace = attention.Trace.load(path)
    assert trace.text == CAT
    assert trace.weights[:, :, 8, 2].max() == 0


def test_a_translation_is_made_and_aligned(capsys):
    assert run(capsys, "translate", STEEP) == "A margem junto ao rio era íngreme.\n"
    assert "margem <- bank 0.76" in run(capsys, "translate", STEEP, "--align")
    cut = as_json(capsys, "translate", STEEP, "--edits", "cut_q1_k4")
    assert cut["text"].startswith("O banco")
    assert cut["ended"]
    assert len(cut["attended"]) == 9


@pytest.mark.parametrize(
    "words",
    [
        ["links", CAT, "--query", "it", "--heads", "L3H1"],
        ["head-map", CAT, "--heads", "L3H1", "L5H11", "--tokens"],
        ["head-grid", CAT, "--no-special"],
        ["rows", CAT, "--query", "8"],
        ["blend", CAT, "--query", "it", "--heads", "L3H1"],
        ["alignment", STEEP, "--query", "margem", "--heads", "L1H0"],
        ["roles", CAT],
    ],
    ids=lambda words: words[0],
)
def test_every_figure_becomes_a_file(capsys, tmp_path, words):
    path = tmp_path / "figure.json"
    found = as_json(capsys, "plot", *words, "--out", str(path))
    assert found == {"file": str(path), "bytes": path.stat().st_size}
    assert json.loads(path.read_text(encoding="utf-8"))["config"]["background"] == "white"


@with_renderer
@pytest.mark.slow
def test_a_figure_becomes_a_picture(capsys, tmp_path):
    path = tmp_path / "cat.svg"
    told = run(capsys, "plot", "head-map", CAT, "--heads", "L3H1", "--out", str(path))
    assert told.startswith(str(path))
    assert path.read_text(encoding="utf-8").startswith("<svg")


def test_a_benchmark_is_a_run_that_the_dashboard_reads(capsys):
    words = ["bench", "--most", "96", "--repeats", "3"]
    told = run(capsys, *words)
    assert "64 tokens" in told
    assert "too few lengths to say how it grows" in told
    found = runs.from_json(run(capsys, *words, "--json").encode())
    assert {point.n for point in found.points} == {64, 96}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trace", "hi", "--model", "nope"], "no model named 'nope'; available: minilm"),
        (["trace", "hi", "--out", "a.txt"], "'a.txt' does not end with .npz"),
        (["trace", "hi", "--out", "/nowhere/a.npz"], "No such file or directory: /nowhere/a.npz"),
        (["trace", "hi", "--edits", "cut_z"], "cut_z"),
        (["plot", "rows", "hi", "--heads", "L9H1", "--out", "a.json"], "no L9 H1: there are 6"),
        (["plot", "rows", "hi", "--out", "a.pdf"], "'a.pdf' ends with none of .html"),
        (["plot", "roles", "hi", "--query", "hi", "--out", "a.json"], "roles takes no --query"),
        (["translate", "hi", "--pair", "en-xx"], "en-xx"),
        (["bench", "--most", "0"], "maximum must be at least 1, got 0"),
        (["serve", "--models", "/nowhere"], "there is no /nowhere"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_line(capsys, words, said):
    told = run(capsys, *words, code=1)
    assert told.startswith("attention: ")
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    "words", [[], ["pilot"], ["trace"], ["plot", "links", "hi"], ["plot", "links", "hi", "--heads",
              "zz", "--out", "a"], ["bench", "--most", "many"]],
)  # fmt: skip
def test_what_is_misspelled_is_said_in_one_line(capsys, words):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "--help has examples" in err


def test_every_help_teaches_by_example(capsys):
    names = list(program()._subparsers._group_actions[0].choices)
    assert len(names) == len(COMMANDS)
    for words in ([], *([name] for name in names)):
        with pytest.raises(SystemExit) as ended:
            main([*words, "--help"])
        assert ended.value.code == 0
        assert (
            f"attention {' '.join(words)}".strip()
            in capsys.readouterr().out.partition("examples:")[2]
        )


def test_a_text_cannot_move_the_cursor(capsys):
    told = run(capsys, "trace", "cat \x1b[2J\u202e dog")
    assert "\x1b" not in told
    assert "\u202e" not in told


def test_a_reader_who_has_seen_enough_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m attention trace '{CAT}' | true",
        shell=True, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_the_dashboard_is_found_in_the_checkout_and_in_the_wheel(tmp_path, monkeypatch):
    assert serve.app_file() == ROOT / "streamlit_app.py"
    package = tmp_path / "attention"
    (package / "dashboard").mkdir(parents=True)
    monkeypatch.setattr(attention, "__file__", str(package / "__init__.py"))
    with pytest.raises(ValueError, match="the dashboard is missing"):
        serve.app_file()
    (package / "dashboard" / "streamlit_app.py").touch()
    assert serve.app_file() == package / "dashboard" / "streamlit_app.py"


def test_the_server_is_started_with_what_was_asked(monkeypatch, tmp_path):
    called = []
    monkeypatch.setattr(serve.os, "execv", lambda path, words: called.extend([path, *words]))
    monkeypatch.setenv("ATTENTION_MODELS", "before")
    assert main(["serve", "--port", "9123", "--models", str(tmp_path), "--no-browser"]) == 0
    assert called[0] == called[1] == sys.executable
    assert called[2:6] == ["-P", "-m", "streamlit", "run"]
    assert called[6] == str(ROOT / "streamlit_app.py")
    assert set(called[7:]) == {
        "--server.address=127.0.0.1", "--server.port=9123", "--server.headless=true",
        "--client.showErrorDetails=type",
    }  # fmt: skip
    assert serve.os.environ["ATTENTION_MODELS"] == str(tmp_path)


def test_a_survey_of_texts(capsys, tmp_path):
    texts, out = tmp_path / "texts.txt", tmp_path / "survey.parquet"
    texts.write_text("The cat sat on the mat.\nA dog sat beside it.\n")
    words = ("survey", str(texts), "--model", "minilm", "--out", str(out), "--draws", "4")
    assert main(words) == 0
    found = capsys.readouterr()
    assert found.out.startswith(f"{out}: 2 texts")
    assert "2 of 2 texts" in found.err
    assert "is there already" in run(capsys, *words, code=1)
