"""Does a sweep of 1,000 cases cost more when 200,000 others wait for people? It must not.

python -m orchestration_pipelines_tests.trials.waiting [--waiting 200000] [--cases 1000] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from orchestration_pipelines.engine.deployment import Deployment
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row
from orchestration_pipelines.engine.workflow import Workflow, load_workflow
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.drawing import drawing, workflow_folder

#: what the issue allows
MOST = 1.2
_TIMES = 15
_LINES = (
    "service check",
    "user review orch:queue=reviews orch:approves=true",
    "service reserve undone by release",
    "service file",
    "end done",
    "end rejected",
    "received -> check -> flagged",
    "flagged -> review if large",
    "flagged -> reserve default",
    "review -> decided",
    'decided -> reserve if review.outcome = "approve"',
    "decided -> rejected default",
    "reserve -> file -> done",
    "timer late on review P30D -> rejected",
)
_WORKERS = """
from orchestration_pipelines import worker

class Register:
    def put(self, key):
        return key[:12]

TOOLS = {"register": Register}

@worker(inputs=("amount",), outputs=("large",))
def check(case):
    return {"large": case["amount"] >= 1000}

@worker(outputs=("receipt",), external="register")
def reserve(case, register):
    return {"receipt": register.put(case.idempotency_key)}

@worker(inputs=("receipt",), external="register")
def release(case, register):
    register.put(case.idempotency_key)

@worker(inputs=("receipt",))
def file(case):
    return None
"""


def _rows(prefix: str, count: int, amount: int) -> Iterator[Row]:
    for number in range(1, count + 1):
        yield Row(number, {"case_key": f"{prefix}-{number}", "amount": amount})


def _swept_s(engine: Engine, name: str, cases: int) -> float:
    """Submit cases that nobody has to look at, and the engine's seconds for the sweep that ends them."""
    engine.submit(_rows(name, cases, 10), requested_by="trial", source="trial")
    begun = time.monotonic()
    report = engine.sweep()
    spent = time.monotonic() - begun
    if report.errors or report.tally.closed["done"] != cases:
        raise RuntimeError(f"the sweep of {name} did not end its cases: {report.errors} {report.tally.closed}")
    return spent


def measure(place: Path, waiting: int, cases: int) -> dict[str, float]:
    """Median seconds of a sweep with none waiting and with many, in turn on two databases of one server."""
    server = EmbeddedServer(Home(place / "home"))
    server.start()
    try:
        workflow = load_workflow(workflow_folder(place / "flow", drawing(*_LINES), _WORKERS))
        alone, beside = (_engine(server, name, workflow) for name in ("alone", "beside"))
        print(f"{waiting:,} cases go to the reviewer table", file=sys.stderr)
        beside.submit(_rows("waiting", waiting, 5_000), requested_by="trial", source="trial")
        while beside.sweep().tally.moved:
            print("  swept", file=sys.stderr)
        with beside.connect() as connection:
            found = connection.execute("SELECT count(*) FROM token WHERE status = 'waiting'").fetchone()
        if found != (waiting,):
            raise RuntimeError(f"{found} cases wait, not {waiting}")
        _settled(beside)
        spent: dict[str, list[float]] = {"alone": [], "beside": []}
        for turn in range(-1, _TIMES):  # the first turn warms both up and does not count
            for name, engine in (("alone", alone), ("beside", beside)):
                seconds = _swept_s(engine, f"{name}{turn}", cases)
                spent[name] += [seconds] if turn >= 0 else []
    finally:
        server.remove()
    none, many = (statistics.median(spent[name]) for name in ("alone", "beside"))
    return {
        "waiting": waiting,
        "cases": cases,
        "seconds_with_none": round(none, 4),
        "seconds_with_waiting": round(many, 4),
        "ratio": round(many / none, 3),
    }


def _engine(server: EmbeddedServer, name: str, workflow: Workflow) -> Engine:
    deployment = Deployment(server.home, server.url(name))
    deployment.prepare()
    return deployment.engine(workflow)


def _settled(engine: Engine) -> None:
    """What follows a bulk load is done before anything is measured: the write-ahead log and the visibility map."""
    with psycopg.connect(engine.url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def missed(found: dict[str, float]) -> list[str]:
    """The aim, if it was not reached."""
    return (
        [f"{found['ratio']} times as long beside {found['waiting']:,} waiting, not {MOST}"]
        if found["ratio"] > MOST
        else []
    )


def main() -> int:
    """Run the trial; 1 if a sweep cost more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waiting", type=int, default=200_000)
    parser.add_argument("--cases", type=int, default=1_000)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        figures = measure(Path(place), wanted.waiting, wanted.cases)
    print(json.dumps(figures) if wanted.json else "\n".join(f"{name:22} {value}" for name, value in figures.items()))
    return 1 if missed(figures) else 0


if __name__ == "__main__":
    sys.exit(main())
