"""What the scorer looks at: each feature a function of the application, with its sources and what it means."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Application = Mapping[str, Any]


@dataclass(frozen=True)
class Feature:
    """One input of the model."""

    name: str
    sources: tuple[str, ...]  #: the columns of the application that it is made from
    meaning: str  #: what is said to a person where it weighed against the application
    of: Callable[[Application], float]


def _number(application: Application, column: str) -> float:
    value = application.get(column)
    return 0.0 if value is None else float(value)


def _plain(column: str, most: float = math.inf) -> Callable[[Application], float]:
    return lambda application: min(_number(application, column), most)


def _loan_to_value(application: Application) -> float:
    value = min(_number(application, "price"), _number(application, "apr"))
    return min(_number(application, "loanamt") / value, 1.5) if value > 0 else 1.5


def _above(of: Callable[[Application], float], bound: float) -> Callable[[Application], float]:
    return lambda application: max(of(application) - bound, 0.0)


def _little(*columns: str) -> Callable[[Application], float]:
    return lambda application: -math.log1p(sum(_number(application, column) for column in columns))


_VALUE = ("loanamt", "price", "apr")
_OBLIGATIONS = _plain("obrat", 80)

#: no protected attribute, nothing that is known only later, no stand-in for either (README.md, "The scorer").
#: Each grows with what speaks against an application: a weight of the other sign would be a reason nobody believes.
FEATURES: tuple[Feature, ...] = (
    Feature("loan_to_value", _VALUE, "the loan is large against the value of the property", _loan_to_value),
    Feature("above_80", _VALUE, "the loan is above 80 % of the value", _above(_loan_to_value, 0.8)),
    Feature("obligations", ("obrat",), "obligations take a large part of the income", _OBLIGATIONS),
    Feature("above_36", ("obrat",), "obligations take more than 36 % of the income", _above(_OBLIGATIONS, 36)),
    Feature("consumer_credit", ("cons",), "payments on consumer credit were slow", _plain("cons", 6)),
    Feature("late_mortgage", ("mortg",), "mortgage payments were late", _above(_plain("mortg", 4), 2)),
    Feature("bankruptcy", ("pubrec",), "there is a bankruptcy on record", _plain("pubrec")),
    Feature("unverified", ("unver",), "some of the information could not be verified", _plain("unver")),
    Feature("further_units", ("unit",), "the property has several units", _above(_plain("unit", 4), 1)),
    Feature("not_lived_in", ("occ",), "the owner will not live in the property", _above(_plain("occ", 2), 1)),
    Feature("self_employed", ("self",), "the income is from self-employment", _plain("self")),
    Feature("low_income", ("atotinc", "cototinc"), "the income is low", _little("atotinc", "cototinc")),
    Feature("low_reserves", ("liq",), "liquid assets are low", _little("liq")),
    Feature("other_financing", ("other",), "there is other financing", _plain("other", 100)),
)

#: every column that the scorer reads
SOURCES: tuple[str, ...] = tuple(dict.fromkeys(source for feature in FEATURES for source in feature.sources))


def matrix(rows: Sequence[Application]) -> NDArray[np.float64]:
    """The features of each application, a row each."""
    return np.array([[feature.of(row) for feature in FEATURES] for row in rows], dtype=np.float64).reshape(
        len(rows), len(FEATURES)
    )
