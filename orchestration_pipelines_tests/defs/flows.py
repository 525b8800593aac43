"""A small workflow that tests of the Dagster side share: two machine stations around a person.

The first station waits as long as there is a file ``hold`` where its process was started.
"""

from __future__ import annotations

from pathlib import Path

from orchestration_pipelines_tests.drawing import drawing, workflow_folder

SETTINGS = """
owner: tests
intake: {key: case_key, fields: {amount: number}}
queues:
  reviews: {owner: tests, role: reviewer}
reviewers: {ann: [reviewer], bob: [reviewer]}
"""

WORKERS = """
import time
from pathlib import Path

from orchestration_pipelines import worker

class Bank:
    def pay(self, key):
        return key[:8]

def ledger():
    raise ConnectionError("the ledger is away")

def submit_three(engine):
    from orchestration_pipelines.engine.intake import Row
    rows = [Row(n, {"case_key": f"S-{n}", "amount": n}) for n in range(1, 4)]
    return engine.submit(rows, requested_by="broker", source="three")

TOOLS = {"bank": Bank, "ledger": ledger}
SHIPPED = {"three": submit_three}

@worker(inputs=("amount",), outputs=("ok",))
def screen(case):
    while Path("hold").exists():
        time.sleep(0.05)
    return {"ok": case["amount"] > 0}

@worker(outputs=("receipt",), external="bank")
def commit(case, bank):
    return {"receipt": bank.pay(case.idempotency_key)}

@worker(inputs=("receipt",))
def reverse(case):
    return None
"""

#: the same, with a first station whose tool cannot be opened
BROKEN = WORKERS.replace("def screen(case):", "def screen(case, ledger):")


def flow(place: Path, workers: str = WORKERS, deadline: str = "P3D") -> Path:
    """screen → review → commit; returned cases are screened again, overdue ones expire."""
    bpmn = drawing(
        "service screen",
        "user review orch:queue=reviews orch:approves=true",
        "service commit undone by reverse",
        "end done",
        "end declined",
        "end expired",
        "received -> screen -> review -> gate",
        'gate -> commit if review.outcome = "approve"',
        'gate -> screen if review.outcome = "return"',
        "gate -> declined default",
        "commit -> done",
        f"timer late on review {deadline} -> expired",
        name="small",
    )
    return workflow_folder(place, bpmn, workers, SETTINGS)


def location(place: Path, module: str = "location") -> str:
    """A user's own code location on the small workflow, in a folder of its own; returns its module's name."""
    flow(place / "small")
    (place / f"{module}.py").write_text(_LOCATION)
    return module


_LOCATION = """
from orchestration_pipelines.defs.workflow import workflow_definitions

defs = workflow_definitions("small")
"""
