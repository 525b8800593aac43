"""Random trees of expressions, and their text: what is written must be read as it was."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from orchestration_pipelines.model.feel import nodes
from orchestration_pipelines.model.feel.nodes import Node
from orchestration_pipelines.model.feel.types import TYPES, ListType

NAMES = ("a", "b", "loan amount", "pre-bureau score", "what if?", "profit and loss", "größe")
#: each, with the parameters that it may be called with
KEYS = ("x", "unit price", "net/gross", "x + y")

numbers = st.decimals(min_value=0, max_value=10**6, places=2).map(nodes.Literal)
texts = st.text(alphabet='ab "\\\n\té🐎', max_size=4).map(nodes.Literal)
leaves = st.one_of(
    numbers, texts, st.sampled_from([True, False, None]).map(nodes.Literal), st.sampled_from(NAMES).map(nodes.Name)
)


def _parts(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    listed = st.lists(inner, max_size=3).map(tuple)
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    key = st.sampled_from(KEYS)
    entries = st.dictionaries(key, inner, max_size=2).map(
        lambda found: tuple(nodes.Entry(name, value) for name, value in found.items())
    )
    iterations = st.lists(
        st.builds(nodes.Iteration, st.sampled_from(("i", "each one")), inner, st.none() | inner), min_size=1, max_size=2
    ).map(tuple)
    return st.one_of(
        st.builds(nodes.Negation, inner),
        st.builds(nodes.Arithmetic, st.sampled_from(("+", "-", "*", "/", "**")), inner, inner),
        st.builds(nodes.Comparison, st.sampled_from(("=", "!=", "<", "<=", ">", ">=")), inner, inner),
        st.builds(nodes.Between, inner, inner, inner),
        st.builds(nodes.In, inner, several),
        st.builds(nodes.And, several),
        st.builds(nodes.Or, several),
        st.builds(nodes.If, inner, inner, inner),
        st.builds(nodes.For, iterations, inner),
        st.builds(nodes.Quantified, st.booleans(), iterations, inner),
        st.builds(nodes.Filter, inner, inner),
        st.builds(nodes.Path, inner, key),
        st.builds(nodes.Listing, listed),
        st.builds(nodes.ContextOf, entries),
        st.builds(nodes.Interval, inner, st.booleans(), inner, st.booleans()),
        st.builds(nodes.Half, st.sampled_from(("<", "<=", ">", ">=")), inner),
        st.sampled_from((TYPES["date and time"], ListType(TYPES["number"]))).flatmap(
            lambda of: st.builds(nodes.InstanceOf, inner, st.just(of), st.just(str(of)))
        ),
        st.builds(nodes.Definition, st.just((nodes.FormalParameter("p q", TYPES["number"]),)), inner),
        st.builds(nodes.Call, inner, listed),
        st.builds(nodes.NamedCall, inner, entries.filter(bool)),
    )


trees = st.recursive(leaves, _parts, max_leaves=12)


def written(node: Node) -> str:
    """A text of the node, with brackets around every part."""
    match node:
        case nodes.Literal(value):
            return _literal(value)
        case nodes.Name(name):
            return name
        case nodes.Negation(operand):
            return f"-({written(operand)})"
        case nodes.Arithmetic(operator, left, right) | nodes.Comparison(operator, left, right):
            return f"({written(left)}) {operator} ({written(right)})"
        case nodes.Between(value, low, high):
            return f"({written(value)}) between ({written(low)}) and ({written(high)})"
        case nodes.In(value, tests):
            return f"({written(value)}) in ({_all(tests)})"
        case nodes.And(operands):
            return " and ".join(f"({written(operand)})" for operand in operands)
        case nodes.Or(operands):
            return " or ".join(f"({written(operand)})" for operand in operands)
        case nodes.If(condition, then, otherwise):
            return f"if {written(condition)} then {written(then)} else {written(otherwise)}"
        case nodes.For(iterations, result):
            return f"for {_iterations(iterations)} return {written(result)}"
        case nodes.Quantified(every, iterations, condition):
            return f"{'every' if every else 'some'} {_iterations(iterations)} satisfies {written(condition)}"
        case nodes.Filter(source, condition):
            return f"({written(source)})[({written(condition)})]"
        case nodes.Path(source, name):
            return f"({written(source)}).{name}"
        case _:
            return _written_whole(node)


def _written_whole(node: Node) -> str:
    match node:
        case nodes.Listing(items):
            return f"[{', '.join(f'({written(item)})' for item in items)}]"
        case nodes.ContextOf(entries):
            return "{" + ", ".join(f"{entry.key}: {written(entry.value)}" for entry in entries) + "}"
        case nodes.Interval(low, low_closed, high, high_closed):
            ends = f"({written(low)}) .. ({written(high)})"
            return f"{'[' if low_closed else '('}{ends}{']' if high_closed else ')'}"
        case nodes.Half(operator, end):
            return f"{operator} ({written(end)})"
        case nodes.InstanceOf(value, _, name):
            return f"({written(value)}) instance of {name}"
        case nodes.Definition(parameters, body):
            return f"function({', '.join(f'{each.name}: {each.type}' for each in parameters)}) {written(body)}"
        case nodes.Call(function, arguments):
            return f"({written(function)})({_all(arguments)})"
        case nodes.NamedCall(function, arguments):
            return f"({written(function)})({', '.join(f'{each.key}: {written(each.value)}' for each in arguments)})"
        case _:
            raise AssertionError(node)


def _all(parts: tuple[Node, ...]) -> str:
    return ", ".join(f"({written(part)})" for part in parts)


def _iterations(iterations: tuple[nodes.Iteration, ...]) -> str:
    return ", ".join(
        f"{each.name} in ({written(each.domain)})" + ("" if each.end is None else f" .. ({written(each.end)})")
        for each in iterations
    )


def _literal(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Decimal):
        return str(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
