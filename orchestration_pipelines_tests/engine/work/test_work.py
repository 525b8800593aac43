"""Human work under any order of acts: point 1 of what it must show. The full size is the trial ``work``."""

from __future__ import annotations

from pathlib import Path

from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.engine.work.machine import run
from orchestration_pipelines_tests.engine.work.office import Office


def test_the_laws_of_human_work_hold_after_every_step(server: EmbeddedServer, tmp_path: Path) -> None:
    """People, timers, managers, absences, crashes: no law is broken, and who may not is refused."""
    office = Office(server, tmp_path / "office")
    try:
        run(office, 8, 25, derandomize=True)
    finally:
        office.close()
    assert {"pull", "decide", "decline", "a sweeper died", "rung: remind"} <= set(+office.happened)
