"""Writers take turns in the order they came."""

from __future__ import annotations

import threading
import time

import pytest

from records.errors import StoreError
from store.turns import Turns


def test_nobody_writes_while_another_does() -> None:
    turns, inside, most = Turns(), [], []

    def write() -> None:
        for _ in range(50):
            with turns.turn(within=30):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 300
    assert max(most) == 1


def test_who_came_first_is_served_first() -> None:
    turns, served = Turns(), []

    def write(number: int) -> None:
        with turns.turn(within=30):
            served.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    with turns.turn(within=1):
        for number, thread in enumerate(threads):
            thread.start()
            while len(turns._waiting) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert served == list(range(8))


def test_a_turn_that_does_not_come_is_an_error_and_holds_up_nobody_else() -> None:
    turns, refused = Turns(), []
    with turns.turn(within=1):
        waiting = threading.Thread(target=_too_late, args=(turns, refused))
        waiting.start()
        waiting.join()
    assert refused == ["busy"]
    with turns.turn(within=0.01):
        pass


def _too_late(turns: Turns, refused: list[str]) -> None:
    try:
        with turns.turn(within=0.01):
            refused.append("written")
    except StoreError:
        refused.append("busy")


def test_a_transaction_inside_another_is_refused_at_once_instead_of_waiting_for_itself() -> None:
    turns = Turns()
    with turns.turn(within=60), pytest.raises(StoreError, match="inside another"), turns.turn(within=60):
        pass


def test_a_turn_ends_when_its_work_fails() -> None:
    turns = Turns()
    with pytest.raises(KeyError), turns.turn(within=1):
        raise KeyError
    with turns.turn(within=0.01):
        pass


def test_who_is_urgent_waits_for_nobody_but_the_one_whose_turn_it_is() -> None:
    turns, order, in_line = Turns(), list[str](), list[threading.Thread]()

    def take(name: str, *, urgent: bool) -> None:
        with turns.turn(within=10, urgent=urgent):
            order.append(name)

    with turns.turn(within=1):
        for name in ("first", "second", "urgent", "third", "urgent too"):
            in_line.append(threading.Thread(target=take, args=(name,), kwargs={"urgent": "urgent" in name}))
            in_line[-1].start()
            time.sleep(0.05)
        assert order == []
    for thread in in_line:
        thread.join()
    assert order == ["urgent", "urgent too", "first", "second", "third"]
