"""Reading XML that a stranger wrote: no DTD, no entities, nothing fetched, bounded in size and depth."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET
from xml.parsers import expat

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 100
MAX_ELEMENTS = 100_000  #: and attributes
MAX_URI = 256  #: a namespace is written once and kept with every name


class XmlRefused(ValueError):
    """A file that is not read any further; the message says why."""


def content_of(path: Path) -> bytes:
    """The bytes of a file; of one that is too large, just so many that :func:`parse` refuses it."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def parse(content: bytes, name: str) -> ET.Element:
    """The root of a document; names are ``{namespace}local``. :class:`XmlRefused` for anything hostile or broken."""
    if len(content) > MAX_BYTES:
        raise XmlRefused(f"{name} has more than the {MAX_BYTES:,} bytes that are allowed")
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    depth = count = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1 + len(attributes)
        if depth > MAX_DEPTH:
            raise XmlRefused(f"{name} nests deeper than {MAX_DEPTH} levels")
        if count > MAX_ELEMENTS:
            raise XmlRefused(f"{name} has more than {MAX_ELEMENTS:,} elements and attributes")
        builder.start(_qualified(tag), {_qualified(key): value for key, value in attributes.items()})

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_qualified(tag))

    def refuse(*_: object) -> None:
        raise XmlRefused(f"{name} has a DTD or declares entities: take them out, a model needs none")

    def bound(_: str | None, uri: str | None) -> None:
        if uri is not None and len(uri) > MAX_URI:
            raise XmlRefused(f"{name} has a namespace of {len(uri):,} characters; {MAX_URI} are allowed")

    parser.StartElementHandler = start
    parser.StartNamespaceDeclHandler = bound
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except XmlRefused:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: an encoding that nobody knows
        raise XmlRefused(f"{name} is not well-formed XML: {error}") from None
    return builder.close()


def _qualified(tag: str) -> str:
    return "{" + tag if "}" in tag else tag


def namespace(element: ET.Element) -> str:
    """The namespace of an element's name, or ""."""
    return element.tag[1:].split("}")[0] if element.tag.startswith("{") else ""


def local(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2]
