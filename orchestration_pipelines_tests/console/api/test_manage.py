"""What managers do over the interface; each act asks for a reason, and is recorded with who said so."""

from __future__ import annotations

from orchestration_pipelines_tests.console.api.conftest import Programs, problem
from orchestration_pipelines_tests.engine.flow import Flow


def test_a_workflow_is_held_and_goes_on(program: Programs, flow: Flow) -> None:
    """Held twice is refused; who held it is the person, and the client who said so."""
    flow.submit("A")
    mara = program("mara")
    place = {"workflow": "flow", "step": "reserve", "reason": "the bank is down"}
    assert mara.post("/holds", place).json() == {"done": "held"}
    assert problem(mara.post("/holds", place)) == (409, "refused")
    [hold] = mara.get("/holds").json()["holds"]
    assert (hold["step"], hold["reason"]) == ("reserve", "the bank is down")
    assert hold["held_by"].startswith("mara (asserted by client:for-mara-")
    assert problem(mara.post("/holds/lift", {**place, "reason": " "})) == (409, "refused")
    assert mara.post("/holds/lift", {**place, "reason": "it is up"}).json() == {"done": "lifted"}
    assert mara.get("/holds").json() == {"holds": []}


def test_a_dead_letter_is_replayed_or_abandoned(program: Programs, flow: Flow) -> None:
    """Each once, with a reason; a number that none has is not there."""
    flow.script["reserve"] = lambda case, bank: 1 / 0
    flow.submit("A", "B")
    for _ in range(3):
        flow.sweep()
        flow.clock.advance(minutes=10)
    mara = program("mara")
    letters = {letter["case_key"]: letter["dead_letter"] for letter in mara.get("/dead-letters").json()["dead_letters"]}
    assert set(letters) == {"A", "B"}
    replayed = mara.post(f"/dead-letters/{letters['A']}/replay", {"reason": "mended"})
    assert replayed.json() == {"done": "replayed"}
    assert problem(mara.post(f"/dead-letters/{letters['A']}/replay", {"reason": "again"})) == (409, "refused")
    abandoned = mara.post(f"/dead-letters/{letters['B']}/abandon", {"reason": "withdrawn"})
    assert abandoned.json() == {"done": "abandoned"}
    assert problem(mara.post("/dead-letters/999/abandon", {"reason": "x"})) == (404, "not-found")
    assert mara.get("/dead-letters").json() == {"dead_letters": [], "after": None}


def test_an_incident_is_resolved(program: Programs, flow: Flow) -> None:
    """Once, with how it was mended."""
    flow.submit("A")
    flow.sweep()
    task = flow.one("SELECT id FROM review_task")
    for person in ("ann", "bob", "cleo"):
        program(person).post(f"/tasks/{task}/decline", {"reason": "a friend"})
    mara = program("mara")
    [incident] = mara.get("/incidents").json()["incidents"]
    path = f"/incidents/{incident['incident']}/resolve"
    assert mara.post(path, {"reason": "hired somebody"}).json()["done"].startswith("resolved")
    assert problem(mara.post(path, {"reason": "again"})) == (409, "refused")
    assert problem(mara.post("/incidents/999/resolve", {"reason": "x"})) == (404, "not-found")
    assert mara.get("/incidents").json() == {"incidents": [], "after": None}


def test_somebody_is_away_and_back(program: Programs, flow: Flow) -> None:
    """As their manager or an admin says; a time without a zone does not fit."""
    ada = program("ada")
    away = {"starts": "2026-03-02T08:00:00+00:00", "ends": "2026-03-09T08:00:00Z", "delegate": "bob", "reason": "ill"}
    assert ada.post("/people/ann/absence", away).json() == {"done": "absent"}
    assert problem(ada.post("/people/ann/absence", away)) == (409, "refused")
    assert flow.rows("SELECT person, delegate, set_by FROM absence") == [("ann", "bob", "ada")]
    assert problem(ada.post("/people/ann/absence", {**away, "ends": "2026-03-09T08:00:00"})) == (422, "invalid")
    assert program("mara").post("/people/ann/back").json() == {"done": "back"}
    assert problem(program("mara").post("/people/nobody/back")) == (409, "refused")
