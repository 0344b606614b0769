"""Surveys that end early, go on, and are shared: the same file, byte for byte."""

import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from attention.commands.program import main
from attention.survey import run, running
from attention.survey.running import Pace, TextFiles
from attention.survey.summary import load, summarise

TEXTS = [f"Text number {i} says that the cat sat on mat {i % 3}, and so on." for i in range(12)]
QUICK = {"draws": 4, "part": 2}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(TEXTS, "minilm", tmp_path_factory.mktemp("whole") / "a.parquet", **QUICK)


def test_every_text_is_there_once_in_order(whole):
    table = pq.read_table(whole, columns=["i", "text"])
    assert table["i"].to_pylist() == list(range(12))
    assert table["text"].to_pylist() == TEXTS
    assert list(whole.parent.iterdir()) == [whole]


def test_a_run_that_stops_loses_one_part_and_goes_on_to_the_same_file(whole, tmp_path):
    out, measured = tmp_path / "a.parquet", []

    def stop(pace):
        if pace.done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(TEXTS, "minilm", out, on_progress=stop, **QUICK)
    assert len(list(Path(f"{out}.parts").glob("*.parquet"))) == 3
    run(TEXTS, "minilm", out, on_progress=measured.append, **QUICK)
    assert [pace.done for pace in measured] == [8, 10, 12]
    assert {pace.before for pace in measured} == {6}
    assert out.read_bytes() == whole.read_bytes()


def test_a_file_cut_short_is_no_part(whole, tmp_path):
    """A part is put in place as a whole: what a crash leaves has another name."""
    out = tmp_path / "a.parquet"
    parts = Path(f"{out}.parts")
    parts.mkdir()
    (parts / "000000.unfinished").write_bytes(b"half of it")
    run(TEXTS, "minilm", out, **QUICK)
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.slow
def test_a_killed_run_goes_on(whole, tmp_path):
    out = tmp_path / "a.parquet"
    code = f"""
        import os
        from attention.survey import run
        def die(pace):
            if pace.done == 4:
                os._exit(9)
        run({TEXTS!r}, "minilm", {str(out)!r}, on_progress=die, **{QUICK!r})
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)])
    assert done.returncode == 9
    assert len(list(Path(f"{out}.parts").glob("*.parquet"))) == 2
    run(TEXTS, "minilm", out, **QUICK)
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.slow
def test_two_processes_make_the_same_file(whole, tmp_path):
    paces = []
    out = run(TEXTS, "minilm", tmp_path / "a.parquet", workers=2, on_progress=paces.append, **QUICK)
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(pace.done for pace in paces) == [2, 4, 6, 8, 10, 12]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("distributed") is None, reason="pip install 'attention-lab[survey]'")
def test_a_cluster_that_loses_a_worker_makes_the_same_file(whole, tmp_path):
    """Two workers, processes of their own, one of which is killed after the first part."""
    out = tmp_path / "a.parquet"
    code = f"""
        import os, signal
        from distributed import LocalCluster
        from attention.survey import run

        if __name__ == "__main__":
            options = dict(n_workers=2, threads_per_worker=1, processes=True)
            with LocalCluster(**options, dashboard_address=None, host="127.0.0.1") as cluster:
                victim = list(cluster.workers.values())[0]
                done = []
                def kill(pace):
                    done.append(pace.done)
                    if len(done) == 1:
                        os.kill(victim.pid, signal.SIGKILL)
                run({TEXTS!r}, "minilm", {str(out)!r}, scheduler=cluster.scheduler_address,
                    on_progress=kill, **{QUICK!r})
                print(done)
    """
    script = tmp_path / "cluster.py"
    script.write_text(textwrap.dedent(code))
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == "[2, 4, 6, 8, 10, 12]"
    assert out.read_bytes() == whole.read_bytes()


def test_texts_are_read_as_they_are_needed(tmp_path, monkeypatch):
    """A stream is never ahead of what is measured by more than a part: memory does not grow."""
    read, most = 0, []

    def stream():
        nonlocal read
        for text in TEXTS:
            read += 1
            yield text

    run(
        stream(), "minilm", tmp_path / "a.parquet",
        on_progress=lambda pace: most.append(read - pace.done), **QUICK,
    )  # fmt: skip
    assert max(most) <= 2


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        (TEXTS[::-1], {}, "is of other texts than these"),
        (TEXTS, {"draws": 5}, "has parts of another survey"),
        (TEXTS, {"workers": 0}, "workers must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_gone_on_with(tmp_path, texts, options, message):
    out = tmp_path / "a.parquet"

    def stop(pace):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(TEXTS, "minilm", out, on_progress=stop, **QUICK)
    with pytest.raises(ValueError, match=message):
        run(texts, "minilm", out, **QUICK | options)


def test_a_file_is_not_overwritten_and_no_text_is_refused(whole, tmp_path):
    with pytest.raises(ValueError, match="is there already"):
        run(TEXTS, "minilm", whole, **QUICK)
    with pytest.raises(ValueError, match="no text"):
        run([], "minilm", tmp_path / "b.parquet", **QUICK)


def test_pace():
    assert Pace(30, 10, 10.0, 90).rate == 2
    assert Pace(30, 10, 10.0, 90).left == 30
    assert Pace(30, 10, 10.0).left is None
    assert Pace(10, 10, 0.0, 90).left is None


def test_the_command_writes_both_files_and_plans(tmp_path, capsys):
    file = tmp_path / "texts.txt"
    file.write_text("\n\n".join(TEXTS))
    out, small = tmp_path / "a.parquet", tmp_path / "b.parquet"
    words = ["survey", str(file), "--model", "minilm", "--out", str(out), "--summary", str(small)]
    assert main([*words, "--draws", "4", "--part", "6"]) == 0
    said = capsys.readouterr()
    assert "12 texts" in said.out
    assert "a million such texts take" in said.out
    assert "12 of 12 texts" in said.err
    assert load(small).texts == summarise(out).texts == 12
    assert main(words) == 1
    assert "is there already" in capsys.readouterr().err
    assert main([*words[:3], "nobody", "--out", str(tmp_path / "c.parquet")]) == 1


def test_lines_of_files_are_counted_and_read_again(tmp_path):
    (tmp_path / "a.txt").write_text("one\n\n two \n")
    (tmp_path / "b.txt").write_text("three")
    found = TextFiles([tmp_path / "a.txt", tmp_path / "b.txt"])
    assert len(found) == 3
    assert list(found) == list(found) == ["one", "two", "three"]


def test_a_scheduler_without_dask_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match="attention-lab\\[survey\\]"):
        run(TEXTS, "minilm", tmp_path / "a.parquet", scheduler="tcp://127.0.0.1:1", **QUICK)


def test_a_larger_survey_is_planned():
    assert running.larger_survey(rate=2, file_bytes=500, texts=10, count=1000, workers=5) == (
        100,
        50_000,
    )
