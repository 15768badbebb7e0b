"""Machines from which many wrong passwords come wait longer and longer, whatever names they try."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock
from typing import Final

FREE_FAILURES: Final = 10  # a whole clinic may come from one address
FORGOTTEN_AFTER: Final = timedelta(minutes=15)
_LONGEST_WAIT: Final = timedelta(minutes=15)
_MOST_MACHINES: Final = 10_000


@dataclass(slots=True)
class _Machine:
    failures: int
    last: datetime
    free_at: datetime


class Slowdown:
    """Counts failures by machine, in memory: a restart forgets them, and nobody outside can cause one."""

    def __init__(self) -> None:
        self._machines: OrderedDict[str, _Machine] = OrderedDict()
        self._lock = Lock()

    def wait(self, address: str, *, now: datetime) -> timedelta:
        """How long this machine must wait before its next try; nothing for most."""
        with self._lock:
            machine = self._machines.get(_machine_of(address))
            return timedelta(0) if machine is None else max(machine.free_at - now, timedelta(0))

    def failed(self, address: str, *, now: datetime) -> None:
        """A wrong password or code came from this machine; each after the first `FREE_FAILURES` doubles the wait."""
        key = _machine_of(address)
        with self._lock:
            machine = self._machines.pop(key, None)
            if machine is None or now - machine.last >= FORGOTTEN_AFTER + _pause(machine.failures):
                machine = _Machine(0, now, now)
            machine.failures += 1
            machine.last, machine.free_at = now, now + _pause(machine.failures)
            self._machines[key] = machine
            if len(self._machines) > _MOST_MACHINES:
                self._machines.popitem(last=False)


def _pause(failures: int) -> timedelta:
    over = failures - FREE_FAILURES
    return timedelta(0) if over <= 0 else min(timedelta(seconds=2.0 ** min(over, 20)), _LONGEST_WAIT)


def _machine_of(address: str) -> str:
    """The address; of IPv6 its network of 64 bits, since one machine has as many addresses as it likes in there."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else str(parsed)
