"""A stranger's XML: hostile files are refused, each in no time."""

from __future__ import annotations

import time

import pytest

from orchestration_pipelines.model.xml import MAX_BYTES, XmlRefused, parse

_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
HOSTILE = {
    "a DTD": ("<!DOCTYPE a><a/>", "DTD"),
    "an external DTD": ('<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>', "DTD"),
    "an external entity": ('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', "DTD"),
    "a parameter entity": ('<!DOCTYPE a [<!ENTITY % e SYSTEM "http://127.0.0.1:9/">%e;]><a/>', "DTD"),
    "entities that multiply": (f'<!DOCTYPE a [<!ENTITY l0 "ha">{_LAUGHS}]><a>&l11;</a>', "DTD"),
    "an entity nobody declared": ("<a>&e;</a>", "well-formed"),
    "depth": ("<a>" * 5_000 + "</a>" * 5_000, "deeper"),
    "size": ("<a>" + " " * MAX_BYTES + "</a>", "bytes"),
    "many elements": ("<a>" + "<b/>" * 250_000 + "</a>", "elements"),
    "many attributes": ("<a " + " ".join(f'b{n}="1"' for n in range(250_000)) + "/>", "attributes"),
    "a long namespace": (f'<a xmlns="u:{"x" * 100_000}">' + "<b/>" * 1_000 + "</a>", "namespace"),
    "an unclosed element": ("<a>", "well-formed"),
    "an unknown encoding": ('<?xml version="1.0" encoding="none-such"?><a/>', "well-formed"),
    "a multi-byte encoding": ('<?xml version="1.0" encoding="utf-7"?><a/>', "well-formed"),
    "nothing": ("", "well-formed"),
    "NUL": ("<a>\0</a>", "well-formed"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_at_once(case: str) -> None:
    """With the file's name and the reason, in under two seconds of work, however busy the machine is."""
    written, reason = HOSTILE[case]
    began = time.process_time()
    with pytest.raises(XmlRefused, match=reason) as refused:
        parse(written.encode(), "their.bpmn")
    assert str(refused.value).startswith("their.bpmn")
    assert time.process_time() - began < 2


def test_an_honest_file_is_read() -> None:
    """Names come with their namespace, text whole."""
    root = parse('<a xmlns="u:x"><b c="1">é &amp; ü</b></a>'.encode(), "n")
    assert (root.tag, root[0].get("c"), root[0].text) == ("{u:x}a", "1", "é & ü")
