from threading import Barrier, Thread

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from attention.runtime import threads


def blas_threads():
    return [
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    ]


@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
@pytest.mark.parametrize("parts", [1, 2, 3, 8])
def test_slices_cover_everything_once(count, parts):
    found = threads.slices(count, parts)
    assert [i for part in found for i in range(count)[part]] == list(range(count))
    assert len(found) == parts


@pytest.mark.parametrize("members", [1, 2, 3])
def test_a_team_does_everything_once(members):
    done = np.zeros(10)

    def work(part):
        done[part] += 1

    with threads.team(members) as share:
        share(work, 10)
        share(work, 10)
    assert (done == 2).all()


@pytest.mark.parametrize("failing", [0, 5])
def test_an_error_in_any_part_is_raised(failing):
    def work(part):
        if part.start == failing:
            raise ArithmeticError

    with threads.team(2) as share, pytest.raises(ArithmeticError):
        share(work, 10)


def test_a_team_of_one_leaves_blas_alone():
    before = blas_threads()
    with threads.team(1) as share:
        share(lambda part: None, 1)
        assert blas_threads() == before


def test_blas_gets_its_threads_back_only_from_the_last_to_leave():
    before = blas_threads()
    both_in, first_out = Barrier(2), Barrier(2)

    def stay():
        with threads.one_blas_thread():
            both_in.wait(10)
            first_out.wait(10)

    other = Thread(target=stay)
    other.start()
    with threads.one_blas_thread():
        both_in.wait(10)
    assert all(count == 1 for count in blas_threads())
    first_out.wait(10)
    other.join()
    assert blas_threads() == before


def test_work_is_done_by_one_where_a_caller_holds_blas_at_several_threads():
    seen = set()
    with threadpool_limits(2, "blas"), threads.team(2) as share:
        share(lambda part: seen.add((part.start, part.stop)), 10)
        threads.take_turns(lambda turns: seen.update(turns), ["a", "b"])
    assert seen == {(0, 10), "a", "b"}


def test_turns_are_taken_once_each():
    done = []
    threads.take_turns(lambda turns: [done.append(turn) for turn in turns], range(1000))
    assert sorted(done) == list(range(1000))


def test_an_error_in_a_turn_reaches_the_caller():
    def fail(turns):
        for turn in turns:
            raise KeyError(turn)

    with pytest.raises(KeyError):
        threads.take_turns(fail, range(3))


def test_work_that_is_shared_may_itself_share():
    done = np.zeros((4, 4))

    def outer(rows):
        def inner(columns):
            done[rows, columns] += 1

        with threads.team(2) as share:
            share(inner, 4)

    with threads.team(2) as share:
        share(outer, 4)
    assert (done == 1).all()
