"""Is an application plausible and complete? What is not, an applicant must supply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

#: without these nobody can decide: all that the scorer reads, and what the contradictions are seen from
NEEDED = (
    "loanamt", "price", "apr", "unit", "term", "occ", "atotinc", "cototinc", "hexp", "hrat", "obrat", "other", "liq",
    "cons", "mortg", "pubrec", "unver", "self",
)  # fmt: skip
#: a value out of these bounds is a slip of the pen, or a code for "not known" (amounts in $1000s, incomes in $)
BOUNDS: Mapping[str, tuple[int, int]] = {
    "loanamt": (10, 2_000),
    "price": (10, 5_000),
    "apr": (10, 5_000),
    "unit": (1, 4),
    "term": (6, 480),
    "occ": (1, 3),
    "atotinc": (0, 100_000),
    "cototinc": (0, 100_000),
    "hexp": (1, 30_000),
    "hrat": (1, 100),
    "obrat": (0, 100),
    "other": (0, 2_000),
    "liq": (0, 100_000),
    "cons": (1, 6),
    "mortg": (1, 4),
}
#: a price and an appraisal further apart than this do not belong to one property
APART = 3
#: all obligations include housing; the record rounds both (percent)
ROUNDING = 1
#: nobody lends so much on so little
MOST_LOAN_TO_VALUE = Decimal("1.5")


def asked_for(application: Mapping[str, Any]) -> dict[str, str]:
    """What the applicant must supply: field to what is wrong with it; empty where nothing is."""
    found: dict[str, str] = {}
    for field in NEEDED:
        if application[field] is None:
            found[field] = "is empty"
    for field, (low, high) in BOUNDS.items():
        value = application[field]
        if value is not None and not low <= value <= high:
            found[field] = f"is {value}, which is not between {low} and {high}"
    for field, wrong in _contradictions(application):
        found.setdefault(field, wrong)
    return found


def _contradictions(application: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    loan, price, apr = (application[name] for name in ("loanamt", "price", "apr"))
    if price and apr and not Decimal(1) / APART <= Decimal(apr) / price <= APART:
        yield "price", f"is {price} where the appraisal is {apr}: one of the two cannot be"
    elif price and apr and (ratio := loan_to_value(application)) is not None and ratio > MOST_LOAN_TO_VALUE:
        yield "loanamt", f"is {loan} on a property of {min(price, apr)}"
    housing, all_obligations = application["hrat"], application["obrat"]
    if housing is not None and all_obligations is not None and all_obligations < housing - ROUNDING:
        yield "obrat", f"is {all_obligations}, less than housing alone ({housing})"
    if application["atotinc"] == 0 and application["cototinc"] == 0:
        yield "atotinc", "is 0, and nobody else has an income"


def loan_to_value(application: Mapping[str, Any]) -> Decimal | None:
    """The loan against the lower of price and appraisal; None where there is nothing to hold it against."""
    known = [application[name] for name in ("price", "apr") if application[name]]
    if not known or application["loanamt"] is None:
        return None
    return (Decimal(application["loanamt"]) / Decimal(min(known))).quantize(Decimal("0.0001"))
