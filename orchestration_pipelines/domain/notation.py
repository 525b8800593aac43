"""How a value is written for a person: the same in every place and country, and never rounded where a rule may look.

Numbers are grouped by commas and have a point; money has its sign or code in front (a unit of ``$1000`` counts
thousands and is written out); a share is written in per cent. ISO 8601 dates stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any

#: what is written where there is no value
NOTHING = "not given"
#: of a share, as a whole: 0.83421 is 83.421 %, and what is finer than this is rounded
_SHARE_PLACES = Decimal("0.0001")
_MONEY = re.compile(r"(?P<sign>[$€£¥])(?P<times>1000|1000000)?|(?P<code>[A-Z]{3})(?: (?P<by>1000|1000000))?")
_EXACT = Context(prec=80)
#: a number further from 1 than this (in powers of ten) is written with an exponent
_PLAIN_POWER = 20


def written(value: Any, unit: str = "", values: Mapping[str, str] | None = None) -> str:
    """A value as a person reads it, in its unit; ``values`` says what codes mean. Lists and mappings in one line."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return (values or {}).get(_code(value)) or ("yes" if value else "no")
    if values and (meaning := values.get(_code(value))):
        return meaning
    if isinstance(value, int | float | Decimal):
        return _in_unit(value if isinstance(value, int | Decimal) else Decimal(repr(value)), unit)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {written(item)}" for name, item in value.items()) or NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(written(item) for item in value) or NOTHING
    return str(value)


def _code(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return _number(value).replace(",", "") if isinstance(value, int | Decimal) else str(value)


def _in_unit(number: int | Decimal, unit: str) -> str:
    if money := _MONEY.fullmatch(unit):
        whole = _EXACT.multiply(Decimal(number), Decimal(money["times"] or money["by"] or 1))
        amount = _number(abs(whole))
        if "." in amount and "E" not in amount:  # cents are two, as on an invoice
            amount += "0" * (2 - len(amount.partition(".")[2]))
        return f"{'−' if whole < 0 else ''}{money['sign'] or money['code'] + ' '}{amount}"
    if unit == "share":
        share = _EXACT.multiply(Decimal(number), Decimal(100))
        if abs(share.adjusted()) <= _PLAIN_POWER:
            share = _EXACT.quantize(share, _SHARE_PLACES)
        return f"{_number(share)} %"
    if unit and number in (1, -1) and unit.endswith("s"):  # units are declared in the plural
        unit = unit.removesuffix("s")
    return f"{_number(number)} {unit}".rstrip()


def _number(number: int | Decimal) -> str:
    exact = _EXACT.normalize(Decimal(number)) if Decimal(number).is_finite() else Decimal(number)
    if not exact.is_finite() or (exact and abs(exact.adjusted()) > _PLAIN_POWER):
        return str(exact).replace("-", "−", 1)
    return f"{exact:,f}".replace("-", "−")
