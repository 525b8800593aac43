"""The Dagster job of a workflow, built from its drawing."""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from orchestration_pipelines.defs.ops import (
    DONE,
    EARLIER,
    dispatch_op,
    earlier_op,
    op_name,
    receive_op,
    report_op,
    station_op,
)
from orchestration_pipelines.defs.resources import sweep_resource
from orchestration_pipelines.defs.sensors import SWEEP, WHOLE
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Submitted
from orchestration_pipelines.engine.order import handoffs, sweeping_order
from orchestration_pipelines.engine.workflow import Workflow

Shipped = Mapping[str, Callable[[Engine], Submitted]]
#: where a job says which folder it was built from
FOLDER = "workflow folder"


def workflow_job(
    workflow: Workflow, shipped: Shipped, resource: dg.ResourceDefinition | None = None
) -> dg.JobDefinition:
    """The job: receive → dispatch → the stations → report. Op names are the drawing's element ids.

    A station has ONE list input, fed by the dispatch and by every station that can hand to it: Dagster runs it if
    any of them yielded and marks it skipped if none did. (Two named inputs would skip it when one is missing.)
    """
    stations = sweeping_order(workflow)
    targets = handoffs(workflow)
    nodes = [
        receive_op(workflow, dict(shipped)),
        dispatch_op(workflow, stations),
        *(station_op(workflow, station, targets[station]) for station in stations),
        earlier_op(workflow),
        report_op(workflow),
    ]
    dependencies: dict[str, dict[str, dg.DependencyDefinition | dg.MultiDependencyDefinition]] = {
        "receive": {},
        "dispatch": {"submitted": dg.DependencyDefinition("receive", "submitted")},
        EARLIER: {"cases": dg.MultiDependencyDefinition([dg.DependencyDefinition("dispatch", EARLIER)])},
    }
    for station in stations:
        sources = [dg.DependencyDefinition("dispatch", station)]
        sources += [dg.DependencyDefinition(source, station) for source in stations if station in targets[source]]
        dependencies[station] = {"cases": dg.MultiDependencyDefinition(sources)}
    dependencies["report"] = {
        "done": dg.MultiDependencyDefinition(
            [dg.DependencyDefinition(node, DONE) for node in ("dispatch", *stations, EARLIER)]
        )
    }
    graph = dg.GraphDefinition(
        name=workflow.name,
        description=workflow.process.documentation or workflow.process.name,
        node_defs=nodes,
        dependencies={dg.NodeInvocation(op_name(workflow, node), node): fed for node, fed in dependencies.items()},
    )
    return graph.to_job(
        name=workflow.name,
        resource_defs={
            "sweep": resource or sweep_resource(workflow),
            "io_manager": dg.mem_io_manager,  # handoffs are counts: no file of each, for ever, in Dagster's home
        },
        executor_def=dg.in_process_executor,
        tags={SWEEP: WHOLE, "orchestration/workflow": workflow.name},
        config=_launched_by_hand(shipped),
        metadata={FOLDER: str(workflow.folder)},
    )


def _launched_by_hand(shipped: Shipped) -> dict[str, Any]:
    """What the launchpad offers: a workflow with a data set of its own takes it in, so that a launch shows something.

    The data set names its requesters itself; a file of the inbox needs ``requested_by``.
    """
    return {
        "ops": {
            "receive": {"config": {"source": next(iter(shipped), ""), "requested_by": ""}},
            "dispatch": {"config": {"urgent_only": False}},
        }
    }
