"""The scorer: as good as an honest model is, explained, and the same wherever it is loaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from sklearn.metrics import brier_score_loss, roc_auc_score

from orchestration_pipelines.workflows.mortgage_underwriting import applications
from orchestration_pipelines.workflows.mortgage_underwriting.features import FEATURES, SOURCES, matrix
from orchestration_pipelines.workflows.mortgage_underwriting.scorer import Scorer, UnusableArtefact, fit, scorer_in
from orchestration_pipelines.workflows.mortgage_underwriting.screening import NEEDED
from orchestration_pipelines_tests.workflows.mortgage import FAIR, FOLDER, GOOD, HOPELESS, application


@pytest.fixture(scope="module")
def scorer(artefacts: Path) -> Scorer:
    return scorer_in(artefacts)


def test_it_is_as_good_as_an_honest_model_is(scorer: Scorer) -> None:
    """AUC on the half it never saw. Much better than 0.92 would mean that something leaks."""
    arriving = applications.applications()
    probability = [scored["probability"] for scored in scorer.score(arriving)]
    approved = [row["action"] in (1, 2) for row in arriving]
    assert 0.84 <= roc_auc_score(approved, probability) <= 0.92
    assert brier_score_loss(approved, probability) < 0.08
    sure = [was for was, p in zip(approved, probability, strict=True) if p >= 0.9]
    assert sum(sure) / len(sure) > 0.95


def test_the_probability_is_calibrated(scorer: Scorer) -> None:
    """Of those scored alike, as many were approved as the score says, within the noise of a hundred cases."""
    arriving = applications.applications()
    ranked = sorted(
        (scored["probability"], row["action"] in (1, 2))
        for scored, row in zip(scorer.score(arriving), arriving, strict=True)
    )
    for start in range(0, 1_000, 200):
        group = ranked[start : start + 200]
        expected, found = (sum(column) / len(group) for column in zip(*group, strict=True))
        assert abs(expected - found) < 0.08


def test_it_reads_nothing_that_is_withheld_or_ignored() -> None:
    """No protected attribute, no outcome, no leak, no stand-in: and everything it reads is asked for if missing."""
    intake = yaml.safe_load((FOLDER / "workflow.yaml").read_text())["intake"]
    hidden = {name for names in intake["withheld"].values() for name in names} | set(intake["ignored"])
    assert not hidden & set(SOURCES)
    assert set(SOURCES) <= set(NEEDED)


def test_no_weight_speaks_for_a_burden(scorer: Scorer) -> None:
    """Each feature grows with what speaks against an application, and the model agrees."""
    assert all(weight < 0 for weight in scorer.weights)


def test_the_reasons_are_what_weighed_most_and_name_their_sources(scorer: Scorer) -> None:
    """Of a hopeless application; and a good one has none."""
    [hopeless, good] = scorer.score([application("A", HOPELESS), application("B")])
    assert [reason["feature"] for reason in hopeless["reasons"]] == ["unverified", "consumer_credit", "bankruptcy"]
    assert hopeless["reasons"][0]["sources"] == ["unver"]
    assert good["reasons"] == []
    assert good["probability"] > 0.9 > scorer.score([application("C", FAIR)])[0]["probability"]


def test_fitting_again_gives_the_same_artefact(scorer: Scorer) -> None:
    """Its digest is with each score, and that of the training data: both can be computed again."""
    history = applications.history()
    assert Scorer.load(fit(history)).digest == scorer.digest
    scored = scorer.score([GOOD])[0]
    assert (scored["artefact"], scored["training_data"]) == (scorer.digest, scorer.training)
    changed = [dict(history[0], obrat=history[0]["obrat"] + 1), *history[1:]]
    assert Scorer.load(fit(changed)).training != scorer.training


def test_an_artefact_that_was_changed_is_refused(tmp_path: Path, artefacts: Path) -> None:
    """A file that is not what its name says is not evaluated."""
    shutil.copytree(artefacts, tmp_path, dirs_exist_ok=True)
    digest = scorer_in(tmp_path).digest
    artefact = tmp_path / f"{digest}.json"
    artefact.write_bytes(artefact.read_bytes().replace(b'"intercept":', b'"intercept": '))
    with pytest.raises(UnusableArtefact, match="was changed"):
        scorer_in(tmp_path)


def test_every_feature_is_finite_on_the_whole_record() -> None:
    """Whatever dirt a row holds."""
    features = matrix(applications.record())
    assert features.shape == (1_989, len(FEATURES))
    assert (abs(features) < 1e6).all()


def test_the_halves_are_the_whole_record_and_do_not_meet() -> None:
    """989 rows of history, 1,000 that arrive, the same at every call."""
    history, arriving = applications.history(), applications.applications()
    keys = [{row["case_key"] for row in half} for half in (history, arriving)]
    assert (len(history), len(arriving)) == (989, 1_000)
    assert not keys[0] & keys[1]
    assert applications.applications() == arriving
