"""The speed trial: ``orchestrate bench`` at several sizes, each in a process and on databases of its own.

python -m orchestration_pipelines_tests.trials.speed [--small]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer

_ORCHESTRATE = Path(sys.executable).with_name("orchestrate")
_LEAST_PER_S, _LEAST_OF_FLOOR = 3_500, 0.4
_MOST_MB, _FLAT = 500, 0.2
_FEW, _MANY, _MOST = 30_000, 100_000, 300_000


def measure(*, small: bool) -> tuple[dict[str, Any], list[str]]:
    """The figures at each size, and the aims that were missed; a reduced run has none for the speed."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        try:
            if small:
                figures = _bench(home, 2_000, "--floor")
                return _shown("2000", figures), _too_large([figures])
            few, many, most = _bench(home, _FEW), _bench(home, _MANY, "--floor"), _bench(home, _MOST)
        finally:
            EmbeddedServer(home).remove()
    figures = {**_shown(f"{_FEW}", few), **_shown(f"{_MANY}", many), **_shown(f"{_MOST}", most)}
    short = _too_large([few, many, most])
    if many["cases_per_s"] < _LEAST_PER_S:
        short.append(f"{many['cases_per_s']} cases/s, not {_LEAST_PER_S}")
    if many["ratio_to_floor"] < _LEAST_OF_FLOOR:
        short.append(f"{many['ratio_to_floor']} of the floor, not {_LEAST_OF_FLOOR}")
    if abs(most["cases_per_s"] / few["cases_per_s"] - 1) > _FLAT:
        short.append(
            f"{most['cases_per_s']} cases/s at {_MOST}, {few['cases_per_s']} at {_FEW}: not within {_FLAT:.0%}"
        )
    if most["peak_rss_mb"] > many["peak_rss_mb"] * (1 + _FLAT):
        short.append(f"{most['peak_rss_mb']} MB at {_MOST}, {many['peak_rss_mb']} at {_MANY}: not flat")
    return figures, short


def _too_large(runs: Sequence[dict[str, Any]]) -> list[str]:
    return [f"{run['peak_rss_mb']} MB, not {_MOST_MB}" for run in runs if run["peak_rss_mb"] > _MOST_MB]


def _shown(size: str, figures: dict[str, Any]) -> dict[str, Any]:
    wanted = ("cases_per_s", "floor_cases_per_s", "ratio_to_floor", "peak_rss_mb", "db_bytes_per_case")
    return {f"{name} at {size}": figures[name] for name in wanted if name in figures}


def _bench(home: Home, cases: int, floor: str = "--no-floor") -> dict[str, Any]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ORCHESTRATION_", "DAGSTER_"))}
    ran = subprocess.run(
        [str(_ORCHESTRATE), "bench", "--cases", str(cases), floor, "--json"],
        env={**env, "ORCHESTRATION_HOME": str(home.root)},
        stdout=subprocess.PIPE,
        check=True,
    )
    figures: dict[str, Any] = json.loads(ran.stdout)
    return figures


def main(words: Sequence[str] | None = None) -> int:
    """Run, print, and say by the exit code whether an aim was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="2,000 cases, and no aim for the speed")
    asked = parser.parse_args(words)
    figures, short = measure(small=asked.small)
    print("\n".join([*(f"{name:40} {value}" for name, value in figures.items()), *short]))
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
