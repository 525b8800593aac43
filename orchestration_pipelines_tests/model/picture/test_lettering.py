"""Names are broken into lines that fit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model.picture.lettering import width, wrapped


def test_widths_are_those_of_the_letters() -> None:
    """An i is narrower than a W; an accent takes no room; a letter of East Asia takes a square."""
    assert width("iiii", 12) < width("aaaa", 12) < width("WWWW", 12)
    assert width("é", 12) == width("e", 12)
    assert width("e\u0301", 12) == width("e", 12)
    assert width("审", 10) > 10


@given(st.text(max_size=80), st.floats(20, 200), st.integers(1, 6))
def test_lines_fit_and_lose_nothing(text: str, within: float, most: int) -> None:
    """Each line fits, if it has more than one letter; what is left out is told by an ellipsis."""
    lines = wrapped(text, within, 12, most)
    assert len(lines) <= most
    assert all(width(line, 12) <= within or len(line.rstrip("…")) <= 1 for line in lines)
    written = "".join("".join(lines).split())
    whole = "".join(text.split())
    assert written == whole or (written.endswith("…") and whole.startswith(written[:-1]))


def test_words_stay_whole_where_they_can() -> None:
    """Then break after a hyphen, and only then anywhere."""
    assert wrapped("Adverse action notice", 80, 12, 4) == ["Adverse", "action notice"]
    assert (
        wrapped("Sub-Process", 40, 12, 4) == ["Sub-", "Proces", "s"] or wrapped("Sub-Process", 50, 12, 4)[0] == "Sub-"
    )
    assert wrapped("a b c d e f g h", 20, 12, 2)[-1].endswith("…")
