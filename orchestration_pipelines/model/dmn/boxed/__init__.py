"""Boxed expressions (DMN 1.5, clauses 7.3 and 10.2.2): each is a value over a scope of names."""

from orchestration_pipelines.model.dmn.boxed.contexts import Boxed, Entry, Listed, Related
from orchestration_pipelines.model.dmn.boxed.functions import Closure, Invoked
from orchestration_pipelines.model.dmn.boxed.iteration import Chosen, Filtered, Iterated, Quantified
from orchestration_pipelines.model.dmn.boxed.logic import Literal, Logic, Nothing, Scope, Typed, Unreadable

__all__ = [
    "Boxed",
    "Chosen",
    "Closure",
    "Entry",
    "Filtered",
    "Invoked",
    "Iterated",
    "Listed",
    "Literal",
    "Logic",
    "Nothing",
    "Quantified",
    "Related",
    "Scope",
    "Typed",
    "Unreadable",
]
