"""A case's chain: nothing can be changed, taken out, put in, moved or cut off unnoticed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.domain.audit import GENESIS, Entry, broken_at, chained, commitment
from orchestration_pipelines.domain.audit_body import template
from orchestration_pipelines.domain.canonical import encode

_BODIES = st.lists(st.binary(min_size=1, max_size=8), min_size=2, max_size=6)


def chain(bodies: list[bytes]) -> tuple[list[Entry], bytes]:
    entries, prev = [], GENESIS
    for seq, body in enumerate(bodies, 1):
        salt = bytes([seq]) * 16
        committed = commitment(salt, body)
        entries.append(Entry(seq, salt, body, committed, prev))
        prev = chained(prev, committed)
    return entries, prev


@given(_BODIES, st.data())
def test_every_tampering_is_found(bodies: list[bytes], data: st.DataObject) -> None:
    """Whatever is done to one entry, even with its commitment made anew."""
    entries, head = chain(bodies)
    assert broken_at(entries, head) is None
    at = data.draw(st.integers(0, len(entries) - 1))
    entry = entries[at]
    forged = entry.body + b"!"
    tampered = {
        "body": [entry._replace(body=forged)],
        "body and commitment": [entry._replace(body=forged, commitment=commitment(entry.salt, forged))],
        "salt": [entry._replace(salt=bytes(16))],
        "border of salt and body": [entry._replace(salt=entry.salt + entry.body[:1], body=entry.body[1:])],
        "number": [entry._replace(seq=entry.seq + 1)],
        "link": [entry._replace(prev=b"x")],
        "removed": [],
        "doubled": [entry, entry],
    }
    for what, instead in tampered.items():
        assert broken_at([*entries[:at], *instead, *entries[at + 1 :]], head) is not None, what
    assert broken_at(entries[::-1], head) is not None
    assert broken_at(entries, b"x") is not None
    assert broken_at([], head) is not None


@given(
    st.dictionaries(st.sampled_from(["act", "actor", "at", "model"]), st.text(max_size=5) | st.none(), min_size=1),
    st.integers(0, 10**6),
    st.binary(max_size=5),
)
def test_a_template_writes_what_the_encoder_would(constant: dict[str, str | None], number: int, detail: bytes) -> None:
    """Percent signs, quotes and all: thousands of bodies cost one encoding."""
    told = encode({"d": detail.hex()})
    written = template(constant, detailed=True) % (*_ordered(constant, number, told),)
    whole = {**constant, "attempt": number, "case": number, "record": f"visit:{number}", "seq": number}
    assert written == encode({**whole, "detail": {"d": detail.hex()}})


def _ordered(constant: dict[str, str | None], number: int, told: bytes) -> list[int | bytes]:
    return [told if key == "detail" else number for key in ("attempt", "case", "detail", "record", "seq")]
