"""Who acts, and what a person types: the rules of every verb."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from orchestration_pipelines.cli.output import Problem
from orchestration_pipelines.cli.session import acting, assignments, find_workflow, operator
from orchestration_pipelines.store import account

_CONTEXT, _PARAMETER = click.Context(click.Command("x")), click.Option(["--set"])


def test_whoever_names_another_is_kept_beside_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """--as is recorded as asserted by the operating-system user; without it, one acts as oneself."""
    monkeypatch.delenv("ORCHESTRATION_AS", raising=False)
    me = account.user()
    assert acting(None) == (me, None)
    assert acting("ann") == ("ann", me)
    assert operator("ann") == f"ann (asserted by {me})"
    assert operator(None) == me


def test_the_environment_makes_nobody_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who acts is who the operating system says, whatever name is written into LOGNAME."""
    me = account.user()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "ann")
    assert acting(None) == (me, None)


def test_naming_another_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ORCHESTRATION_AS is off, nobody acts as somebody else."""
    monkeypatch.setenv("ORCHESTRATION_AS", "off")
    with pytest.raises(Problem, match="--as is switched off here"):
        acting("ann")
    assert acting(None) == (account.user(), None)


def test_nobody_is_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty --as is told, not recorded."""
    monkeypatch.delenv("ORCHESTRATION_AS", raising=False)
    with pytest.raises(Problem, match="--as names nobody"):
        acting(" ")


def test_values_are_typed_as_field_equals_value() -> None:
    """The first = divides; the value may have more of them, or be empty."""
    assert assignments(_CONTEXT, _PARAMETER, ("a=1", "b=x=y", "c=")) == {"a": "1", "b": "x=y", "c": ""}
    with pytest.raises(click.BadParameter, match="'amount' is not field=value"):
        assignments(_CONTEXT, _PARAMETER, ("amount",))


def test_a_workflow_is_found_by_its_name_or_folder(tmp_path: Path) -> None:
    """A shipped one by name; anything else is told with what there is."""
    assert find_workflow("mortgage_underwriting").name == "mortgage_underwriting"
    for name in ("nonesuch", str(tmp_path)):
        with pytest.raises(Problem, match="name a shipped one \\(mortgage_underwriting, throughput\\)"):
            find_workflow(name)
