"""The trials at their smallest, so that they are never broken themselves: a kill in each window, each mutant once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from orchestration_pipelines.engine.failpoint import WINDOWS
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines.workflows.mortgage_underwriting.scorer import scorer_in
from orchestration_pipelines_tests.trials import apples, kills, mutants, unwinding
from orchestration_pipelines_tests.trials.ground import Ground
from orchestration_pipelines_tests.trials.judge import Findings, judge
from orchestration_pipelines_tests.trials.unwinding import Act

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scorer, fitted once."""
    folder = tmp_path_factory.mktemp("artefacts")
    scorer_in(folder)
    return folder


@contextmanager
def ground_in(place: Path, artefacts: Path, server: EmbeddedServer) -> Iterator[Ground]:
    home = Home(place / "home").ensure()
    shutil.copytree(artefacts, home.artefacts, dirs_exist_ok=True)
    made = Ground(home.root, server, f"trial_{uuid4().hex[:8]}")
    try:
        yield made
    finally:
        made.drop()


@pytest.fixture(scope="module")
def killed(
    tmp_path_factory: pytest.TempPathFactory, artefacts: Path, server: EmbeddedServer
) -> Iterator[tuple[kills.KillTrial, Findings]]:
    """A small trial that has been judged."""
    place = tmp_path_factory.mktemp("kills")
    with ground_in(place, artefacts, server) as ground:
        trial = kills.KillTrial(ground, kills.SMALL, kills.SEED)
        yield trial, trial.run(place)


def test_killed_in_each_window_the_judge_finds_nothing(killed: tuple[kills.KillTrial, Findings]) -> None:
    """One kill in each window, while applications arrive and people decide; then everything is as it should be."""
    trial, findings = killed
    assert findings == {}
    assert set(trial.toll.windows) == set(WINDOWS)
    figures = trial.figures()
    assert figures["approved"] + figures["declined"] == len(trial.keys)
    assert figures["compensated"] > 0


#: what no mutant breaks is broken here by hand
_TAMPERED = """
UPDATE effect SET status = 'intended' WHERE (case_id, visit) IN
    (SELECT case_id, max(visit) FROM effect GROUP BY 1 LIMIT 1);
UPDATE compensation SET status = 'armed' WHERE (case_id, no) IN
    (SELECT case_id, min(no) FROM compensation WHERE status = 'consumed' GROUP BY 1 LIMIT 1);
ALTER TABLE audit_entry DISABLE TRIGGER append_only;
UPDATE audit_entry SET body = '{}' WHERE case_id = (SELECT min(id) FROM cases) AND seq = 2;
DELETE FROM activity WHERE case_id = (SELECT min(id) FROM cases) AND visit = 2;
UPDATE approval SET voided_at = now();
UPDATE timer SET status = 'armed';
"""


def test_the_judge_sees_each_thing_that_is_tampered_with(killed: tuple[kills.KillTrial, Findings]) -> None:
    """And it spoils the databases that the judge has just found in order."""
    trial, _ = killed
    for statement in filter(str.strip, _TAMPERED.split(";")):
        trial.ground.sql(statement)
    findings = judge(trial.ground, trial.keys)
    assert [name for name in findings if name.startswith("every effect")]
    assert [name for name in findings if name.startswith("undone in strict reverse order, by the audit")]
    assert [name for name in findings if name.startswith("every chain")]
    assert [name for name in findings if name.startswith("each visit of a closed case")]
    assert [name for name in findings if name.startswith("each commitment")]
    assert [name for name in findings if name.startswith("a closed case waits")]
    assert len(findings) == 6


@pytest.mark.parametrize(
    ("scenario", "points", "mutant", "rule"),
    [
        (mutants.SCENARIOS[0], ["effect-done:2"], "no_idempotency_key", "the lender's rule"),
        (mutants.SCENARIOS[0], ["effect-done:6"], "effect_after_advance", "the lender's rule"),
        (mutants.SCENARIOS[1], ["effect-done:2"], "no_lease_check", "nobody has to mend"),
        (mutants.SCENARIOS[2], [], "attempt_not_counted", "a case that kills"),
    ],
)
def test_each_mutant_is_caught(
    tmp_path: Path,
    artefacts: Path,
    server: EmbeddedServer,
    scenario: mutants.Scenario,
    points: Sequence[str],
    mutant: str,
    rule: str,
) -> None:
    """Without one of its precautions the product loses or doubles something, and the judge sees what."""
    with ground_in(tmp_path, artefacts, server) as ground:
        findings = scenario.play(mutants.Run(ground, mutant), points)
    assert [name for name in findings if name.startswith(rule)]


def test_one_bad_apple_spoils_no_other(tmp_path: Path, database: str) -> None:
    """The sound cases finish in the sweep in which the bad ones fail; each of these says why."""
    trial = apples.Apples(database, tmp_path, 200)
    trial.in_one_sweep()
    assert trial.missed == []
    assert len(trial.flow.letters()) == 2 + 200 // 50


@pytest.mark.parametrize(
    ("acts", "wrong"),
    [
        ("+a +b -b -a", None),
        ("+a +b", None),
        ("+a +b -b -a +c", None),
        ("+a +b -a -b", "undo a where do b was the latest that stood"),
        ("+a +b -b +c", "do c before do a was undone"),
        ("+a +b -b", "do a was not undone with the rest"),
        ("+a -a -a", "undo a where nothing was the latest that stood"),
    ],
)
def test_the_order_of_undoing(acts: str, wrong: str | None) -> None:
    """The latest first, all of it, before anything is done anew."""
    said = [Act(f"{'do' if act[0] == '+' else 'undo'} {act[1]}", act[1], act[0] == "-") for act in acts.split()]
    assert unwinding.disorder(said) == wrong
