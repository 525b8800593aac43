"""What of DMN is read: versions, elements and where they may stand. docs/dmn-profile.md is held against this page."""

from __future__ import annotations

from collections.abc import Mapping

#: the namespaces of the versions that are read; 1.2 writes what it has as 1.3 does
NAMESPACES: Mapping[str, str] = {
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
}
#: those of older versions, whose functions and names mean other things
EARLIER: Mapping[str, str] = {
    "http://www.omg.org/spec/DMN/20130901": "1.0",
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd": "1.1",
}
#: boxed expressions (clauses 7.3 and 10.2.2), and what they are in words
EXPRESSIONS: Mapping[str, str] = {
    "literalExpression": "a text in FEEL",
    "decisionTable": "a decision table",
    "context": "entries that see the ones above them; an entry without a name is the result",
    "invocation": "a function called with its parameters bound by name",
    "list": "a list of expressions",
    "relation": "a list of contexts with the columns as names",
    "functionDefinition": "a function in FEEL",
    "conditional": "`if`, `then`, `else` (1.4)",
    "filter": "`in` and `match` (1.4)",
    "for": "an iteration: `in`, `return` (1.4)",
    "some": "whether one `satisfies` (1.4)",
    "every": "whether all `satisfy` (1.4)",
}
#: the elements of a requirement graph
GRAPH: Mapping[str, str] = {
    "inputData": "an input, held against its type",
    "decision": "evaluated once, by the name of its variable",
    "businessKnowledgeModel": "a function",
    "decisionService": "a function over the decisions that it encloses",
}
#: what they stand on
DEFINITIONS: Mapping[str, str] = {
    "import": "another model in the same folder; its elements are read as `name.element`",
    "itemDefinition": "a type: base, components, collection, function, allowed values",
}
#: elements that are read past: they change no value
BESIDE: Mapping[str, str] = {
    "knowledgeSource": "where knowledge comes from",
    "performanceIndicator": "business context",
    "organizationUnit": "business context",
    "elementCollection": "a selection of elements",
    "textAnnotation": "a note",
    "association": "a line to a note",
    "group": "a frame around elements",
}
#: hit policies (clause 8.2.10) and what they come to
POLICIES: Mapping[str, str] = {
    "UNIQUE": "the one rule that matches; more than one is a violation",
    "ANY": "what every rule that matches says; if they differ, a violation",
    "PRIORITY": "the output that stands first in the list of output values",
    "FIRST": "the first rule that matches",
    "RULE ORDER": "a list, in the order of the rules",
    "OUTPUT ORDER": "a list, in the order of the output values",
    "COLLECT": "a list, or with an aggregation one number",
}
#: aggregations of COLLECT, each a function of the list (for a table of one output)
AGGREGATIONS: Mapping[str, str] = {
    "SUM": "their sum",
    "COUNT": "how many",
    "MIN": "the least",
    "MAX": "the greatest",
}

_ANY = frozenset({"description", "extensionElements"})
_BOXED = frozenset(EXPRESSIONS)
_TEXT = frozenset({"text"})
_LITERAL = frozenset({"text", "importedValues"})
_ITEM = frozenset({"typeRef", "typeLanguage", "allowedValues", "typeConstraint", "itemComponent", "functionItem"})
#: which elements may stand in which; what is not in the table may hold anything, and is read past
CHILDREN: Mapping[str, frozenset[str]] = {
    "definitions": frozenset({*GRAPH, *DEFINITIONS, *BESIDE}),
    "import": frozenset(),
    "itemDefinition": _ITEM,
    "itemComponent": _ITEM,
    "functionItem": frozenset({"parameters"}),
    "allowedValues": _TEXT,
    "typeConstraint": _TEXT,
    "inputData": frozenset({"variable"}),
    "decision": _BOXED
    | {"question", "allowedAnswers", "variable", "informationRequirement", "knowledgeRequirement"}
    | {"authorityRequirement", "supportedObjective", "impactedPerformanceIndicator", "decisionMaker"}
    | {"decisionOwner", "usingProcess", "usingTask"},
    "informationRequirement": frozenset({"requiredDecision", "requiredInput"}),
    "knowledgeRequirement": frozenset({"requiredKnowledge"}),
    "businessKnowledgeModel": frozenset(
        {"variable", "encapsulatedLogic", "knowledgeRequirement", "authorityRequirement"}
    ),
    "encapsulatedLogic": _BOXED | {"formalParameter"},
    "decisionService": frozenset({"variable", "outputDecision", "encapsulatedDecision", "inputDecision", "inputData"}),
    "literalExpression": _LITERAL,
    "decisionTable": frozenset({"input", "output", "annotation", "rule"}),
    "input": frozenset({"inputExpression", "inputValues"}),
    "inputExpression": _LITERAL,
    "inputValues": _TEXT,
    "output": frozenset({"outputValues", "defaultOutputEntry"}),
    "outputValues": _TEXT,
    "defaultOutputEntry": _LITERAL,
    "rule": frozenset({"inputEntry", "outputEntry", "annotationEntry"}),
    "inputEntry": _TEXT,
    "outputEntry": _LITERAL,
    "annotationEntry": _TEXT,
    "context": frozenset({"contextEntry"}),
    "contextEntry": _BOXED | {"variable"},
    "invocation": _BOXED | {"binding"},
    "binding": _BOXED | {"parameter"},
    "list": _BOXED,
    "relation": frozenset({"column", "row"}),
    "row": _BOXED,
    "functionDefinition": _BOXED | {"formalParameter"},
    "conditional": frozenset({"if", "then", "else"}),
    "filter": frozenset({"in", "match"}),
    "for": frozenset({"in", "return"}),
    "some": frozenset({"in", "satisfies"}),
    "every": frozenset({"in", "satisfies"}),
    "if": _BOXED,
    "then": _BOXED,
    "else": _BOXED,
    "in": _BOXED,
    "match": _BOXED,
    "return": _BOXED,
    "satisfies": _BOXED,
}


def may_hold(parent: str, child: str) -> bool:
    """Whether an element of DMN may stand in another."""
    allowed = CHILDREN.get(parent)
    return allowed is None or child in allowed or child in _ANY
