"""Every trial, one after the other; ``make trials`` runs this, and each trial's module runs alone.

Prints a table of figures at the end, and ends with 1 if one was missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from orchestration_pipelines.cli import bench_decisions
from orchestration_pipelines_tests.trials import (
    apples,
    connections,
    console,
    hands,
    kills,
    latency,
    lists,
    measures,
    mutants,
    races,
    routing,
    speed,
    standing,
    ticks,
    waiting,
    work,
)

#: what a trial measured, and what it missed
Measured = tuple[dict[str, Any], list[str]]


def _kills(small: bool) -> Measured:
    return kills.measure(kills.SMALL if small else kills.FULL, kills.SEED)


def _mutants(small: bool) -> Measured:
    found = mutants.measure(small=small)
    figures = {f"{verdict.scenario}, {verdict.name}": verdict.said for verdict in found}
    return figures, [line for verdict in found if not verdict.is_as_wanted for line in verdict.told()]


def _apples(small: bool) -> Measured:
    return apples.measure(400 if small else 4_000)


def _speed(small: bool) -> Measured:
    return speed.measure(small=small)


def _decisions(small: bool) -> Measured:
    found = bench_decisions.measure(1_000 if small else 50_000)
    figures = {f"{name}, a second": round(each["per_s"]) for name, each in found.items()}
    slow = [
        f"{name}: {each['per_s']:,.0f}/s, not {each['aim']:,.0f}"
        for name, each in found.items()
        if each["per_s"] < each["aim"]
    ]
    return figures, [] if small else slow


def _latency(small: bool) -> Measured:
    if small:  # on a busy machine seconds say little: what must hold is that every decision takes effect
        return latency.measure(3, 0, 30), []
    found = latency.measure(100, 300_000, 1_000)
    return found, latency.missed(found)


def _connections(small: bool) -> Measured:
    found = connections.measure(2, 8, 10.0) if small else connections.measure(8, 50, 40.0)
    return found, connections.missed(found)


def _standing(small: bool) -> Measured:
    if small:  # seconds say little on a busy machine: every decision must take effect once
        found = standing.measure(10, 10, mean_gap_s=0.5)
        return found, standing.missed({name: value for name, value in found.items() if not name.endswith("_s")})
    found = standing.measure(100, 100)
    return found, standing.missed(found)


def _ticks(small: bool) -> Measured:
    found = ticks.measure(300 if small else 10_000)
    return dict(found), [] if small else ticks.missed(found)


def _waiting(small: bool) -> Measured:
    with tempfile.TemporaryDirectory() as place:
        found = waiting.measure(Path(place), 3_000 if small else 200_000, 1_000)
    return found, [] if small else waiting.missed(found)


def _races(small: bool) -> Measured:
    return races.measure(30, 200) if small else races.measure(2_500, 500)


def _hands(small: bool) -> Measured:
    found, short = hands.measure(20_000, 50, 20) if small else hands.measure(1_000_000, 1_000, 100)
    return found, [] if small else short


def _lists(small: bool) -> Measured:
    found, short = lists.measure(2_000, 2) if small else lists.measure(100_000)
    return found, [] if small else short


def _routing(small: bool) -> Measured:
    return routing.measure(small=small)


def _work(small: bool) -> Measured:
    return work.measure(3, 20) if small else work.measure(200, 60)


def _console(small: bool) -> Measured:
    return console.measure(console.SMALL if small else console.FULL)


def _measures(small: bool) -> Measured:
    found = measures.measure(2_000 if small else 1_000_000)
    return dict(found), [] if small else measures.missed(found)


TRIALS: dict[str, Callable[[bool], Measured]] = {
    "kills": _kills,
    "mutants": _mutants,
    "apples": _apples,
    "speed": _speed,
    "decisions": _decisions,
    "ticks": _ticks,
    "waiting": _waiting,
    "races": _races,
    "hands": _hands,
    "lists": _lists,
    "routing": _routing,
    "work": _work,
    "measures": _measures,
    "console": _console,
    "latency": _latency,
    "standing": _standing,
    "connections": _connections,
}


def main(words: Sequence[str] | None = None) -> int:
    """Run them and show the table."""
    parser = argparse.ArgumentParser(prog="orchestration_pipelines_tests.trials", description=__doc__)
    parser.add_argument("--small", action="store_true", help="each at a reduced size")
    parser.add_argument("--only", choices=TRIALS, action="append", help="this trial; may be repeated")
    asked = parser.parse_args(words)
    table = Table("trial", "figure", "value", title="Trials", title_justify="left")
    short: list[str] = []
    for name in asked.only or TRIALS:
        print(f"== {name}", flush=True)
        begun = time.monotonic()
        try:
            figures, missed = TRIALS[name](asked.small)
        except Exception as error:  # noqa: BLE001 - a trial that breaks is told, and the others are still run
            figures, missed = {}, [f"{type(error).__name__}: {error}"]
        short += [f"{name}: {each}" for each in missed]
        for figure, value in figures.items():
            table.add_row(name, figure, str(value))
        table.add_row(name, "took", f"{time.monotonic() - begun:.0f} s", end_section=True)
    Console(width=120).print(table)
    print("\n".join(["MISSED:", *short] if short else ["nothing was missed"]))
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
