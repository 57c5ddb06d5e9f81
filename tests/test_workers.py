"""
Tasks in processes of our own, and what comes back from them.
"""

from __future__ import annotations

import os
import signal
from dataclasses import FrozenInstanceError, replace
from functools import partial

import pytest

from scanner.model import Companion, Document, Match, Place, Position, SealRecord
from scanner.secret import Secret
from scanner.workers import CAN_FORK, Aside, Board, fork_each, run_each

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="this system cannot fork safely")

RUNNERS = [pytest.param(fork_each, id="processes"), pytest.param(run_each, id="threads")]


def _fail() -> int:
    raise ValueError("of its own")


def _die() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def _wait_for_stop(board: Board, number: int) -> str:
    board.add(number, 1)
    while not board.stopped:
        pass
    return "stopped"


@pytest.mark.parametrize("run", RUNNERS)
def test_results_come_back_in_the_order_of_the_tasks(run) -> None:
    outcomes = run([partial(pow, 2, n) for n in range(4)], Board(4))

    assert [outcome.value for outcome in outcomes] == [1, 2, 4, 8]


def test_tasks_run_in_processes_of_their_own() -> None:
    outcomes = fork_each([os.getpid, os.getpid], Board(2))

    assert len({os.getpid(), *(outcome.value for outcome in outcomes)}) == 3


def test_a_secret_comes_back_whole() -> None:
    (outcome,) = fork_each([lambda: [Secret(b"a value")]], Board(1))

    assert outcome.value == [Secret(b"a value")]


def test_what_was_found_comes_back_whole() -> None:
    match = Match(
        rule_id="acme",
        secret=Secret(b"a"),
        document=Document(Place.BLOB, path=b"a.txt", blob="b0"),
        position=Position(1, 2, 3, 4),
        companions=(Companion("id", Secret(b"b")),),
        seal=SealRecord(format="age", state="sealed", reason="all of it"),
    )
    (outcome,) = fork_each([lambda: [match, replace(match, start=1)]], Board(1))
    assert outcome.value == [match, replace(match, start=1)]
    assert outcome.value[0].document is outcome.value[1].document
    with pytest.raises(FrozenInstanceError):
        outcome.value[0].start = 2


def test_no_object_is_asked_for_what_its_class_says() -> None:
    documents = [Document(Place.BLOB, blob=str(number)) for number in range(50)]

    def told() -> list[Document]:
        def never(*_: object) -> None:
            raise AssertionError

        Document.__getstate__.__globals__["fields"] = never
        return documents

    (outcome,) = fork_each([told], Board(1))
    assert outcome.value == documents


@pytest.mark.parametrize("run", RUNNERS)
def test_an_exception_is_raised_again(run) -> None:
    with pytest.raises(ValueError, match="of its own"):
        run([_fail, os.getpid], Board(2))


def test_a_killed_process_costs_its_own_result_only() -> None:
    killed, fine = fork_each([_die, partial(pow, 2, 3)], Board(2))

    assert killed.value is None
    assert killed.lost == "its process was killed by signal 9"
    assert fine.value == 8


def test_what_cannot_be_told_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="could not say"):
        fork_each([lambda: lambda: None], Board(1))


@pytest.mark.parametrize("run", RUNNERS)
def test_counts_are_seen_and_a_stop_is_heard(run) -> None:
    board = Board(2)

    def watch() -> None:
        if board.total() == 2:
            board.stop()

    outcomes = run([partial(_wait_for_stop, board, n) for n in range(2)], board, watch)

    assert [outcome.value for outcome in outcomes] == ["stopped", "stopped"]


@pytest.mark.parametrize("run", RUNNERS)
def test_ctrl_c_ends_the_tasks_and_keeps_what_they_have(run) -> None:
    board = Board(1)
    pressed = []

    def watch() -> None:
        if board.total() and not pressed:
            pressed.append(True)
            raise KeyboardInterrupt

    (outcome,) = run([partial(_wait_for_stop, board, 0)], board, watch)

    assert outcome.value == "stopped"
    assert board.stopped


@pytest.mark.parametrize("worth", [True, False])
def test_a_task_is_done_aside(worth) -> None:
    aside = Aside(lambda: (os.getpid(), Secret(b"a value")), worth=worth)

    done_by, secret = aside.result()

    assert (done_by == os.getpid()) is not worth
    assert secret == Secret(b"a value")


def test_an_exception_comes_from_aside() -> None:
    with pytest.raises(ValueError, match="of its own"):
        Aside(_fail, worth=True).result()


def test_a_task_whose_process_died_is_done_here() -> None:
    parent = os.getpid()

    def task() -> str:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return "done"

    assert Aside(task, worth=True).result() == "done"
