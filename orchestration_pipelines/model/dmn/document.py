"""A DMN file as checked XML: its version, its elements by id, and nothing in it that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from xml.etree import ElementTree as ET

from orchestration_pipelines.model.dmn.problems import DmnRefused
from orchestration_pipelines.model.dmn.profile import EARLIER, EXPRESSIONS, GRAPH, NAMESPACES, may_hold
from orchestration_pipelines.model.xml import XmlRefused, local, namespace, parse


@dataclass(frozen=True)
class Document:
    """A file that holds only elements that are known, where they may stand."""

    name: str  #: of the file
    root: ET.Element
    digest: str  #: SHA-256 of its bytes
    by_id: Mapping[str, ET.Element]  #: the elements of the graph

    @property
    def namespace(self) -> str:
        """What other models import it by."""
        return self.root.get("namespace", "")

    @cached_property
    def dmn(self) -> str:
        """The namespace of the version that it is written in."""
        return namespace(self.root)

    @cached_property
    def own(self) -> str:
        """What the names of DMN's elements start with in it."""
        return f"{{{self.dmn}}}"

    def children(self, parent: ET.Element, *kinds: str) -> list[ET.Element]:
        """The elements of DMN in another, of these kinds if any are named."""
        if len(kinds) == 1:
            return parent.findall(self.own + kinds[0])
        wanted = {self.own + kind for kind in kinds}
        return [c for c in parent if (c.tag in wanted if kinds else c.tag.startswith(self.own))]

    def child(self, parent: ET.Element, *kinds: str) -> ET.Element | None:
        """The first of them."""
        if len(kinds) == 1:
            return parent.find(self.own + kinds[0])
        found = self.children(parent, *kinds)
        return found[0] if found else None

    def text(self, parent: ET.Element | None) -> str:
        """What is written in the ``text`` of an element, or "" if there is none."""
        written = None if parent is None else self.child(parent, "text")
        return "" if written is None else (written.text or "").strip()

    def boxed(self, parent: ET.Element) -> ET.Element | None:
        """The expression that an element holds."""
        return self.child(parent, *EXPRESSIONS)


def document(content: bytes, name: str) -> Document:
    """Read a file; :class:`DmnRefused` says everything about it that is not DMN 1.3, 1.4 or 1.5."""
    try:
        root = parse(content, name)
    except XmlRefused as error:
        raise DmnRefused(name, [str(error)]) from None
    problems = list(_version(root))
    if not problems:
        problems = [*_strangers(root), *(f"{said(root)}: {reason}" for reason in [foreign(root)] if reason)]
    by_id: dict[str, ET.Element] = {}
    for element in root:
        if namespace(element) == namespace(root) and local(element.tag) in GRAPH:
            own = element.get("id") or f"{local(element.tag)} {len(by_id) + 1}"
            if own in by_id:
                problems.append(f"{own}: a second element has this id; give each its own")
            by_id[own] = element
    if problems:
        raise DmnRefused(name, problems)
    return Document(name, root, sha256(content).hexdigest(), by_id)


def said(element: ET.Element) -> str:
    """An element for a person: its id and its name, or what it is."""
    name = element.get("name")
    own = element.get("id") or local(element.tag)
    return f"{own} ({name})" if name else own


def _version(root: ET.Element) -> Iterator[str]:
    found = namespace(root)
    if found in EARLIER:
        yield f"it is DMN {EARLIER[found]}: save it as DMN 1.3, 1.4 or 1.5 with the tool that it was drawn with"
    elif found not in NAMESPACES:
        yield f"the namespace {found!r} is not that of DMN 1.3, 1.4 or 1.5"
    elif local(root.tag) != "definitions":
        yield f"it begins with {local(root.tag)}, and not with definitions"


def _strangers(root: ET.Element) -> Iterator[str]:
    """Elements of DMN where none of them may stand; those of other namespaces are their tools' own."""
    own = namespace(root)
    waiting = [(root, root)]
    while waiting:
        parent, owner = waiting.pop()
        for child in parent:
            kind = local(child.tag)
            if namespace(child) != own or kind == "extensionElements":
                continue
            holder = child if child.get("id") and child.get("name") else owner
            if may_hold(local(parent.tag), kind):
                waiting.append((child, holder))
            else:
                yield f"{said(holder)}: a {kind} in a {local(parent.tag)} is not DMN 1.5; take it out"


def foreign(element: ET.Element) -> str:
    """Why the texts of an element are none of FEEL, or "" if they are; tools write the language in many ways."""
    for attribute in ("expressionLanguage", "typeLanguage"):
        language = element.get(attribute, "")
        if language and "feel" not in language.lower() and language not in (*NAMESPACES, *EARLIER):
            return f"its expressions are in {language}: write them in FEEL"
    return ""
