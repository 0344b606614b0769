"""Surveys that run beside what else a reader does: their file, their turn, their end."""

import time
from contextlib import nullcontext

import pytest

from attention.runtime import limits
from attention.runtime.waiting_line import Turnstile
from attention.survey import live, run
from attention.survey.live import PART_LIVE, LiveSurvey
from attention.survey.running import texts_in

TEXTS = [f"Text number {i} says that the cat sat on mat {i % 3}." for i in range(6)]


def ended(job, seconds=60):
    """Wait until a survey has ended."""
    until = time.monotonic() + seconds
    while job.is_running and time.monotonic() < until:
        time.sleep(0.01)
    assert not job.is_running
    return job


def test_its_file_is_that_of_a_run(tmp_path):
    line = Turnstile()
    job = ended(LiveSurvey(TEXTS, "minilm", line))
    out = run(TEXTS, "minilm", tmp_path / "a.parquet", part=PART_LIVE)
    assert job.file == out.read_bytes()
    assert (job.pace.done, job.pace.total, job.summary.texts) == (6, 6, 6)
    assert not len(line)


def test_it_waits_for_its_turn_and_leaves_when_it_is_stopped():
    line = Turnstile()
    with line.join():
        job = LiveSurvey(TEXTS, "minilm", line)
        assert job.is_running
        assert job.pace is None
        job.stop()
        ended(job)
    assert (job.file, job.summary, job.refusal) == (b"", None, "")
    assert not len(line)


def test_it_ends_after_the_part_at_hand_when_it_is_stopped(monkeypatch):
    begun = []

    class Slow(LiveSurvey):
        def _note(self, pace):
            begun.append(pace.done)
            self.stop()
            super()._note(pace)

    job = ended(Slow(TEXTS, "minilm", Turnstile()))
    assert begun == [PART_LIVE]
    assert (job.file, job.summary) == (b"", None)


@pytest.mark.parametrize("waits", [False, True])
def test_it_ends_when_its_reader_has_left(monkeypatch, waits):
    monkeypatch.setattr(live, "AWAY_SECONDS", 0.0)
    line, here = Turnstile(), [True] * 2
    with line.join() if waits else nullcontext():
        job = ended(LiveSurvey(TEXTS * 50, "minilm", line, lambda: bool(here and here.pop())))
    assert (job.file, job.summary, job.refusal) == (b"", None, "")
    assert job.pace is None or job.pace.done < len(TEXTS * 50)
    assert not len(line)


def test_a_reader_whose_connection_breaks_for_a_moment_has_not_left():
    here = [True, False] * 100
    assert ended(LiveSurvey(TEXTS, "minilm", Turnstile(), here.pop)).summary.texts == len(TEXTS)


def test_a_text_that_this_server_does_not_read_is_refused_before_any_is_measured(monkeypatch):
    monkeypatch.setenv(limits.TOKENS_ALLOWED, "10")
    job = ended(LiveSurvey(TEXTS, "minilm", Turnstile()))
    assert "at most 10" in job.refusal
    assert (job.pace, job.file) == (None, b"")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "no text"), (b" \n\n", "no text"), (b"caf\xe9", "UTF-8.*byte 3"),
     (b"PAR1\x00\x00", "bytes of 0")],
)  # fmt: skip
def test_a_file_that_is_no_text_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        texts_in(content)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["word"] * 301, "301 texts; at most 300"),
        (["word " * 200] * 101, "20,200 words; at most 20,000"),
        (["word", "word " * 301], "301 words in text 2; at most 300"),
        (["x" * 50_001], "50,001 characters"),
    ],
)
def test_too_much_for_one_reader_is_refused_with_both_numbers(texts, message):
    with pytest.raises(ValueError, match=message):
        limits.check_survey(texts)
