"""The elements of a requirement graph (DMN 1.5, clause 6.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from orchestration_pipelines.model.dmn.boxed.logic import Logic
from orchestration_pipelines.model.feel.function import Parameter
from orchestration_pipelines.model.feel.types import Type


class Reference(NamedTuple):
    """What is required: an element of this model, or of one that it imports."""

    model: str | None  #: the name of the import; None for this model
    id: str


@dataclass(frozen=True)
class InputData:
    """An input; what is given for it is held against its type."""

    id: str
    name: str
    variable: str  #: the name that expressions know it by
    type: Type


@dataclass(frozen=True)
class Decision:
    """A decision: its logic sees what it requires, and no more."""

    id: str
    name: str
    variable: str
    type: Type
    logic: Logic
    requires: tuple[Reference, ...]  #: decisions, inputs and functions
    undeclared: frozenset[str]  #: names that it reads and the file declares nowhere: read from what is given
    digest: str  #: of the file
    description: str
    question: str


@dataclass(frozen=True)
class Knowledge:
    """A business knowledge model: a function that sees its parameters and what it requires."""

    id: str
    name: str
    variable: str
    parameters: tuple[Parameter, ...]
    result: Type
    logic: Logic
    requires: tuple[Reference, ...]


@dataclass(frozen=True)
class Service:
    """A decision service: decisions as a function; the input decisions are given and not evaluated."""

    id: str
    name: str
    variable: str
    inputs: tuple[Reference, ...]  #: its parameters: input data first, then input decisions
    outputs: tuple[Reference, ...]
    result: Type


Element = InputData | Decision | Knowledge | Service
Elements = Mapping[str, Element]  #: by id
