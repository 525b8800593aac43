"""What a file that somebody adds really is, and what it may be called. Nothing that its sender says is believed.

The kinds are told by their first bytes: PDF (ISO 32000-2, 7.5.2), PNG (RFC 2083, 3.1), JPEG (ITU T.81, SOI marker),
TIFF (TIFF 6.0, section 2); what is left is text if it is UTF-8 without control characters, and no markup.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from itertools import islice

MOST_BYTES = 10 * 1024 * 1024
LONGEST_NAME = 120
#: the kinds that are taken, with the endings of names that fit; the first is what a name gets that has another
KINDS: Mapping[str, tuple[str, ...]] = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/tiff": (".tif", ".tiff"),
    "text/csv": (".csv",),
    "text/plain": (".txt", ".md", ".log"),
}
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
#: a PDF ends with %%EOF, with at most so much behind it (as readers allow)
_PDF_TAIL = 1024
#: rows by which CSV is told from text
_ROWS = 50
_SEPARATORS = ",;\t"
_ON_WINDOWS = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)")
_UNSAFE = re.compile(r'[<>:"/\\|?*]')


class BadFile(ValueError):
    """The file is not taken; the message says why, and what is taken."""


def kind_of(content: bytes) -> str:
    """The media type that a content is of; :class:`BadFile` where it is none that is taken."""
    if not content:
        raise BadFile("the file is empty")
    if len(content) > MOST_BYTES:
        raise BadFile(f"the file has {len(content):,} bytes; {MOST_BYTES:,} are taken")
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            if kind == "application/pdf" and b"%%EOF" not in content[-_PDF_TAIL:]:
                raise BadFile("the file begins as a PDF and does not end as one: it was cut short, send it again")
            return kind
    return _kind_of_text(content)


def _kind_of_text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadFile(f"the file is none of what is taken: {_taken()}") from None
    if any(unicodedata.category(character) == "Cc" and character not in "\t\n\r\f" for character in text):
        raise BadFile(f"the file is none of what is taken: {_taken()}")
    if text.lstrip()[:1] == "<":
        raise BadFile("the file is markup (HTML, SVG, XML), which is not taken: send a PDF or an image of it")
    return "text/csv" if _is_csv(text) else "text/plain"


def _is_csv(text: str) -> bool:
    """Whether the first rows all have the same number of one separator, and there are two of them."""
    rows = [row for row in islice(text.splitlines(), _ROWS) if row.strip()]
    counts = ({row.count(separator) for row in rows} for separator in _SEPARATORS)
    return len(rows) > 1 and any(len(count) == 1 and count != {0} for count in counts)


def _taken() -> str:
    return "PDF, PNG, JPEG, TIFF, CSV and plain text in UTF-8"


def clean_name(name: str, kind: str) -> str:
    """A name that is safe in any folder and any header, with an ending that fits the kind.

    Only the last part of a path stays; characters that are invisible, turn the direction of writing, or mean something
    to a shell or a file system go.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    seen = "".join(c if unicodedata.category(c)[0] != "C" else "" for c in last)
    plain = " ".join(_UNSAFE.sub("_", seen).split()).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    endings = KINDS[kind]
    if not dot or f".{ending.lower()}" not in endings:
        stem, ending = plain, endings[0].removeprefix(".")
    stem = stem.strip(" .") or "document"
    if _ON_WINDOWS.fullmatch(stem.partition(".")[0]):
        stem = f"_{stem}"
    return f"{stem[: LONGEST_NAME - len(ending) - 1].rstrip(' .')}.{ending.lower()}"
