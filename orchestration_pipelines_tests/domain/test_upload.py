"""Files that are added: judged by what they hold, called by a name that harms nobody."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.domain.upload import KINDS, LONGEST_NAME, MOST_BYTES, BadFile, clean_name, kind_of

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PDF, "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"II*\x00\x08\x00\x00\x00", "image/tiff"),
        (b"MM\x00*\x00\x00\x00\x08", "image/tiff"),
        (b"a,b\n1,2\n3,4\n", "text/csv"),
        (b"a;b\r\n1;2\r\n", "text/csv"),
        ("\ufeffGrüße\n".encode(), "text/plain"),
        (b"a, b and c", "text/plain"),
        (b"one,\ntwo", "text/plain"),
    ],
)
def test_a_file_is_what_it_holds(content: bytes, kind: str) -> None:
    """By its first bytes; text by being text."""
    assert kind_of(content) == kind


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"MZ\x90\x00\x03", "none of what is taken"),
        (b"PK\x03\x04\x14\x00", "none of what is taken"),
        (b"GIF89a\x00", "none of what is taken"),
        (b"\xff\xfea\x00", "none of what is taken"),
        (b"text with \x00 in it", "none of what is taken"),
        (b"<!doctype html><script>", "markup"),
        (b"  \n<svg onload=alert(1)>", "markup"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "markup"),
        (PDF[:-8], "cut short"),
        (b"a" * (MOST_BYTES + 1), "are taken"),
    ],
)
def test_what_is_not_taken_is_told_why(content: bytes, why: str) -> None:
    """Programs, archives, markup, half a PDF, too much."""
    with pytest.raises(BadFile, match=why):
        kind_of(content)


@pytest.mark.parametrize(
    ("name", "kind", "clean"),
    [
        ("pay slip.pdf", "application/pdf", "pay slip.pdf"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        (r"C:\Users\me\slip.PDF", "application/pdf", "slip.pdf"),
        ("evil.html", "text/plain", "evil.html.txt"),
        ("photo.jpeg", "image/jpeg", "photo.jpeg"),
        ("invoice\u202efdp.exe", "application/pdf", "invoicefdp.exe.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "application/pdf", "aSet-Cookie_ x.pdf"),
        ("con.txt", "text/plain", "_con.txt"),
        (".pdf", "application/pdf", "pdf.pdf"),
        ("", "image/png", "document.png"),
        ("...", "image/png", "document.png"),
        ('<b>"x"</b>.csv', "text/csv", "b_.csv"),
    ],
)
def test_a_name_is_made_harmless(name: str, kind: str, clean: str) -> None:
    """No path, nothing invisible, no ending but that of what it is."""
    assert clean_name(name, kind) == clean


@given(st.text(max_size=300), st.sampled_from(sorted(KINDS)))
def test_any_name_becomes_a_safe_one(name: str, kind: str) -> None:
    """Short, visible, of one part, and with an ending of its kind."""
    clean = clean_name(name, kind)
    assert 1 < len(clean) <= LONGEST_NAME
    assert not set(clean) & set('<>:"/\\|?*\r\n')
    assert all(unicodedata.category(character)[0] != "C" for character in clean)
    assert clean[0] != "."
    assert f".{clean.rpartition('.')[2]}" in KINDS[kind]
    assert clean_name(clean, kind) == clean
