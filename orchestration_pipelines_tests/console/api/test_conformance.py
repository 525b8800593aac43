"""schemathesis against the OpenAPI document: whatever is sent, nothing breaks, and each answer is documented."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from orchestration_pipelines.console.app import create_app
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines_tests.console.api.conftest import token_of
from orchestration_pipelines_tests.engine.flow import Flow

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    missing_required_header,
    negative_data_rejection,
]
_SETTINGS = settings(
    max_examples=2, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
#: parameters of paths, and the table in which there are such numbers
_TABLES = {
    "task": "review_task",
    "case": "cases",
    "letter": "dead_letter",
    "incident": "incident",
    "document": "document",
}


@pytest.fixture
def busy(flow: Flow) -> Flow:
    """Something of everything: tasks that wait, a dead letter, an incident."""
    flow.submit(*(f"C{number}" for number in range(12)))
    flow.sweep()
    flow.script["reserve"] = lambda case, bank: 1 / 0
    flow.submit("dead")
    for _ in range(3):
        flow.sweep()
        flow.clock.advance(minutes=10)
    return flow


class Aim:
    """Numbers of what is there, in turn: a number drawn at random is almost never that of anything."""

    def __init__(self, flow: Flow) -> None:
        self._numbers: dict[str, Iterator[int]] = {
            name: itertools.cycle([row[0] for row in flow.rows(f"SELECT id FROM {table} ORDER BY id")] or [1])
            for name, table in _TABLES.items()
        }

    def at(self, case: Any) -> None:
        for name in case.path_parameters or {}:
            if name in self._numbers:
                case.path_parameters[name] = next(self._numbers[name])


@pytest.mark.parametrize("person", ["ann", "mara", "ada"])
def test_whatever_is_sent_is_answered_as_documented(desk: Desk, busy: Flow, person: str) -> None:
    """As a reviewer, a manager and an admin: what fits and what does not, at what is there and at what is not."""
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app(desk, ["testserver"]))
    aim, token = Aim(busy), token_of(desk, person)
    answered = Counter[int]()

    def send(case: Any) -> None:
        if case.meta and case.meta.generation.mode is GenerationMode.POSITIVE:
            aim.at(case)
        answer = case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=_CHECKS)
        answered[answer.status_code] += 1

    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _SETTINGS(given(case=result.ok().as_strategy(generation_mode=mode))(send))()
    assert {401, 404, 422} <= set(answered)
    assert person == "ada" or 200 in answered
