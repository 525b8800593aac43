"""Reading XML that a stranger wrote: no DTD, no entities, nothing fetched, bounded in size and depth."""

from __future__ import annotations

from xml.etree import ElementTree as ET
from xml.parsers import expat

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 100
MAX_ELEMENTS = 200_000


class XmlRefused(ValueError):
    """A file that is not read any further; the message says why."""


def parse(content: bytes, name: str) -> ET.Element:
    """The root of a document; names are ``{namespace}local``. :class:`XmlRefused` for anything hostile or broken."""
    if len(content) > MAX_BYTES:
        raise XmlRefused(f"{name} has {len(content):,} bytes; {MAX_BYTES:,} are allowed")
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    depth = count = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > MAX_DEPTH or count > MAX_ELEMENTS:
            raise XmlRefused(f"{name} nests deeper than {MAX_DEPTH} levels or has more than {MAX_ELEMENTS:,} elements")
        builder.start(_qualified(tag), {_qualified(key): value for key, value in attributes.items()})

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_qualified(tag))

    def refuse(*_: object) -> None:
        raise XmlRefused(f"{name} has a DTD or declares entities: take them out, a model needs none")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
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
