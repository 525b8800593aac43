"""A few settings of a YAML document put in place, the rest left as somebody wrote it: comments, order and layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from orchestration_pipelines.engine.document import BadDocument, read

#: the names that lead to a setting: ("queues", "seniors", "wip_limit")
Place = tuple[str, ...]


def amended(content: bytes, changes: Mapping[Place, int | None], name: str) -> bytes:
    """The document with these settings; None says that nothing holds there any more.

    Where a setting cannot be written into the text as it stands (an alias, say), the document is written anew, without
    its comments: what it says is right in any case.
    """
    wanted = {key: _own(value) for key, value in read(content, name).items()}
    text = content.decode("utf-8-sig")
    for place, value in changes.items():
        if _put(wanted, place, value, name):
            text = _written(text, place, value)
    try:
        if read(text.encode(), name) == wanted:
            return text.encode()
    except BadDocument:
        pass  # written anew below
    return yaml.dump(wanted, Dumper=_Plain, sort_keys=False, allow_unicode=True).encode()


def _own(value: Any) -> Any:
    """The same, no two parts of it being one: an alias is a part of its own."""
    if isinstance(value, dict):
        return {key: _own(below) for key, below in value.items()}
    return [_own(below) for below in value] if isinstance(value, list) else value


class _Plain(yaml.SafeDumper):
    """YAML in which everything is said where it stands."""

    def ignore_aliases(self, data: Any) -> bool:
        """No setting points to another."""
        return True


def _put(wanted: dict[Any, Any], place: Place, value: int | None, name: str) -> bool:
    """Set it in the mapping; False where it says so already."""
    *path, last = place
    here: Any = wanted
    for step in path:
        if here.get(step) is None:
            if value is None:
                return False
            here[step] = {}
        here = here[step]
        if not isinstance(here, dict):
            raise BadDocument([f"{name}: {'.'.join(place)}: {step} is no group of settings"])
    if here.get(last) == value:
        return False
    here[last] = value
    return True


def _written(text: str, place: Place, value: int | None) -> str:
    """The text with one setting put in place."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if node is None:
        raise AssertionError("a mapping was read from this text before")
    said = "null" if value is None else str(value)
    for depth, step in enumerate(place):
        if not isinstance(node, yaml.MappingNode):
            return _replaced(text, node, _nested(place[depth:], said))
        found = next((below for key, below in node.value if key.value == step), None)
        if found is None:
            return _added(text, node, f"{step}: {_nested(place[depth + 1 :], said)}")
        node = found
    return _replaced(text, node, said)


def _nested(place: Place, said: str) -> str:
    return said if not place else f"{{{place[0]}: {_nested(place[1:], said)}}}"


def _replaced(text: str, node: yaml.Node, said: str) -> str:
    begin, end = node.start_mark.index, node.end_mark.index
    blank = " " if begin == end else ""  # nothing was said: "name:"
    return f"{text[:begin]}{blank}{said}{text[end:]}"


def _added(text: str, node: yaml.MappingNode, said: str) -> str:
    if node.flow_style:
        inside = node.start_mark.index + 1
        return f"{text[:inside]}{said}{', ' if node.value else ''}{text[inside:]}"
    first = node.value[0][0].start_mark
    return f"{text[: first.index]}{said}\n{' ' * first.column}{text[first.index :]}"
