"""Every route of the interface × every standing × with and without its scope, from the route table itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from fastapi.routing import iter_route_contexts

from orchestration_pipelines.console.api.app import create_api
from orchestration_pipelines.domain.client import Scope
from orchestration_pipelines.domain.standing import RIGHTS, Right, standing_of
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines_tests.console.api.conftest import Program, Programs
from orchestration_pipelines_tests.console.conftest import PEOPLE


class Guarded(NamedTuple):
    method: str
    path: str
    scope: Scope
    right: Right


def guarded(desk: Desk) -> Iterator[Guarded]:
    """Each route with what it asks for; one that asks for nothing is the document of the interface, or an error."""
    for route in iter_route_contexts(create_api(desk).routes):
        if route.path == "/openapi.json":
            continue
        asked = [vars(each.call) for each in route.dependant.dependencies if "right" in vars(each.call)]
        assert len(asked) == 1, f"{route.path} must say which scope and right it asks for: calls(…) or acts(…)"
        for method in (route.methods or set()) - {"HEAD"}:
            yield Guarded(method, str(route.path), asked[0]["scope"], asked[0]["right"])


def refused(client: Program, route: Guarded) -> str:
    """Why the guard lets nobody pass; empty: it does, and an empty request is told that it does not fit."""
    path = re.sub(r"\{\w+\}", "999", route.path)
    answer = client.get(path) if route.method == "GET" else client.post(path, {})
    if answer.status_code == 403:
        return str(answer.json()["detail"])
    assert answer.status_code in (200, 404, 409, 422, 428), answer.text
    return ""


@pytest.mark.parametrize("person", sorted(PEOPLE))
def test_every_route_asks_for_a_scope_and_a_right(program: Programs, desk: Desk, person: str) -> None:
    """Whoever has the standing passes with the scope alone, and nobody passes without it."""
    standing = standing_of(PEOPLE[person])
    by_scope = {scope: program(person, scope) for scope in Scope}
    others = {scope: program(person, *(set(Scope) - {scope})) for scope in Scope}
    routes = list(guarded(desk))
    assert len(routes) > 30
    for route in routes:
        told = refused(by_scope[route.scope], route)
        assert told.startswith("this is for a") == (standing not in RIGHTS[route.right]), (route, told)
        assert refused(others[route.scope], route).endswith(f"has not the scope {route.scope}"), route
