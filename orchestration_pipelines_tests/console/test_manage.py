"""The manager's pages: what they show, what they do through the engine, and that a reader can act on nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256
from typing import Any

from orchestration_pipelines.console.manage.releases import changed
from orchestration_pipelines.engine import hands, policy
from orchestration_pipelines.store import releases as table
from orchestration_pipelines_tests.console.conftest import SignedIn, Visitor, Window
from orchestration_pipelines_tests.engine.flow import Flow

PAGES = (
    "/manage",
    "/manage/work",
    "/manage/people",
    "/manage/people/one?person=ann",
    "/manage/sla",
    "/manage/sla/clocks?workflow=flow&step=review",
    "/manage/limits",
    "/manage/holds",
    "/manage/incidents?ended=true",
    "/manage/dead-letters?ended=true",
    "/manage/quarantine",
    "/manage/notices",
    "/manage/quality",
    "/manage/releases",
)
_POLICY = b"""
calendars: {always: {zone: UTC, hours: {mon-sun: [00:00-24:00]}}}
queues: {reviews: {wip_limit: 7, stuck_after: PT1H}}  # as agreed
steps: {review: {sla: {calendar: always, budget: PT8H}}}
"""


def _policy(flow: Flow) -> None:
    with flow.engine.connect() as connection:
        policy.put(connection, flow.engine.workflow, _POLICY, by="mara", reason="a trial", at=flow.clock())


def _waiting(flow: Flow, *keys: str) -> list[int]:
    """Cases that wait for a review; their tasks in order."""
    flow.submit(*keys)
    flow.sweep()
    return [task for (task,) in flow.rows("SELECT id FROM review_task ORDER BY id")]


def _dead(flow: Flow, *keys: str) -> list[int]:
    """Cases that stand before a worker which always fails."""

    def fail(case: Any, bank: Any) -> None:
        raise RuntimeError("<b>the bank is shut</b>")

    flow.script["reserve"] = fail
    flow.submit(*keys)
    for _ in range(4):
        flow.sweep()
        flow.clock.advance(minutes=2)
    return [letter for (letter,) in flow.rows("SELECT id FROM dead_letter WHERE status = 'dead' ORDER BY id")]


def _record(flow: Flow, act: str) -> list[tuple[Any, ...]]:
    return flow.rows("SELECT actor, b ->> 'reason' FROM audit_trail WHERE act = %s ORDER BY case_id, seq", act)


def _text(visitor: Visitor, path: str) -> str:
    """A page's words, without its tags."""
    answer = visitor.get(path)
    assert answer.status_code == 200, path
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text))


def test_whoever_only_reads_has_every_page_and_nothing_to_press(flow: Flow, signed_in: SignedIn) -> None:
    """An auditor's pages have no form that does anything but leave; a manager's are the same, with the acts."""
    _policy(flow)
    _waiting(flow, "A")
    _dead(flow, "B")
    flow.clock.advance(hours=9)
    reader, manager = signed_in("abel"), signed_in("mara")
    for path in PAGES:
        pressed = re.findall(r'<form method="post" action="([^"]+)"', reader.get(path).text)
        assert pressed == ["/sign-out"], path
    assert 'action="/manage/work?"' in manager.get("/manage/work").text
    assert "Past due 1" in _text(reader, "/manage")


def test_many_tasks_go_to_somebody_with_the_reason_and_those_that_may_not_stay_chosen(
    flow: Flow, signed_in: SignedIn
) -> None:
    """The engine's act, recorded; a refusal is shown in its words beside what was typed."""
    first, second, third = _waiting(flow, "A", "B", "C")
    mara = signed_in("mara")
    answer = mara.post("/manage/work?queue=reviews", {"task": [first, second], "to": "ann", "reason": "she knows them"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/manage/work?queue=reviews&done=2")
    assert "2 tasks were given on" in _text(mara, answer.headers["location"])
    assert _record(flow, "reassigned") == [("mara", "she knows them")] * 2
    answer = mara.post("/manage/work", {"task": [first, third], "to": "ann", "reason": "these too"})
    assert answer.status_code == 409
    assert f"ann has task {first} already" in answer.text
    assert 'value="these too"' in answer.text
    assert f'name="task" value="{first}" checked' in answer.text
    assert flow.one("SELECT assignee FROM review_task WHERE id = %s", third) == "ann"
    answer = mara.post("/manage/work", {"task": [first], "to": "", "reason": " "})
    assert answer.status_code == 409
    assert "A reason is needed to reassign a task" in answer.text.replace("Refused: a", "A")
    assert mara.post("/manage/work", {"task": [str(2**70)], "reason": "x"}).status_code == 422
    assert "ann assigned" in _text(mara, "/manage/work?person=ann")


def test_many_are_reassigned_in_a_browser_that_runs_no_script(flow: Flow, window: Window) -> None:
    """Tick two, choose who gets them, say why: the list comes again without a word of script."""
    _waiting(flow, "A", "B", "C")
    page = window("mara", java_script_enabled=False)
    page.goto("/manage/work")
    for number in (1, 3):
        page.get_by_role("checkbox", name=f"Task {number}").check()
    page.get_by_label("Give the chosen to").select_option("ann")
    page.get_by_label("Reason").fill("she knows them")
    page.get_by_role("button", name="Reassign").click()
    assert page.get_by_text("2 tasks were given on.").is_visible()
    assert flow.rows("SELECT id, assignee FROM review_task ORDER BY id") == [(1, "ann"), (2, None), (3, "ann")]


def test_long_lists_are_paged_and_name_nothing_of_a_case_but_its_key(flow: Flow, signed_in: SignedIn) -> None:
    """Every task is on one page; the variables of the case on none."""
    flow.submit(*(f"K{number:03}" for number in range(60)), amount=7_654_321)
    flow.sweep()
    mara, seen, path = signed_in("mara"), [], "/manage/work?queue=reviews"
    while path:
        page = mara.get(path).text
        assert "7654321" not in page
        assert "7,654,321" not in page
        seen += re.findall(r"K\d{3}", page)
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        path = onward[1].replace("&amp;", "&") if onward else ""
    assert sorted(seen) == [f"K{number:03}" for number in range(60)]


def test_machines_are_held_and_let_go_on_by_the_engines_own_act(flow: Flow, signed_in: SignedIn) -> None:
    """A workflow or one step; a second hold and a step that is not drawn are refused, and what was typed stays."""
    mara = signed_in("mara")
    for place in ("flow", "flow/commit"):
        assert mara.post("/manage/holds/hold", {"place": place, "reason": "an audit"}).status_code == 303
    again = mara.post("/manage/holds/hold", {"place": "flow/commit", "reason": "an audit"})
    assert again.status_code == 409
    assert "Flow/commit is held already" in again.text
    assert mara.post("/manage/holds/hold", {"place": "flow/nothing", "reason": "x"}).status_code == 422
    assert "an audit" in _text(mara, "/manage/holds")
    assert mara.post("/manage/holds/resume", {"place": "flow/commit", "reason": ""}).status_code == 409
    assert mara.post("/manage/holds/resume", {"place": "flow/commit", "reason": "it is over"}).status_code == 303
    assert flow.rows("SELECT element, lift_reason FROM hold ORDER BY id") == [(None, None), ("commit", "it is over")]
    assert _record(flow, "held") == [("mara", "an audit")] * 2


def test_absence_capacity_and_coming_back_are_set_on_a_persons_page(flow: Flow, signed_in: SignedIn) -> None:
    """Times are those of whoever types them; the delegate and the reason are kept; a refusal loses nothing typed."""
    with flow.engine.connect() as connection:
        connection.execute("UPDATE reviewer SET zone = 'Europe/Berlin' WHERE person = 'mara'")
    mara, one = signed_in("mara"), "/manage/people/one"
    away = {"starts": "", "ends": "2026-03-05T10:00", "delegate": "bob", "reason": "ill"}
    assert mara.post(f"{one}/absent?person=ann", away).status_code == 303
    assert flow.rows("SELECT starts, ends, delegate, reason, set_by FROM absence") == [
        (flow.clock(), flow.clock() + timedelta(days=3), "bob", "ill", "mara")
    ]
    assert "absent" in _text(mara, "/manage/people")
    again = mara.post(f"{one}/absent?person=ann", away | {"reason": "still ill"})
    assert again.status_code == 409
    assert "Ann is absent from" in again.text
    assert 'value="still ill"' in again.text
    assert mara.post(f"{one}/absent?person=ann", away | {"starts": "0001-01-01T00:00"}).status_code == 422
    assert mara.post(f"{one}/back?person=ann").status_code == 422
    assert mara.post(f"{one}/back?person=ann", {"reason": "well again"}).status_code == 303
    assert _record(flow, "set back")[0] == ("mara", "well again")
    assert mara.post(f"{one}/capacity?person=ann", {"capacity": "2", "reason": "she is new"}).status_code == 303
    assert flow.one("SELECT capacity FROM reviewer WHERE person = 'ann'") == 2
    assert mara.post(f"{one}/capacity?person=ann", {"capacity": "many", "reason": "x"}).status_code == 422
    assert mara.get(f"{one}?person=nobody").status_code == 404


def test_a_limit_is_a_new_policy_with_who_and_why(flow: Flow, signed_in: SignedIn) -> None:
    """The rest of the document stays; a form that was opened before somebody else's change is refused."""
    _policy(flow)
    mara = signed_in("mara")
    form = {"workflow": "flow", "seen": "1", "kind": ["queue", "step"], "name": ["reviews", "review"]}
    assert "flow/review" not in _text(mara, "/manage/limits")
    told = mara.post("/manage/limits", form | {"allowed": ["3", "x"], "reason": "fewer"})
    assert told.status_code == 422
    assert 'value="x"' in told.text
    assert mara.post("/manage/limits", form | {"allowed": ["3", ""], "reason": "fewer at once"}).status_code == 303
    number, document, reason, by = flow.rows("SELECT id, document, reason, set_by FROM work_policy")[-1]
    assert (number, reason, by) == (2, "fewer at once", "mara")
    assert "wip_limit: 3, stuck_after: PT1H}}  # as agreed" in document
    stale = mara.post("/manage/limits", form | {"allowed": ["9", ""], "reason": "more"})
    assert stale.status_code == 409
    assert "Mara has set the policy meanwhile (fewer at once)" in stale.text
    wrong = mara.post(
        "/manage/limits", form | {"seen": "2", "name": ["reviews", "check"], "allowed": ["3", "4"], "reason": "x"}
    )
    assert "no such user task" in wrong.text


def test_the_board_leads_from_numbers_to_tasks(flow: Flow, signed_in: SignedIn) -> None:
    """What is past due is a link to just those tasks; the clocks of a step show who has the case."""
    _policy(flow)
    (late,) = _waiting(flow, "A")
    flow.clock.advance(hours=7)
    _waiting(flow, "B")
    with flow.engine.connect() as connection:
        hands.claim(connection, [late], person="ann", at=flow.clock())
    flow.clock.advance(hours=1)
    mara = signed_in("mara")
    board = mara.get("/manage/sla").text
    onward = re.search(r'href="(/manage/work\?[^"]*only=past_due)"', board)
    assert onward is not None
    found = _text(mara, onward[1].replace("&amp;", "&"))
    assert " A " in found
    assert " B " not in found
    clocks = _text(mara, "/manage/sla/clocks?workflow=flow&step=review")
    assert "past due" in clocks
    assert "ann" in clocks
    assert "style=" not in board


def test_dead_letters_are_replayed_or_abandoned_many_at_once(flow: Flow, signed_in: SignedIn) -> None:
    """The error is text, never markup; each act is the engine's, with the reason; settled ones are refused by name."""
    first, second, third = _dead(flow, "A", "B", "C")
    mara = signed_in("mara")
    page = mara.get("/manage/dead-letters").text
    assert "&lt;b&gt;the bank is shut" in page
    assert "<b>the bank" not in page
    assert "<details>" in page
    assert mara.post("/manage/dead-letters/replay", {"letter": [first], "reason": ""}).status_code == 409
    answer = mara.post("/manage/dead-letters/replay", {"letter": [first, second], "reason": "it is open again"})
    assert answer.headers["location"] == "/manage/dead-letters?done=2"
    answer = mara.post("/manage/dead-letters/abandon", {"letter": [second, third], "reason": "it will never work"})
    assert answer.status_code == 409
    assert f"Dead letter {second} was replayed by mara: it is open again" in answer.text
    assert flow.rows("SELECT status, acted_by, reason FROM dead_letter ORDER BY id") == [
        ("replayed", "mara", "it is open again"),
        ("replayed", "mara", "it is open again"),
        ("abandoned", "mara", "it will never work"),
    ]
    assert mara.post("/manage/dead-letters/replay", {"reason": "none"}).status_code == 422


def test_incidents_are_resolved_with_how_they_were_mended(flow: Flow, signed_in: SignedIn) -> None:
    """Those that are open first; settled ones are shown when asked for, with who and how."""
    with flow.engine.connect() as connection:
        connection.execute(
            "INSERT INTO incident (workflow, kind, reason, owner, opened_at) "
            "SELECT 'flow', 'not told', '<i>no mailbox</i>', 'tests', %s FROM generate_series(1, 2)",
            (flow.clock(),),
        )
    mara = signed_in("mara")
    assert "&lt;i&gt;no mailbox" in mara.get("/manage/incidents").text
    answer = mara.post("/manage/incidents?workflow=flow", {"incident": [1, 2], "reason": "a new address"})
    assert answer.headers["location"] == "/manage/incidents?workflow=flow&done=2"
    assert "No incident is open" in _text(mara, "/manage/incidents")
    assert "a new address" in _text(mara, "/manage/incidents?ended=true")
    again = mara.post("/manage/incidents", {"incident": [1], "reason": "once more"})
    assert "was resolved by mara: a new address" in again.text


def test_quarantined_rows_are_mended_on_a_page_of_their_own(flow: Flow, signed_in: SignedIn) -> None:
    """The list has the reason and the key alone; what is wrong still is said, and nothing that was typed is lost."""
    flow.submit("A", amount="a <secret> lot")
    mara = signed_in("mara")
    assert "secret" not in mara.get("/manage/quarantine").text.replace("a &lt;secret&gt; lot", "", 1)
    row = flow.one("SELECT id FROM quarantine")
    assert "a &lt;secret&gt; lot" in mara.get(f"/manage/quarantine/{row}").text
    assert mara.get("/manage/quarantine/4711").status_code == 404
    still = mara.post(f"/manage/quarantine/{row}", {"column": ["case_key", "amount"], "value": ["A", "a <few>"]})
    assert still.status_code == 409
    assert "a &lt;few&gt;" in re.findall(r"role=\"alert\".*?</p>", still.text, re.DOTALL)[0]
    assert 'value="a &lt;few&gt;"' in still.text
    assert mara.post(f"/manage/quarantine/{row}", {"column": ["amount"], "value": ["40"]}).status_code == 303
    assert flow.rows("SELECT case_key, requested_by FROM cases") == [("A", "mara")]
    assert "offered again by mara" in _text(mara, f"/manage/quarantine/{row}")
    assert mara.post(f"/manage/quarantine/{row}", {"column": ["amount"], "value": ["41"]}).status_code == 409


def test_a_cell_decides_again_when_two_managers_want_it(flow: Flow, signed_in: SignedIn) -> None:
    """The second must be somebody else: the database says so, and the page its words."""
    with flow.engine.connect() as connection:
        connection.execute("UPDATE reviewer SET roles = '{manager}' WHERE person = 'cleo'")
        document = b"quality: {seed: s, queue: reviews, question: '?', default: {rate: 1, limit: 0.1}}"
        policy.put(connection, flow.engine.workflow, document, by="mara", reason="quality", at=flow.clock())
        connection.execute(
            "INSERT INTO quality_fallback (workflow, cell, since, reason, opened_by) "
            "VALUES ('flow', 'r1', %s, 'people disagreed', 'check')",
            (flow.clock(),),
        )
    mara, cleo = signed_in("mara"), signed_in("cleo")
    assert "people disagreed" in _text(mara, "/manage/quality")
    lift = {"workflow": "flow", "cell": "r1", "reason": "the rule is right"}
    assert mara.post("/manage/quality/lift", lift).status_code == 303
    again = mara.post("/manage/quality/lift", lift)
    assert again.status_code == 409
    assert "a second person must agree" in again.text
    assert "mara wants it to decide again" in _text(cleo, "/manage/quality")
    assert cleo.post("/manage/quality/lift", lift).status_code == 303
    assert flow.one("SELECT lifted_at IS NOT NULL FROM quality_fallback")


def _proposed(flow: Flow, by: str) -> int:
    """A drawing of which running out of time may approve: it waits for a second person."""
    content = by.encode()
    drawn = sha256(content).hexdigest()
    proposal = table.Proposal("flow", "drawing", "flow.bpmn", drawn, (), "loosening", None, "?", by, None, flow.clock())
    with flow.engine.connect() as connection:
        table.keep_file(connection, drawn, content, ())
        return table.propose(connection, proposal)


def test_a_second_person_approves_or_rejects_what_was_proposed(flow: Flow, signed_in: SignedIn) -> None:
    """With a reason, which is kept; whoever proposed it can withdraw it alone; what is settled is refused."""
    of_ann, of_mara = _proposed(flow, "ann"), _proposed(flow, "mara")
    mara, page = signed_in("mara"), f"/manage/releases/{of_ann}"
    assert "running out of time may approve in it" in _text(mara, page)
    assert "Releases that wait" in _text(mara, "/manage")
    assert mara.post(f"{page}/approve", {"reason": " "}).status_code == 422
    assert mara.post(f"{page}/approve", {"reason": "as agreed"}).status_code == 303
    assert _record(flow, "approve") == [("mara", "as agreed")]
    assert mara.post(f"{page}/reject", {"reason": "no"}).status_code == 409
    own = f"/manage/releases/{of_mara}"
    assert "Approve" not in _text(mara, own)
    refused = mara.post(f"{own}/approve", {"reason": "mine"})
    assert refused.status_code == 409
    assert "mara proposed this release: a second person must approve" in refused.text
    assert mara.post(f"{own}/reject", {"reason": "a mistake"}).status_code == 303
    assert flow.rows("SELECT state FROM model_release ORDER BY id") == [("active",), ("withdrawn",)]
    assert mara.get("/manage/releases/4711").status_code == 404


def test_of_a_changed_rule_what_stays_is_left_out() -> None:
    """Clauses that are no more, and those that are new; what is added or removed is said as it is."""
    assert changed("changed r1: below 100: route is auto; due is P3D → below 200: route is auto; due is P3D") == (
        "changed r1",
        ["below 100: route is auto"],
        ["below 200: route is auto"],
    )
    assert changed("added r9: below 5: route is auto") == ("added r9: below 5: route is auto", (), ())


def test_notices_that_were_given_up_are_shown(flow: Flow, signed_in: SignedIn) -> None:
    """To whom, of what, and the error."""
    with flow.engine.connect() as connection:
        connection.execute(
            "INSERT INTO notification (key, workflow, person, kind, text, made_at, status, attempts, next_at, error) "
            "VALUES ('k', 'flow', 'ann', 'reminded', 'task 4 is due', %(at)s, 'dead', 10, %(at)s, 'no such mailbox')",
            {"at": flow.clock()},
        )
    mara = signed_in("mara")
    assert "no such mailbox" in _text(mara, "/manage/notices")
    assert re.search(r"1 Notices given up", _text(mara, "/manage"))


def test_an_admin_keeps_people_and_accounts_and_sees_no_case(flow: Flow, signed_in: SignedIn) -> None:
    """Roles through the engine, with its refusals; a password is shown once, and sessions end with it."""
    ada = signed_in("ada")
    new = {"person": "dora", "title": "Dora", "roles": "reviewer, senior", "reason": "hired"}
    assert ada.post("/admin/people", new).status_code == 303
    assert flow.rows("SELECT roles, title FROM reviewer WHERE person = 'dora'") == [(["reviewer", "senior"], "Dora")]
    assert "somebody &#39;dora&#39; already" in ada.post("/admin/people", new).text
    roles = {"roles": "reviewer", "title": "Dora N.", "reason": "one is enough"}
    assert ada.post("/admin/people/one/roles?person=dora", roles).status_code == 303
    assert _record(flow, "brought in")[-1] == ("ada", "one is enough")
    assert ada.post("/admin/people/one/roles?person=dora", roles | {"roles": ""}).status_code == 409
    opened = ada.post("/admin/accounts/open", {"person": "dora"})
    assert opened.status_code == 200
    assert re.search(r"<pre[^>]*>\S+", opened.text)
    assert "dora has an account already" in ada.post("/admin/accounts/open", {"person": "dora"}).text.replace(
        "Dora", "dora"
    )
    ann = signed_in("ann")
    assert ada.post("/admin/accounts/disable", {"person": "ann"}).status_code == 303
    assert ann.get("/account").status_code == 303
    assert "disabled" in _text(ada, "/admin/accounts")
    assert "account disabled" in _text(ada, "/admin/access?person=ann")
    assert ada.post("/admin/people/one/deactivate?person=dora", {"reason": "left"}).status_code == 303
    assert ada.get("/manage").status_code == 403
    assert "ann" not in _text(ada, "/admin/people?after=ann").split("State")[1].split("Somebody new")[0]
