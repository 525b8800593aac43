"""Workers that do next to nothing, so that a benchmark measures the engine and not them."""

from __future__ import annotations

from decimal import Decimal

from orchestration_pipelines import Case, worker


class Register:
    """An external system that only acknowledges: its effects are unique by key, as any real one's must be."""

    def reserve(self, key: str) -> str:
        """A receipt for the key; the same one for the same key."""
        return f"R-{key[:12]}"

    def release(self, receipt: str) -> None:
        """Undo; nothing is kept, so there is nothing to do."""


TOOLS = {"register": Register}


@worker(inputs=("amount", "income"), outputs=("ratio",))
def check(case: Case) -> dict[str, object]:
    """The ratio that the grade looks at."""
    return {"ratio": (Decimal(case["amount"]) / Decimal(case["income"])).quantize(Decimal("0.0001"))}


@worker(inputs=(), outputs=("receipt",), external="register")
def reserve(case: Case, register: Register) -> dict[str, object]:
    """Reserve under the visit's key."""
    return {"receipt": register.reserve(case.idempotency_key)}


@worker(inputs=("receipt",), external="register")
def release(case: Case, register: Register) -> None:
    """Undo a reservation."""
    register.release(case["receipt"])


@worker(inputs=("receipt",), outputs=())
def file(case: Case) -> None:
    """Nothing more to know."""
