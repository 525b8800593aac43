"""The tables in force are the released ones: an edited file changes nothing, a release does, and sweeps notice."""

from __future__ import annotations

import pytest

from orchestration_pipelines.engine import proposing, releases
from orchestration_pipelines.engine.proposing import Proposed
from orchestration_pipelines.engine.releases import Person
from orchestration_pipelines.engine.workflow import WorkflowRefused
from orchestration_pipelines.store.refusal import Refused
from orchestration_pipelines.store.releases import Release
from orchestration_pipelines_tests.engine.conftest import Draw
from orchestration_pipelines_tests.engine.flow import Flow
from orchestration_pipelines_tests.tables import table

GRADED = (
    "rule grid",
    "end passed",
    "end held",
    "received -> grid -> which",
    'which -> passed if grid.route = "auto"',
    "which -> held default",
)
STRICT = table(("< 100", '"auto"', "1"), (">= 100", '"review"', "1"))
LOOSE = table(("< 200", '"auto"', "1"), (">= 200", '"review"', "1"))
ANN, BOB = Person("ann"), Person("bob")


def propose(flow: Flow, content: str, by: Person = ANN, file_name: str = "grid.dmn") -> Proposed:
    with flow.engine.connect() as connection:
        return proposing.propose(
            connection, flow.engine.workflow, file_name, content.encode(), by=by, reason="why", now=flow.clock()
        )


def approve(flow: Flow, digest: str, by: Person = BOB) -> Release:
    with flow.engine.connect() as connection:
        return releases.approve(connection, digest, None, by=by, now=flow.clock())


def outcome(flow: Flow, key: str, amount: int = 150) -> str | None:
    flow.submit(key, amount=amount)
    flow.sweep()
    return flow.ends()[key]


def test_the_first_release_comes_with_the_workflow(draw: Draw) -> None:
    """Nobody is asked; who started it is on the record."""
    flow = draw(*GRADED, grid=STRICT)
    assert flow.engine.differing() == []
    assert outcome(flow, "A") == "held"
    ((state, meaning, act),) = flow.rows("SELECT state, meaning, became_active_by FROM releases")
    assert (state, meaning, act) == ("active", "first", "install")
    assert flow.engine.differing() == []


def test_an_edited_file_is_not_in_force_before_its_release(draw: Draw) -> None:
    """The old table decides; the difference is told; the second person's approval changes it at once."""
    first = draw(*GRADED, grid=STRICT)
    assert first.engine.version
    flow = draw(*GRADED, grid=LOOSE)
    assert outcome(flow, "A") == "held"
    (told,) = flow.engine.differing()
    assert "grid.dmn" in told and "orchestrate model release" in told
    proposed = propose(flow, LOOSE)
    assert (proposed.release.state, proposed.release.meaning) == ("proposed", "loosening")
    assert any("changed r1" in said and "below 100: route is auto" in said for said in proposed.differences)
    with flow.engine.connect() as connection:
        assert proposing.differences(connection, proposed.release) == list(proposed.differences)
    assert outcome(flow, "B") == "held"
    assert approve(flow, proposed.release.digest[:10]).state == "active"
    assert outcome(flow, "C") == "passed"
    assert outcome(first, "D") == "passed"
    assert flow.engine.differing() == []
    tables = flow.rows("SELECT detail ->> 'table' FROM activity WHERE element = 'grid' ORDER BY case_id")
    assert [first.engine.workflow.tables["grid"].model.digest] * 2 == [digest for (digest,) in tables[:2]]
    assert {digest for (digest,) in tables[2:]} == {proposed.release.digest}


WEIGHED = (r'rule grid "orch:review==[grid.route != \"auto\", grid.signatures]"', *GRADED[1:])
TIGHT = table(("< 50", '"auto"', "1"), (">= 50", '"review"', "1"))


def test_what_is_proved_to_tighten_is_in_force_at_once(draw: Draw) -> None:
    """One person is enough; back again loosens, and needs two."""
    flow = draw(*WEIGHED, grid=STRICT)
    assert outcome(flow, "A", 70) == "passed"
    proposed = propose(flow, TIGHT)
    assert (proposed.release.state, proposed.release.meaning) == ("active", "tightening")
    assert outcome(flow, "B", 70) == "held"
    back = propose(flow, STRICT)
    assert (back.release.state, back.release.meaning) == ("proposed", "loosening")
    assert "amount" in back.why.lower() and 'route "auto"' in back.why
    assert outcome(flow, "C", 70) == "held"


@pytest.mark.parametrize("review", ["=[grid.route != auto, 1]", "=[grid.rout != 1]", "=[amount]", "=grid.route"])
def test_a_weighing_that_weighs_nothing_proves_nothing(draw: Draw, review: str) -> None:
    """A name without its quotes, an output that is not there, the case instead of the answer, a text."""
    flow = draw(f'rule grid "orch:review={review}"', *GRADED[1:], grid=STRICT)
    assert flow.engine.version
    assert propose(flow, TIGHT).release.meaning == "loosening"


def test_what_changes_no_answer_is_neutral_without_any_declaration(draw: Draw) -> None:
    """The words of a description, and the order of rules that never match together."""
    flow = draw(*GRADED, grid=STRICT)
    assert flow.engine.version
    described = STRICT.replace("<variable", "<description>What a machine may pass.</description><variable")
    assert propose(flow, described).release.meaning == "neutral"
    swapped = table((">= 100", '"review"', "1"), ("< 100", '"auto"', "1"))
    assert propose(flow, swapped).release.state == "active"
    assert propose(flow, TIGHT).release.meaning == "loosening"


def test_the_drawing_in_the_folder_does_not_say_what_tightens(draw: Draw) -> None:
    """Whoever edits the drawing beside the table has not released it: the released one's words count."""
    flow = draw(*WEIGHED, grid=STRICT)
    assert flow.engine.version
    lax = draw(WEIGHED[0].replace("!=", "="), *WEIGHED[1:], grid=STRICT)
    assert propose(lax, LOOSE).release.state == "proposed"


def test_findings_are_shown_with_the_proposal(draw: Draw) -> None:
    """A gap is told to whoever approves."""
    flow = draw(*GRADED, grid=STRICT)
    assert flow.engine.version
    gap = table(("< 100", '"auto"', "1"), ("> 100", '"review"', "1"))
    assert any("no rule matches" in finding for finding in propose(flow, gap).findings)


def test_a_sweep_at_work_takes_the_new_table_from_its_next_chunk_on(draw: Draw) -> None:
    """A release in the middle: what is claimed afterwards is decided by it."""
    flow = draw(*GRADED, grid=STRICT)
    flow.submit("A", "B", amount=150)
    with flow.engine.open_sweep("running", chunk=1, lanes=1) as sweep:
        station = flow.engine.station("grid")
        asked = sweep._tables.refresh

        def release_then_refresh(connection: object) -> None:
            if flow.one("SELECT count(*) FROM activity") == 1:
                approve(flow, propose(flow, LOOSE).release.digest)
            asked(connection)  # type: ignore[arg-type]

        sweep._tables.refresh = release_then_refresh  # type: ignore[method-assign]
        sweep.station(station, until=float("inf"))
    assert flow.ends() == {"A": "held", "B": "passed"}


def test_a_pinned_table_is_the_one_of_the_drawings_release(draw: Draw) -> None:
    """Cases of the drawing keep it; a drawing that is released later binds what is active then."""
    pinned = ("rule grid orch:binding=pinned", *GRADED[1:])
    flow = draw(*pinned, grid=STRICT)
    assert outcome(flow, "A") == "held"
    approve(flow, propose(flow, LOOSE).release.digest)
    assert outcome(flow, "B") == "held"
    newer = draw(*pinned, "end other", "which -> other if amount > 1000", grid=LOOSE)
    assert outcome(newer, "C") == "passed"


def test_what_is_refused_is_on_the_record(draw: Draw) -> None:
    """The proposer's own approval, a file that is no table, a table that lost a decision, the same one again."""
    flow = draw(*GRADED, grid=STRICT)
    assert flow.engine.version
    with pytest.raises(Refused, match="is refused"):
        propose(flow, "<nonsense/>")
    with pytest.raises(Refused, match="has lost the decision 'grid'"):
        propose(flow, table(("-", '"auto"', "1"), name="other"))
    with pytest.raises(Refused, match="is active already"):
        propose(flow, STRICT)
    digest = propose(flow, LOOSE).release.digest
    with pytest.raises(Refused, match="is proposed already"):
        propose(flow, LOOSE)
    with pytest.raises(Refused, match="a second person must approve"):
        approve(flow, digest, ANN)
    assert flow.one("SELECT count(*) FROM audit_trail WHERE act = 'refused'") == 5
    assert flow.one("SELECT count(*) FROM releases WHERE state = 'active'") == 1


def test_a_table_under_another_name_differs_and_decides_nothing(draw: Draw) -> None:
    """Its decision is in force in the other file, which stays."""
    assert draw(*GRADED, grid=STRICT).engine.version
    flow = draw(*GRADED, renamed=LOOSE)
    (told,) = flow.engine.differing()
    assert "renamed.dmn" in told and "nothing of that name is active" in told
    assert outcome(flow, "A") == "held"
    with pytest.raises(Refused, match="has the decision 'grid' and is active"):
        propose(flow, LOOSE, file_name="renamed.dmn")


def test_back_to_an_earlier_table_by_the_same_path(draw: Draw) -> None:
    """Its content was kept; two people release it again."""
    flow = draw(*GRADED, grid=STRICT)
    first = flow.engine.workflow.tables["grid"].model.digest
    assert flow.engine.version
    approve(flow, propose(flow, LOOSE).release.digest)
    with flow.engine.connect() as connection:
        again = proposing.roll_back(
            connection, flow.engine.workflow, first[:8], by=BOB, reason="too loose", now=flow.clock()
        )
        assert again.release.digest == first
        with pytest.raises(Refused, match="a second person"):
            releases.approve(connection, first, None, by=BOB, now=flow.clock())
        releases.approve(connection, first, None, by=ANN, now=flow.clock())
    assert outcome(flow, "A") == "held"


def test_who_proposed_withdraws_and_others_reject(draw: Draw) -> None:
    """Both end the proposal, and nothing of it comes into force."""
    flow = draw(*GRADED, grid=STRICT)
    assert flow.engine.version
    for by, state in ((ANN, "withdrawn"), (BOB, "rejected")):
        digest = propose(flow, LOOSE).release.digest
        with flow.engine.connect() as connection:
            ended = releases.reject(connection, digest, "flow", by=by, reason="no", now=flow.clock())
        assert (ended.state, ended.ended_by, ended.ended_reason) == (state, by.name, "no")
    assert outcome(flow, "A") == "held"


def test_a_new_decision_of_a_known_file_waits_for_its_release(draw: Draw) -> None:
    """A drawing that asks for it is refused, and says what to do."""
    assert draw(*GRADED, grid=STRICT).engine.version
    both = STRICT.replace("</definitions>", "") + table(("-", '"x"', "1"), name="more").partition(">")[2].replace(
        'id="t"', 'id="t2"'
    )
    lines = [line.replace("rule grid", "rule grid orch:decision=more") for line in GRADED]
    with pytest.raises(WorkflowRefused, match="'more', which no released table has: release grid"):
        assert draw(*lines, grid=both).engine.version
