"""The benchmark's own process: one Dagster run, so that its memory is measured alone."""

from __future__ import annotations

import json
import sys
import time

import dagster as dg

from orchestration_pipelines.cli.bench import FLOW, peak_rss_mb, take_in
from orchestration_pipelines.defs.jobs import workflow_job
from orchestration_pipelines.defs.resources import run_sweep_resource
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Submitted
from orchestration_pipelines.engine.workflow import load_workflow


def main(url: str, cases: int) -> None:
    """Run the flow and print the figures as one line of JSON."""
    workflow = load_workflow(FLOW)
    engine = Engine(url, workflow)
    begun: list[float] = []

    def take_in_timed(given: Engine) -> Submitted:
        begun.append(time.monotonic())
        submitted = take_in(given, cases)
        begun.append(time.monotonic())
        return submitted

    runs = run_sweep_resource(engine, seconds=3_600)
    job = workflow_job(workflow, {"bench": take_in_timed}, resource=runs.definition)
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            instance=instance,
            run_config={"ops": {"receive": {"config": {"source": "bench"}}}},
            raise_on_error=True,
        )
    tally = runs.last().tally
    ended = runs.last().last_advance
    seconds = ended - begun[0]
    figures = {
        "cases": cases,
        "cases_per_s": round(cases / seconds, 1),
        "seconds": round(seconds, 2),
        "stations": {
            "receive": round(begun[1] - begun[0], 2),
            **{station: round(spent, 2) for station, spent in tally.seconds.items()},
        },
        "peak_rss_mb": peak_rss_mb(),
        "run_id": result.run_id,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
