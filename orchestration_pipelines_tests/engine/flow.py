"""A workflow under test: a few lines of drawing, workers that a test scripts, a real database, a clock to set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestration_pipelines.domain.audit import Entry, broken_at
from orchestration_pipelines.engine.dispatch import SweepReport
from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.intake import Row, Submitted
from orchestration_pipelines_tests.conftest import SetClock

#: workers that do as ``SCRIPT`` says, by name, and otherwise something harmless
WORKERS = '''
from orchestration_pipelines import BpmnError, Retry, worker

SCRIPT = {}
RETRY = Retry(attempts=3, base_s=10, cap_s=60)

class Bank:
    """An outside system: what it keeps is unique by key; ``asked`` is every call, in order."""

    def __init__(self):
        self.kept, self.asked = {}, []

    def put(self, key):
        self.asked.append(("put", key))
        return self.kept.setdefault(key, f"R{len(self.kept) + 1}")

    def take_back(self, key, receipt):
        self.asked.append(("take back", receipt))
        return self.kept.setdefault(key, f"back {receipt}")

    def void(self, key):
        self.asked.append(("void", key))
        self.kept.pop(key, None)

BANK = Bank()

class Deaf:
    """An outside system that cannot undo by key."""

    def put(self, key):
        return key

TOOLS = {"bank": lambda: BANK, "deaf": Deaf}

def plain(name, default=lambda case: None, **declared):
    def call(case):
        return SCRIPT.get(name, default)(case)
    return worker(name=name, **{"retry": RETRY, **declared})(call)

def outside(name, default, **declared):
    def call(case, bank):
        return SCRIPT.get(name, default)(case, bank)
    return worker(name=name, external="bank", retry=RETRY, **declared)(call)

def _put(case, bank):
    return {"receipt": bank.put(case.idempotency_key)}

def _take_back(case, bank):
    bank.take_back(case.idempotency_key, case["receipt"])

check = plain("check", inputs=("amount",), outputs=("ok", "note"))
tell = plain("tell", inputs=("amount", "ok"), outputs=("told",))
hasty = plain("hasty", inputs=("amount",), outputs=("ok",), timeout_s=1.0)
reserve = outside("reserve", _put, inputs=("amount",), outputs=("receipt",))
release = outside("release", _take_back, inputs=("receipt",))
commit = outside("commit", _put, inputs=("amount",), outputs=("receipt",))
uncommit = outside("uncommit", _take_back, inputs=("receipt",))

@worker(outputs=("ok",), external="deaf", retry=RETRY)
def shout(case, deaf):
    return SCRIPT.get("shout", lambda case: {"ok": True})(case)

@worker(inputs=("amount",), outputs=("ok",), whole_chunk=True, retry=RETRY, timeout_s=2.0)
def bulk(cases):
    return SCRIPT.get("bulk", lambda cases: [{"ok": True} for _ in cases])(cases)
'''

#: a plain way through two machine stations, the second with an effect outside
STRAIGHT = ("service check", "service reserve undone by release", "end done", "received -> check -> reserve -> done")
#: a person decides between an effect before and one after
REVIEWED = (
    "service reserve undone by release",
    "user review orch:queue=reviews orch:approves=true",
    "service commit orch:requiresApproval=true",
    "throw undo_all",
    "end done",
    "end rejected",
    "received -> reserve -> review -> which",
    'which -> commit if review.outcome = "approve"',
    "which -> undo_all default",
    "undo_all -> rejected",
    "commit -> done",
    "timer late on review P3D -> undo_all",
)


class Flow:
    """One engine under test, and what a test asks of it."""

    def __init__(self, engine: Engine, clock: SetClock) -> None:
        self.engine, self.clock = engine, clock

    @property
    def script(self) -> dict[str, Callable[..., Any]]:
        """What the workers do, by name."""
        script: dict[str, Callable[..., Any]] = self.engine.workflow.package.SCRIPT
        return script

    @property
    def bank(self) -> Any:
        """The outside system."""
        return self.engine.workflow.package.BANK

    def error(self, code: str) -> Exception:
        """A business error, to raise in a script."""
        raised: Exception = self.engine.workflow.package.BpmnError(code)
        return raised

    def submit(self, *keys: str, amount: object = 50, by: str = "broker") -> Submitted:
        """Cases with these keys."""
        rows = [Row(number, {"case_key": key, "amount": amount}) for number, key in enumerate(keys, 1)]
        return self.engine.submit(rows, requested_by=by, source="test")

    def sweep(self) -> SweepReport:
        """A whole sweep in which no lane may stop."""
        report = self.engine.sweep()
        assert report.errors == []
        return report

    def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What a statement finds."""
        with self.engine.connect() as connection:
            return connection.execute(statement, parameters).fetchall()

    def one(self, statement: str, *parameters: object) -> Any:
        """The one value that a statement finds."""
        ((value,),) = self.rows(statement, *parameters)
        return value

    def ends(self) -> dict[str, str | None]:
        """Each case's outcome; None while it is open."""
        return dict(self.rows("SELECT case_key, outcome FROM cases ORDER BY case_key"))

    def standing(self) -> dict[str, tuple[str, str]]:
        """Where each open case's token stands, and how."""
        found = self.rows(
            "SELECT c.case_key, t.element, t.status FROM token t JOIN cases c ON c.id = t.case_id ORDER BY c.case_key"
        )
        return {key: (element, status) for key, element, status in found}

    def effects(self) -> list[tuple[str, str, str]]:
        """Every effect: case, station, how it ended."""
        return [
            (key, element, status)
            for key, element, status in self.rows(
                "SELECT c.case_key, e.element, e.status FROM effect e JOIN cases c ON c.id = e.case_id "
                "ORDER BY c.case_key, e.visit"
            )
        ]

    def letters(self) -> dict[str, str]:
        """The standing dead letters: case to error."""
        return dict(
            self.rows(
                "SELECT c.case_key, d.error FROM dead_letter d JOIN cases c ON c.id = d.case_id WHERE d.status = 'dead'"
            )
        )

    def incidents(self) -> list[tuple[str, str, str, str]]:
        """The open incidents: case, station, kind, reason."""
        return [
            (key, element, kind, reason)
            for key, element, kind, reason in self.rows(
                "SELECT c.case_key, i.element, i.kind, i.reason FROM incident i JOIN cases c ON c.id = i.case_id "
                "WHERE i.resolved_at IS NULL ORDER BY i.id"
            )
        ]

    def decide(self, key: str, by: str = "ann", outcome: str = "approve", rationale: str = "seen") -> None:
        """Decide a case's first open task."""
        with self.engine.connect() as connection:
            connection.execute(
                "INSERT INTO review_decision (task_id, outcome, rationale, decided_by, digest, decided_at) "
                "SELECT t.id, %s, %s, %s, t.digest, %s FROM review_task t JOIN cases c ON c.id = t.case_id "
                "WHERE c.case_key = %s AND t.ended_at IS NULL ORDER BY t.id LIMIT 1",
                (outcome, rationale, by, self.clock(), key),
            )

    def broken_records(self) -> dict[str, str]:
        """What is wrong with the audit chains: nothing, always."""
        entries: dict[int, list[Entry]] = {}
        for case_id, *entry in self.rows(
            "SELECT case_id, seq, salt, body, commitment, prev FROM audit_entry WHERE case_id > 0 ORDER BY case_id, seq"
        ):
            entries.setdefault(case_id, []).append(Entry(*entry))
        heads = self.rows("SELECT id, case_key, audit_head FROM cases")
        said = {key: broken_at(entries.get(case_id, []), head) for case_id, key, head in heads}
        return {key: wrong for key, wrong in said.items() if wrong is not None}
