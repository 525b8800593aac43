"""The scorer: the calibrated probability that an underwriter would approve, and what weighed against it.

scikit-learn fits it on the history half. What is kept is JSON: numbers, the names of the features, and the digest
of the training data; it is evaluated with numpy. Nothing is unpickled.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestration_pipelines.domain.canonical import encode, exact
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.workflows.mortgage_underwriting import applications
from orchestration_pipelines.workflows.mortgage_underwriting.features import FEATURES, SOURCES, matrix

REASONS = 3
#: less than this (in log-odds) is no reason
LEAST = 0.05
#: names the artefact in force; the artefacts themselves are named by their digest
_IN_FORCE = "mortgage_scorer.json"
_DIGITS = 10
_FOLDS = 5


class UnusableArtefact(RuntimeError):
    """An artefact that is not what its name says; the message says what to do."""


@dataclass(frozen=True)
class Scorer:
    """A fitted model, with the digests of itself and of what it was fitted on."""

    digest: str
    training: str
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    intercept: float

    @classmethod
    def load(cls, artefact: bytes) -> Scorer:
        """The scorer that an artefact holds."""
        held = json.loads(artefact)
        if held["features"] != [feature.name for feature in FEATURES]:
            raise UnusableArtefact("this artefact was fitted on other features: remove it, and it is fitted again")
        return cls(
            digest=sha256(artefact).hexdigest(),
            training=held["training"],
            mean=np.array(held["mean"]),
            scale=np.array(held["scale"]),
            weights=np.array(held["weights"]),
            intercept=held["intercept"],
        )

    def score(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """For each application its probability, the features that weighed most against it, and the digests."""
        weighed = (matrix(rows) - self.mean) / self.scale * self.weights
        probabilities = 1 / (1 + np.exp(-(weighed.sum(axis=1) + self.intercept)))
        return [
            {
                "probability": round(float(probability), 4),
                "reasons": _reasons(row),
                "artefact": self.digest,
                "training_data": self.training,
            }
            for probability, row in zip(probabilities, weighed, strict=True)
        ]


def _reasons(weighed: NDArray[np.float64]) -> list[dict[str, Any]]:
    """What weighed most against an application, beside the average one of the history."""
    worst = [int(index) for index in np.argsort(weighed, kind="stable")[:REASONS] if weighed[index] <= -LEAST]
    return [
        {
            "feature": FEATURES[index].name,
            "meaning": FEATURES[index].meaning,
            "weight": round(float(weighed[index]), 3),
            "sources": list(FEATURES[index].sources),
        }
        for index in worst
    ]


def fit(history: Sequence[Mapping[str, Any]]) -> bytes:
    """Fit on decided applications; returns the artefact, the same for the same history on the same machine."""
    from sklearn.linear_model import LogisticRegression  # slow to import, and most processes only evaluate
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = matrix(history)
    approved = np.array([row["action"] in (1, 2) for row in history])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=3_000))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=applications.SEED)
    unseen = cross_val_predict(model, features, approved, cv=folds, method="decision_function")
    # Platt's scaling on what each fold had not seen makes the model's output a probability.
    calibration = LogisticRegression(C=1e6).fit(unseen.reshape(-1, 1), approved)
    model.fit(features, approved)
    scaler, logistic = model[0], model[1]
    slope, shift = float(calibration.coef_[0, 0]), float(calibration.intercept_[0])
    return encode(
        exact(
            {
                "features": [feature.name for feature in FEATURES],
                "training": training_digest(history),
                "mean": _rounded(scaler.mean_),
                "scale": _rounded(scaler.scale_),
                "weights": _rounded(slope * logistic.coef_[0]),
                "intercept": round(slope * float(logistic.intercept_[0]) + shift, _DIGITS),
            }
        )
    )


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), _DIGITS) for value in values]


def training_digest(history: Sequence[Mapping[str, Any]]) -> str:
    """The digest of exactly what the scorer learns from: the columns it reads, and the decision."""
    learnt = [[row["case_key"], row["action"], *(row[name] for name in SOURCES)] for row in history]
    return sha256(encode(exact(learnt))).hexdigest()


def scorer_in(folder: Path) -> Scorer:
    """The scorer in force in a folder of artefacts; fitted on the history half if there is none yet."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    in_force = folder / _IN_FORCE
    with (folder / f".{_IN_FORCE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one process fits, the others wait for it
        if not in_force.exists():
            artefact = fit(applications.history())
            digest = sha256(artefact).hexdigest()
            _write(folder / f"{digest}.json", artefact)
            _write(in_force, encode({"artefact": digest}))
    digest = str(json.loads(in_force.read_bytes())["artefact"])
    path = folder / f"{digest}.json"
    artefact = path.read_bytes()
    if sha256(artefact).hexdigest() != digest:
        raise UnusableArtefact(f"{path.name} was changed: remove it and {_IN_FORCE}, and it is fitted again")
    return Scorer.load(artefact)


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    draft.replace(path)


def open_scorer() -> Scorer:
    """The scorer in force in this home."""
    return scorer_in(Home.from_environment().artefacts)
