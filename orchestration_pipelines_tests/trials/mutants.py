"""The mutants: the product without one of its precautions, which the judge must see; and with all of them, nothing.

    python -m orchestration_pipelines_tests.trials.mutants [--small]

Each scenario is run without a mutation first, at the same points: a check that also finds fault there is worthless.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from orchestration_pipelines.engine.reviews import Refused
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines.store.tokens import CRASHES_ALLOWED
from orchestration_pipelines.workflows.mortgage_underwriting.scorer import scorer_in
from orchestration_pipelines_tests.defs.live import until
from orchestration_pipelines_tests.trials.applications import arriving
from orchestration_pipelines_tests.trials.ground import Ground
from orchestration_pipelines_tests.trials.judge import Findings, judge
from orchestration_pipelines_tests.trials.people import play

_WAVE = 20
_SHARE = 0.3
#: a lease that is soon lived out, and how long the next sweeper waits for that
_LEASE_S, _IDLE_S = 1.0, 2.0
_PATIENCE_S = 60.0
_PASSES = 5
#: a case that has killed so many processes would go on for ever
_KILLS_BORNE = CRASHES_ALLOWED + 1
GIVEN_UP = f"a case that kills its process is given up after {CRASHES_ALLOWED} times"


class Run:
    """One scenario on a ground of its own, with the product as it is or as a mutant."""

    def __init__(self, ground: Ground, mutant: str | None) -> None:
        self.ground = ground
        self.keys: list[str] = []
        self._applications = arriving()
        self._words = ["--lanes", "1", *(["--mutant", mutant] if mutant else [])]

    def arrive(self) -> list[str]:
        """A wave of applications; their keys."""
        wave = list(islice(self._applications, _WAVE))
        self.keys += (keys := [columns["case_key"] for columns in wave])
        self.ground.arrive(wave, _SHARE)
        return keys

    def sweep(self, *words: str, failpoint: str = "", idle: float = 0.0) -> int:
        """A sweeping process to its end; its exit code, negative for the signal that ended it."""
        process = self.ground.start("sweeper", *self._words, "--idle", str(idle), *words, failpoint=failpoint)
        try:
            return process.wait(timeout=_PATIENCE_S)
        finally:
            _end(process)

    def finish(self) -> None:
        """Nothing is killed any more: sweep and decide until nothing moves."""
        for _ in range(_PASSES):
            sweeper = self.ground.start("sweeper", *self._words, "--idle", "1.5")
            try:
                while sweeper.poll() is None:
                    self._play()
                    time.sleep(0.1)
            finally:
                _end(sweeper)
            if not self._play() and not self.ground.sql("SELECT FROM token WHERE status = 'ready'"):
                return

    def _play(self) -> int:
        """A mutant may show a task that is none any more: the judge sees what stands."""
        with suppress(Refused):
            return play(self.ground.engine)
        return 0

    # -- the scenarios

    def killed_at(self, points: Sequence[str]) -> Findings:
        """A new wave and a kill at each point."""
        for point in points:
            self.arrive()
            died = self.sweep(failpoint=point) == -signal.SIGKILL
            if not died:  # what only comes behind a person
                self._play()
                died = self.sweep(failpoint=point) == -signal.SIGKILL
            assert died, f"{point} is not reached"
        self.finish()
        return judge(self.ground, self.keys)

    def stopped_at(self, points: Sequence[str]) -> Findings:
        """A sweeper stops behind its work, another takes its lease over, and then the first one goes on."""
        for point in points:
            self.arrive()
            if point.startswith("decided"):
                self.sweep()
                self._play()
            lease = ["--lease", str(_LEASE_S)]
            first = self.ground.start("sweeper", *self._words, *lease, "--stop", point, "--idle", "0")
            try:
                until(_PATIENCE_S, f"the sweeper stops at {point}", partial(_is_stopped, first.pid))
                assert self.sweep(*lease, idle=_IDLE_S) == 0
                first.send_signal(signal.SIGCONT)
                assert first.wait(timeout=_PATIENCE_S) == 0
            finally:
                _end(first)
        self.finish()
        return judge(self.ground, self.keys)

    def killed_by_a_case(self, _: Sequence[str]) -> Findings:
        """One case of the wave kills whoever works on it."""
        killer = self.arrive()[_WAVE // 2]
        kills = 0
        while kills < _KILLS_BORNE and self.sweep("--killer", killer) == -signal.SIGKILL:
            kills += 1
        if kills == _KILLS_BORNE:
            return {GIVEN_UP: [f"case {killer} killed {kills} processes, and would go on"]}
        self.finish()
        found = judge(self.ground, self.keys, dead=[killer])
        letters = self.ground.sql("SELECT d.error FROM dead_letter d JOIN cases c ON c.id = d.case_id")
        if kills != CRASHES_ALLOWED or letters != [(f"the process ended {kills} times while it worked on this case",)]:
            found[GIVEN_UP] = [f"case {killer} killed {kills} processes; dead letters: {letters}"]
        return found


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@dataclass(frozen=True)
class Scenario:
    """What is done, at which points, and what it must find out."""

    name: str
    play: Callable[[Run, Sequence[str]], Findings]
    points: Sequence[str]
    some_points: Sequence[str]  #: for a reduced run
    mutants: Sequence[str]


SCENARIOS = (
    Scenario(
        "killed in the windows",
        Run.killed_at,
        # the sixth effect of a first wave is the first compensation
        [
            *(f"effect-done:{nth}" for nth in (6, 1, 2, 3, 4, 5, 7)),
            "claimed:2",
            "decided:1",
            "compensating:1",
            "mid-advance:3",
        ],
        ["effect-done:6", "effect-done:2"],
        ["no_idempotency_key", "effect_after_advance"],
    ),
    Scenario(
        "stopped, and overtaken",
        Run.stopped_at,
        ["decided:1", "effect-done:1", "effect-done:2", "effect-done:3"],
        ["effect-done:2"],
        ["no_lease_check"],
    ),
    Scenario("a case that kills", Run.killed_by_a_case, [], [], ["attempt_not_counted"]),
)


@dataclass(frozen=True)
class Verdict:
    """What the judge found in one run."""

    scenario: str
    mutant: str | None
    findings: Findings
    seconds: float

    @property
    def is_as_wanted(self) -> bool:
        """A mutant is caught, and the product as it is passes."""
        return bool(self.findings) == (self.mutant is not None)

    @property
    def name(self) -> str:
        """The mutant's."""
        return self.mutant or "no mutation"

    @property
    def said(self) -> str:
        """What came of it, in two words."""
        if self.findings:
            return "caught" if self.mutant else "FAILS"
        return "NOT CAUGHT" if self.mutant else "passes"

    def told(self) -> list[str]:
        """In lines, with an example of each rule that was broken."""
        lines = [f"{self.scenario:24} {self.name:22} {self.said} ({self.seconds:.0f} s)"]
        return lines + [
            f"    by: {rule} ({len(broken)}): {_first_line(broken)}" for rule, broken in self.findings.items()
        ]


def _first_line(broken: Sequence[str]) -> str:
    return broken[0].partition("\n")[0]


def verdicts(server: EmbeddedServer, place: Path, *, small: bool) -> Iterator[Verdict]:
    """Run every scenario, without a mutation and with each of its mutants."""
    scorer_in(place / "artefacts")
    for scenario in SCENARIOS:
        for mutant in (None, *scenario.mutants):
            begun = time.monotonic()
            with _ground(server, place, f"trial_{os.getpid()}_{time.monotonic_ns()}") as ground:
                points = scenario.some_points if small else scenario.points
                yield Verdict(
                    scenario.name, mutant, scenario.play(Run(ground, mutant), points), time.monotonic() - begun
                )


@contextmanager
def _ground(server: EmbeddedServer, place: Path, database: str) -> Iterator[Ground]:
    home = Home(place / database).ensure()
    shutil.copytree(place / "artefacts", home.artefacts, dirs_exist_ok=True)
    ground = Ground(home.root, server, database)
    try:
        yield ground
    finally:
        ground.drop()


def measure(*, small: bool) -> list[Verdict]:
    """All of it on a server of its own, durability on; each verdict is printed as it comes."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        server = EmbeddedServer(Home(place / "home").ensure())
        found: list[Verdict] = []
        try:
            server.start()
            for verdict in verdicts(server, place, small=small):
                found.append(verdict)
                print("\n".join(verdict.told()), flush=True)
        finally:
            server.remove()
        return found


def main(words: Sequence[str] | None = None) -> int:
    """Run, print, and say by the exit code whether each mutant was caught and the product passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="fewer points")
    asked = parser.parse_args(words)
    return 0 if all(verdict.is_as_wanted for verdict in measure(small=asked.small)) else 1


if __name__ == "__main__":
    sys.exit(main())
