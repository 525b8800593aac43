"""The kill trial: nothing lost, nothing twice, whatever is killed and whenever.

    python -m orchestration_pipelines_tests.trials.kills [--small] [--seed N]

Mortgage applications arrive in waves and people decide, while ``orchestrate up`` with all its parts, runs of Dagster's,
plain sweeping processes and PostgreSQL are killed (SIGKILL): at random instants, and in each of the named windows
between a claim, an effect and its advance. Then nothing is killed any more, what is left is finished, and the judge
looks at the databases. Time runs as it does: no clock is set.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from orchestration_pipelines.cli.parts import marks
from orchestration_pipelines.engine.failpoint import WINDOWS
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.defs.live import Live, until
from orchestration_pipelines_tests.trials.applications import arriving
from orchestration_pipelines_tests.trials.ground import Ground
from orchestration_pipelines_tests.trials.judge import Findings, judge

SEED = 2
_MODULE = "orchestration_pipelines.definitions"
#: the n-th reaching of a window at which a process dies is drawn up to this
_DEEPEST = {"claimed": 6, "effect-done": 6, "mid-advance": 6, "decided": 2, "compensating": 3}
#: of what a wave asks for, the lender lends so much: the rest is LIMIT_EXCEEDED, and undone
_SHARE = 0.4
#: the investor takes fewer houses of several units than usually: more commitments are reversed
_MULTI_UNIT_MOST = 0.6
_PATIENCE_S = 90.0
#: small chunks: a kill hits some of the cases at work, and a window is reached more often
_STEPS = ("--chunk", "50")


@dataclass(frozen=True)
class Size:
    """How much is killed."""

    in_each_window: int
    wave: int  #: applications that arrive before a kill in a window
    with_dagster: int  #: applications that arrive under ``orchestrate up``; 0 leaves that part out
    runs: int  #: runs of Dagster's that are killed
    deepest: int  #: at which reaching of a window at the most
    settled_s: float  #: at the end: nothing has moved for so long
    least: int  #: kills in the whole trial


FULL = Size(in_each_window=10, wave=40, with_dagster=800, runs=6, deepest=6, settled_s=6, least=60)
SMALL = Size(in_each_window=1, wave=25, with_dagster=0, runs=0, deepest=1, settled_s=3, least=5)


@dataclass
class Toll:
    """What was killed: in a window by itself there, or by the trial; counted when it was seen dead of SIGKILL."""

    windows: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All kills."""
        return self.windows.total() + self.others.total()


class KillTrial:
    """One trial on one ground."""

    def __init__(self, ground: Ground, size: Size, seed: int) -> None:
        self.ground, self.size, self.chance = ground, size, random.Random(seed)
        self.toll = Toll()
        self.keys: list[str] = []
        self._applications = arriving()
        self._begun = time.monotonic()
        self._people: subprocess.Popen[bytes] | None = None
        ground.lender("UPDATE lender.investor SET multi_unit_most = %s", _MULTI_UNIT_MOST)

    def tell(self, what: str) -> None:
        """Progress, with what was killed so far."""
        print(f"[{time.monotonic() - self._begun:5.0f} s] {what} ({self.toll.total} kills)", flush=True)

    def arrive(self, count: int) -> None:
        """A wave of applications."""
        wave = list(islice(self._applications, count))
        self.keys += [columns["case_key"] for columns in wave]
        self.ground.arrive(wave, _SHARE)

    # -- under orchestrate up

    def under_up(self, place: Path) -> None:
        """Dagster's sensors launch the runs; runs, daemon, code server, ``up`` itself and PostgreSQL are killed."""
        live = Live(place, _MODULE)
        try:
            live.start()
            self.tell("orchestrate up is up")
            acts = ["run"] * self.size.runs + ["daemon", "daemon", "code", "webserver", "up", "up", "PostgreSQL"]
            self.chance.shuffle(acts)
            for act in acts:
                self.arrive(self.size.with_dagster // len(acts))
                time.sleep(self.chance.uniform(0, 3))
                self._kill_of(live, act)
                self.tell(f"killed under orchestrate up: {act}")
            live.end(signal.SIGTERM)
            until(30, "orchestrate up has ended what it started", lambda: not self._of_up(live))
        finally:
            if live.process is not None and live.process.poll() is None:
                live.end(signal.SIGTERM)
            for pid in self._of_up(live):
                os.kill(pid, signal.SIGKILL)

    def _of_up(self, live: Live) -> list[int]:
        """What runs at this home, the trial's people aside."""
        return [pid for pid in live.processes() if self._people is None or pid != self._people.pid]

    def _kill_of(self, live: Live, act: str) -> None:
        if act == "run":
            pid = until(_PATIENCE_S, "a run of Dagster's sweeps", partial(self._run_at_work, live))
            time.sleep(self.chance.uniform(0, 0.5))
            self.toll.others["Dagster's runs"] += _kill(pid)
        elif act == "up":
            assert live.process is not None
            live.process.kill()
            self.toll.others["orchestrate up"] += live.process.wait() == -signal.SIGKILL
            live.start()
        elif act == "PostgreSQL":
            self.kill_postgresql()
            until(_PATIENCE_S, "orchestrate up starts PostgreSQL again", self.ground.server.answers)
        else:
            pid = until(_PATIENCE_S, f"{act} is there", partial(_part_of, live, act))
            self.toll.others[f"Dagster's {act}"] += _kill(pid)

    def _run_at_work(self, live: Live) -> int | None:
        rows = self.ground.sql("SELECT pid FROM sweeper WHERE ended_at IS NULL AND run <> 'trial' ORDER BY id DESC")
        living = set(live.processes())
        return next((pid for (pid,) in rows if pid in living), None)

    def kill_postgresql(self) -> None:
        """As a power cut would: the postmaster and its children."""
        assert self.ground.server.answers()
        self.ground.server.kill()
        until(10, "PostgreSQL is dead", lambda: not self.ground.server.answers())
        self.toll.others["PostgreSQL"] += 1

    # -- in the windows

    def in_the_windows(self) -> None:
        """One sweeper after the other dies in a window; now and then beside another, that dies at a random instant."""
        wanted = dict.fromkeys(WINDOWS, self.size.in_each_window)
        turn = 0
        while left := [window for window, count in wanted.items() if self.toll.windows[window] < count]:
            turn += 1
            assert turn <= 4 * sum(wanted.values()), f"these windows are not reached: {left}"
            self.arrive(self.size.wave)
            window = self.chance.choice(left)
            point = f"{window}:{self.chance.randint(1, min(self.size.deepest, _DEEPEST[window]))}"
            with ExitStack() as ending:
                if turn % 3 == 0:
                    beside = self.ground.start("sweeper", *_STEPS, "--idle", "60")
                    ending.callback(_end, beside)
                    time.sleep(self.chance.uniform(1, 3))
                armed = self.ground.start("sweeper", *_STEPS, "--idle", "4", failpoint=point)
                ending.callback(_end, armed)
                if turn % 3 == 0:
                    time.sleep(self.chance.uniform(0, 2))
                    self.toll.others["sweepers at random instants"] += _end(beside)
                if turn == 2 * len(WINDOWS):
                    self.kill_postgresql()
                    self.ground.server.start()
                died = armed.wait(timeout=_PATIENCE_S) == -signal.SIGKILL
            self.toll.windows[window] += died
            self.tell(f"{point} {'reached' if died else 'not reached'}, {self.ground.still_open()} open")

    # -- and then

    def finish(self) -> None:
        """Nothing is killed any more: sweep, and let people decide, until nothing moves."""
        for _ in range(10):
            before = self.ground.still_open()
            self.tell(f"finishing: {before} open")
            sweeper = self.ground.start("sweeper", "--idle", str(self.size.settled_s))
            try:
                assert sweeper.wait(timeout=600) == 0
            finally:
                _end(sweeper)
            if self.ground.still_open() in (0, before):
                return

    def run(self, place: Path) -> Findings:
        """The whole trial; what the judge found."""
        people = self._people = self.ground.start("people")
        try:
            if self.size.with_dagster:
                self.under_up(place)
                self.ground.server.start()
            self.in_the_windows()
            self.finish()
            assert people.poll() is None, "the people's process has ended: see people.log"
        finally:
            _end(people)
        self.tell(f"judging {len(self.keys)} cases")
        return judge(self.ground, self.keys)

    def figures(self) -> dict[str, Any]:
        """What was killed, and what became of the cases."""
        ((declined, approved, compensated, returned),) = self.ground.sql(
            "SELECT count(*) FILTER (WHERE outcome = 'declined'), count(*) FILTER (WHERE outcome = 'approved'), "
            "(SELECT count(DISTINCT case_id) FROM compensation WHERE status = 'consumed'), "
            "(SELECT count(*) FROM review_decision WHERE outcome = 'return') FROM cases"
        )
        return {
            **{f"kills in {window}": self.toll.windows[window] for window in WINDOWS},
            **{f"kills of {what}": count for what, count in sorted(self.toll.others.items())},
            "kills": self.toll.total,
            "cases": len(self.keys),
            "approved": approved,
            "declined": declined,
            "compensated": compensated,
            "returned by people": returned,
            "seconds": round(time.monotonic() - self._begun),
        }


def _part_of(live: Live, part: str) -> int | None:
    """The process that leads a part of ``up``, as ``up`` noted it."""
    pid = int(json.loads((marks(live.home) / f"{part}.json").read_text())["group"])
    return pid if _lives(pid) else None


def _kill(pid: int | None) -> bool:
    """SIGKILL to somebody else's child; whether it was there, and is gone."""
    assert pid is not None
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    until(10, f"process {pid} is gone", lambda: not _lives(pid))
    return True


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> bool:
    """SIGKILL to a child; whether that is what it died of."""
    if process.poll() is not None:
        return False
    process.kill()
    return process.wait() == -signal.SIGKILL


@contextmanager
def ground_of_its_own() -> Iterator[tuple[Ground, Path]]:
    """A home with an embedded PostgreSQL, durability on; all of it is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        server = EmbeddedServer(Home(place / "home").ensure())
        try:
            server.start()
            yield Ground(place / "home", server), place
        finally:
            server.remove()


def missed(figures: dict[str, Any], size: Size, findings: Findings) -> list[str]:
    """What the trial asked for and did not get, and what the judge found."""
    short = [
        f"{figures[f'kills in {window}']} kills in {window}, not {size.in_each_window}"
        for window in WINDOWS
        if figures[f"kills in {window}"] < size.in_each_window
    ]
    if figures["kills"] < size.least:
        short.append(f"{figures['kills']} kills, not {size.least}")
    for rule, broken in findings.items():
        short += [f"BROKEN: {rule}: {len(broken)} times", *(f"  {each}" for each in broken[:10])]
    return short


def measure(size: Size, seed: int) -> tuple[dict[str, Any], list[str]]:
    """Run the trial; its figures, and what was missed."""
    with ground_of_its_own() as (ground, place):
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            [(value,)] = ground.sql(f"SHOW {setting}")
            assert value == "on", f"{setting} is {value}"
        trial = KillTrial(ground, size, seed)
        findings = trial.run(place)
        figures = trial.figures()
        return figures, missed(figures, size, findings)


def main(words: Sequence[str] | None = None) -> int:
    """Run, print, and say by the exit code whether anything was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="without Dagster, one kill in each window")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args(words)
    figures, short = measure(SMALL if asked.small else FULL, asked.seed)
    print("\n".join([*(f"{name:40} {value}" for name, value in figures.items()), *short]))
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
