"""A process that ``orchestrate up`` keeps running: a process group of its own, known by a file in the home."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from orchestration_pipelines.store.home import Home

#: after a death: a second, then twice as long each time, up to this
_LONGEST_PAUSE_S = 30.0
#: a part that ran so long has recovered: its next death is a first one again
_STEADY_S = 60.0
#: alive but without an answer for so long: it hangs, and is ended and started again
_SILENT_S = 180.0
_LOOK_EVERY_S = 5.0
_LOG_BYTES = 20_000_000


class State(StrEnum):
    """Where a part stands."""

    STARTING = "starting"
    UP = "up"
    SILENT = "does not answer"
    DOWN = "died, starts again"


class Part:
    """One part: how it is started, how it is asked whether it is there, and where it stands."""

    def __init__(
        self, name: str, command: Sequence[str], home: Home, env: Mapping[str, str], answers: Callable[[float], bool]
    ) -> None:
        self.name, self.state = name, State.STARTING
        self.log = home.logs / f"{name}.log"
        self._command, self._env = list(command), dict(env)
        self._answers = answers  #: given the time at which it was started
        self._mark = marks(home) / f"{name}.json"
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._heard = self._looked = 0.0
        self._deaths, self._again_at = 0, 0.0

    def start(self) -> None:
        """Start it in a session of its own: a Ctrl-C in the terminal reaches it through us alone."""
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - Dagster's own programs
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._env,
                start_new_session=True,
            )
        self._mark.write_text(json.dumps({"group": self._process.pid}))
        self._started = self._heard = time.time()
        self._looked, self.state = 0.0, State.STARTING

    def look(self) -> str | None:
        """See how it is, start it again if it is time; what a person should be told, if anything."""
        now = time.time()
        if self._process is None:
            if now >= self._again_at:
                self.start()
            return None
        if (code := self._process.poll()) is not None:
            return self._died(f"ended with {'signal' if code < 0 else 'exit code'} {abs(code)}")
        if self.state is State.UP and now - self._looked < _LOOK_EVERY_S:
            return None
        self._looked, before = now, self.state
        if self._answers(self._started):
            self._heard, self.state = now, State.UP
            if now - self._started > _STEADY_S:
                self._deaths = 0
            return f"{self.name} is up" if before is not State.UP else None
        if now - self._heard > _SILENT_S:
            return self._died(f"did not answer for {_SILENT_S:.0f} s")
        if before is State.UP:
            self.state = State.SILENT
            return f"{self.name} does not answer; see {self.log}"
        return None

    def _died(self, how: str) -> str:
        pause = min(_LONGEST_PAUSE_S, 2.0**self._deaths)
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        self._process, self.state = None, State.DOWN
        self._deaths, self._again_at = self._deaths + 1, time.time() + pause
        return f"{self.name} {how}; it is started again in {pause:.0f} s. See {self.log}"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the part and all that it started."""
        if self._process is not None:
            _signal_group(self._process.pid, number)

    def is_gone(self) -> bool:
        """Whether nothing of it runs any more; forgets it then."""
        if self._process is not None:
            self._process.poll()
            if any(True for _ in members(self._process.pid)):
                return False
        self._mark.unlink(missing_ok=True)
        return True


def marks(home: Home) -> Path:
    """The folder of the files by which the next start finds what a killed one left behind."""
    return home.root / "run"


def stop_all(parts: Sequence[Part], patience_s: float) -> list[str]:
    """Ask all to end, and end those that do not; returns the names of these."""
    for part in parts:
        part.signal(signal.SIGTERM)
    _wait(parts, patience_s)
    stubborn = [part for part in parts if not part.is_gone()]
    for part in stubborn:
        part.signal(signal.SIGKILL)
    _wait(stubborn, patience_s)
    return [part.name for part in stubborn]


def _wait(parts: Sequence[Part], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and any(not part.is_gone() for part in parts):
        time.sleep(0.05)


def end_leftovers(home: Home) -> list[str]:
    """End what an ``up`` that was killed hard left running; returns the names of the parts."""
    ended: list[str] = []
    for mark in sorted(marks(home).glob("*.json")):
        group = int(json.loads(mark.read_text())["group"])
        if any(_is_of(process, home) for process in members(group)):
            _signal_group(group, signal.SIGKILL)
            ended.append(mark.stem)
            while any(True for _ in members(group)):
                time.sleep(0.05)
        mark.unlink()
    return ended


def _is_of(process: int, home: Home) -> bool:
    """Whether a process was started for this home: the number in a file may be somebody else's by now."""
    wanted = f"ORCHESTRATION_HOME={home.root}".encode()
    try:
        if Path("/proc").is_dir():
            return wanted in Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
        shown = subprocess.run(["/bin/ps", "eww", "-p", str(process)], capture_output=True, check=False)  # noqa: S603 - a number of ours
    except OSError:
        return False  # it ended, or is another user's
    return wanted in shown.stdout.split()


def members(group: int) -> Iterator[int]:
    """The living processes of a process group; one that only waits to be reaped does not live."""
    if Path("/proc").is_dir():
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    state, _, its_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                except OSError:
                    continue  # it ended while we looked
                if int(its_group) == group and state not in "ZX":
                    yield int(entry.name)
        return
    shown = subprocess.run(["/bin/ps", "-Ao", "pid=,pgid=,stat="], capture_output=True, text=True, check=False)
    for line in shown.stdout.splitlines():
        pid, its_group, state = line.split()
        if int(its_group) == group and not state.startswith("Z"):
            yield int(pid)


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # all of it has ended
