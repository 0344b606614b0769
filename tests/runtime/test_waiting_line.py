import threading
from time import sleep

import pytest

from attention.runtime.waiting_line import Turnstile

PATIENCE = 10.0  # seconds until a test that hangs fails


class Reader(threading.Thread):
    """Queues up, and goes through once the gate is opened."""

    def __init__(self, turnstile, passed, name):
        super().__init__(name=name, daemon=True)
        self.turnstile, self.passed = turnstile, passed
        self.joined, self.running, self.gate = (threading.Event() for _ in range(3))

    def run(self):
        with self.turnstile.join() as turn:
            self.joined.set()
            if turn.wait(PATIENCE):
                self.running.set()
                self.gate.wait(PATIENCE)
                self.passed.append(self.name)


def test_first_come_first_served():
    turnstile, passed = Turnstile(), []
    readers = [Reader(turnstile, passed, name) for name in "abc"]
    for reader in readers:
        reader.start()
        assert reader.joined.wait(PATIENCE)
    for reader in reversed(readers):  # the last is ready first, and must wait all the same
        reader.gate.set()
    for reader in readers:
        reader.join(PATIENCE)
    assert passed == ["a", "b", "c"]
    assert len(turnstile) == 0


def test_only_one_is_through_at_a_time():
    turnstile, inside, most = Turnstile(), [], []

    def pass_often():
        for _ in range(50):
            with turnstile.join() as turn:
                assert turn.wait(PATIENCE)
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=pass_often, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert most == [1] * 200


def test_a_few_are_through_at_a_time():
    turnstile, passed = Turnstile(places=2), []
    readers = [Reader(turnstile, passed, name) for name in "abc"]
    for reader in readers:
        reader.start()
        assert reader.joined.wait(PATIENCE)
    assert all(reader.running.wait(PATIENCE) for reader in readers[:2])
    assert not readers[2].running.wait(0.05)
    readers[1].gate.set()
    assert readers[2].running.wait(PATIENCE)
    for reader in readers:
        reader.gate.set()
        reader.join(PATIENCE)
    assert sorted(passed) == ["a", "b", "c"]
    assert passed[0] == "b"


def test_who_runs_too_long_takes_up_no_place():
    turnstile = Turnstile(longest=0.05)
    with turnstile.join() as first, turnstile.join() as second, turnstile.join() as third:
        assert first.wait(0.0)
        assert not second.wait(0.0)
        sleep(0.06)
        assert second.wait(0.0)
        assert not third.wait(0.0)  # the second has its own time
        assert (second.ahead, third.ahead) == (0, 1)


def test_a_waiting_reader_knows_its_place_and_moves_up():
    turnstile = Turnstile()
    first = Reader(turnstile, [], "first")
    first.start()
    assert first.running.wait(PATIENCE)
    with turnstile.join() as second, turnstile.join() as third:
        assert (second.ahead, third.ahead, len(turnstile)) == (1, 2, 3)
        assert not second.wait(0.01)
        first.gate.set()
        assert second.wait(PATIENCE)
        assert (second.ahead, third.ahead) == (0, 1)
        assert not third.wait(0.0)


def test_who_gives_up_leaves_the_queue():
    turnstile = Turnstile()
    with turnstile.join() as first, turnstile.join() as last:
        with turnstile.join() as between:
            assert (between.ahead, len(turnstile)) == (2, 3)
        assert (first.ahead, last.ahead) == (0, 1)


@pytest.mark.parametrize("waiting", [True, False])
def test_a_script_that_is_stopped_leaves_the_queue(waiting):
    """Streamlit stops a script with a BaseException raised in any of its calls."""

    class StopScript(BaseException):
        pass

    turnstile = Turnstile()
    first = Reader(turnstile, [], "first")
    if waiting:
        first.start()
        assert first.running.wait(PATIENCE)

    def script():
        with turnstile.join() as turn:
            assert turn.wait(0.0) is not waiting
            raise StopScript

    with pytest.raises(StopScript):
        script()
    assert len(turnstile) == waiting
    first.gate.set()
    if waiting:
        first.join(PATIENCE)
    with turnstile.join() as next_one:
        assert next_one.wait(0.0)


def test_work_is_done_alone_and_meanwhile_it_is_said_how_many_come_first():
    turnstile, counts = Turnstile(), []
    first = Reader(turnstile, [], "first")
    first.start()
    assert first.running.wait(PATIENCE)

    def while_waiting(ahead):
        counts.append(ahead)
        first.gate.set()

    assert turnstile.alone(lambda: len(turnstile), while_waiting, every=0.01) == 1
    assert counts[0] == 1
    assert len(turnstile) == 0
