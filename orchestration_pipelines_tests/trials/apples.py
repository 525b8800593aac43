"""One bad apple: whatever one case or one station does, the others of its chunk and sweep finish.

    python -m orchestration_pipelines_tests.trials.apples [--small]

A case that breaks the advance, one whose worker hangs, a station that fails outright: in one sweep with thousands of
others. Then a case that kills its process, in processes of their own. Each ends as a dead letter with its reason.
Retries are waited for by a clock that is set; nothing else is.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store import schema, urls
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines.store.tokens import CRASHES_ALLOWED
from orchestration_pipelines_tests.conftest import SetClock
from orchestration_pipelines_tests.drawing import drawing, workflow_folder
from orchestration_pipelines_tests.engine.flow import WORKERS, Flow

#: ``hasty`` has a second for each case; ``tell`` is the station that fails, where every fiftieth case comes by
LINES = (
    "service hasty",
    "service tell",
    "service reserve undone by release",
    "end done",
    "received -> hasty -> which",
    "which -> tell if amount > 900",
    "which -> reserve default",
    "tell -> reserve -> done",
)
_ONE_IN = 50
_PROCESSES = CRASHES_ALLOWED + 3
_REASONS = {
    "breaks the advance": "the advance was refused: RaiseException: this case cannot be written",
    "hangs": "TimedOut: no answer within 1 s",
    "station fails": "ConnectionError: nobody is there",
    "kills": f"the process ended {CRASHES_ALLOWED} times while it worked on this case",
}
_KILLER = """
import os

def hasty(case):
    if case.key == "kills":
        os.kill(os.getpid(), 9)

package.SCRIPT["hasty"] = hasty
"""


class Apples:
    """One flow with thousands of sound cases and the bad ones among them."""

    def __init__(self, url: str, place: Path, cases: int) -> None:
        self.place, self.cases = place, cases
        workflow = load_workflow(workflow_folder(place / "apples", drawing(*LINES, name="apples"), WORKERS))
        clock = SetClock()
        self.flow = Flow(Engine(url, workflow, clock=clock), clock)
        self.missed: list[str] = []

    def in_one_sweep(self) -> dict[str, Any]:
        """All but the one that kills: the sound ones finish in the very sweep in which the bad ones fail."""
        flow = self.flow
        some = self.cases // _ONE_IN
        sound = [f"K{number}" for number in range(self.cases - some - 2)]
        middle = len(sound) // 2
        flow.submit(*sound[:middle], "breaks the advance", "hangs", *sound[middle:])
        flow.submit(*(f"station fails {number}" for number in range(some)), amount=1_000)
        _refuse_writes_of(flow, "breaks the advance")
        over = threading.Event()
        flow.script["hasty"] = lambda case: over.wait() and None if case.key == "hangs" else None
        flow.script["tell"] = _fail
        try:
            begun = time.monotonic()
            flow.sweep()
            seconds = time.monotonic() - begun
            self._expect(sound, "in the first sweep")
            sweeps = 1
            while len(flow.letters()) < some + 2 and sweeps < 10:
                flow.clock.advance(hours=1)
                flow.sweep()
                sweeps += 1
        finally:
            over.set()
        return {
            "cases": self.cases,
            "sound, finished in the first sweep": sum(flow.ends()[key] == "done" for key in sound),
            "seconds of that sweep": round(seconds, 2),
            "sweeps until the last dead letter": sweeps,
        }

    def with_one_that_kills(self) -> dict[str, Any]:
        """Sweeping processes die of one case until it is given up; the others of its chunk are done by then."""
        flow = self.flow
        sound = [f"L{number}" for number in range(self.cases // 4)]
        middle = len(sound) // 2
        flow.submit(*sound[:middle], "kills", *sound[middle:])
        ends = [self._sweep_in_a_process()]
        while ends[-1] != 0 and len(ends) < _PROCESSES:
            ends.append(self._sweep_in_a_process())
        kills = ends.count(-signal.SIGKILL)
        if kills != CRASHES_ALLOWED or ends[-1] != 0:
            self.missed.append(f"the sweeping processes ended with {ends}")
        self._expect(sound, "beside one that kills")
        return {"processes killed by their case": kills, "sound beside it, finished": len(sound)}

    def _sweep_in_a_process(self) -> int:
        script = self.place / "killer.py"
        script.write_text(_KILLER)
        engine = self.flow.engine
        words = [engine.url, str(engine.workflow.folder), str(script), self.flow.clock().isoformat()]
        return subprocess.run(
            [sys.executable, "-m", "orchestration_pipelines_tests.engine.sweeping", *words],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "ORCHESTRATION_FAILPOINT": ""},
            timeout=300,
            check=False,
        ).returncode

    def _expect(self, sound: Sequence[str], when: str) -> None:
        ends = self.flow.ends()
        if left := [key for key in sound if ends[key] != "done"]:
            self.missed.append(f"{len(left)} sound cases did not finish {when}: {left[:5]}")

    def letters(self) -> dict[str, int]:
        """How many dead letters there are of each kind; each must say the true reason."""
        letters = self.flow.letters()
        kinds = {key: key.rstrip("0123456789 ") for key in letters}
        for key, error in letters.items():
            if not error.startswith(_REASONS.get(kinds[key], "?")):
                self.missed.append(f"{key} is a dead letter: {error}")
        counts = Counter(kinds.values())
        wanted = dict.fromkeys(_REASONS, 1) | {"station fails": self.cases // _ONE_IN}
        if counts != wanted:
            self.missed.append(f"dead letters: {dict(counts)}, not {wanted}")
        if broken := self.flow.broken_records():
            self.missed.append(f"records that do not verify: {broken}")
        return {f"dead letters: {kind}": counts[kind] for kind in _REASONS}


def _fail(_: Any) -> None:
    raise ConnectionError("nobody is there")


def _refuse_writes_of(flow: Flow, key: str) -> None:
    """The database refuses what is done for one case, as a constraint would."""
    [case_id] = [case_id for (case_id,) in flow.rows("SELECT id FROM cases WHERE case_key = %s", key)]
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'this case cannot be written'; END $$"
        )
        owner.execute(
            f"CREATE TRIGGER refuse BEFORE INSERT ON activity FOR EACH ROW WHEN (NEW.case_id = {case_id}) "
            "EXECUTE FUNCTION refuse()"
        )


def measure_on(url: str, place: Path, cases: int) -> tuple[dict[str, Any], list[str]]:
    """The trial on a migrated database; its figures, and what was missed."""
    apples = Apples(url, place, cases)
    figures = {**apples.in_one_sweep(), **apples.with_one_that_kills(), **apples.letters()}
    return figures, apples.missed


def measure(cases: int) -> tuple[dict[str, Any], list[str]]:
    """The trial on a server of its own, durability on."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        server = EmbeddedServer(Home(place / "home").ensure())
        try:
            server.start()
            urls.ensure_database(server.url())
            schema.migrate(server.url())
            return measure_on(server.url(), place, cases)
        finally:
            server.remove()


def main(words: Sequence[str] | None = None) -> int:
    """Run, print, and say by the exit code whether anything was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a few hundred cases")
    asked = parser.parse_args(words)
    figures, short = measure(400 if asked.small else 4_000)
    print("\n".join([*(f"{name:40} {value}" for name, value in figures.items()), *short]))
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
