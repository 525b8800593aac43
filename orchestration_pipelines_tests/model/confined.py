"""Hostile cases, each in a process with little memory and little time.

    python -m orchestration_pipelines_tests.model.confined MODULE

imports the module and forks for each of its ``CASES`` (name to function); a line of JSON says how each ended.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

#: what a case may take: seconds of work (ten times as much by the clock of a busy machine), MB beyond its start
SECONDS, MEGABYTES = 2, 200
_PATIENCE = 10


@dataclass(frozen=True, slots=True)
class End:
    """How a case ended."""

    outcome: str  #: the name of the error, "null" for null with its reason, "value"; or what the process died of
    message: str
    seconds: float
    megabytes: float

    @property
    def is_in_bounds(self) -> bool:
        """Within time and memory."""
        return self.seconds < SECONDS and self.megabytes < MEGABYTES


def ends(module: str) -> dict[str, End]:
    """How each case of a module ended."""
    command = [sys.executable, "-m", __name__, module]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return {name: End(**end) for name, end in map(json.loads, ran.stdout.splitlines())}


def _run(case: Callable[[], tuple[object, object]]) -> End:
    """A case in a child of this process."""
    reading, writing = os.pipe()
    before = _megabytes()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _in_the_child(case, writing)
    os.close(writing)
    in_time, _, _ = select.select([reading], [], [], SECONDS * _PATIENCE)
    if not in_time:
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, encoding="utf-8") as said:
        written = said.read()
    _, status, used = os.wait4(child, 0)
    seconds, grown = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024 - before
    if not written:
        return End(f"died of signal {status & 127}", "", seconds, grown)
    outcome, message = json.loads(written)
    return End(outcome, message, seconds, grown)


def _in_the_child(case: Callable[[], tuple[object, object]], writing: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEGABYTES * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS + 1, SECONDS + 1))
    try:
        value, told = case()
        outcome = "value" if value is not None else "null" if told else "null for no reason"
        message = str(told)[:300] if value is None else type(value).__name__
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is told, and the test judges it
        outcome, message = type(error).__name__, str(error)[:300]
    os.write(writing, json.dumps([outcome, message]).encode())
    os._exit(0)


def _megabytes() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1024 / 1024


def main(module: str) -> None:
    """Run the cases of a module."""
    cases: Mapping[str, Callable[[], tuple[object, object]]] = import_module(module).CASES
    for name, case in cases.items():
        began = time.monotonic()
        print(json.dumps([name, asdict(_run(case))]), flush=True)
        print(f"{time.monotonic() - began:5.2f} s  {name}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1])
