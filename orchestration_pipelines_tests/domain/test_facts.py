"""The fact sheet: labels and groups of what a case holds."""

from __future__ import annotations

from orchestration_pipelines.domain.facts import UNGROUPED, Fact, FactSheet, from_json, spread, to_json

SHEET = FactSheet(
    facts=(
        Fact("amount", "Amount asked for", "The loan", "$1000", type="number"),
        Fact("paid", "How they pay", "The loan", values={"1": "never late"}, type="number"),
        Fact("urgent", "Urgent", type="flag"),
        Fact("score.probability", "Confidence", "The machine", "share"),
    ),
    told=("score.probability",),
    outputs={"rate": ("score",)},
)


def test_a_sheet_is_the_same_after_it_was_stored() -> None:
    """What is released is what is read."""
    read = from_json(to_json(SHEET))
    assert (read.facts, read.told, read.similar) == (SHEET.facts, SHEET.told, SHEET.similar)
    assert {step: tuple(names) for step, names in read.outputs.items()} == SHEET.outputs


def test_groups_stand_in_the_order_declared() -> None:
    """And what no group names has one of its own."""
    assert list(SHEET.groups) == ["The loan", UNGROUPED, "The machine"]


def test_what_the_sheet_does_not_know_is_shown_under_its_own_name() -> None:
    """As words, and as it is."""
    assert SHEET.label("rate_lock.valid_until") == "rate lock valid until"
    assert SHEET.written("rate_lock", 3) == "3"


def test_a_mapping_of_facts_tells_them_by_their_labels() -> None:
    """What is asked of an applicant is a mapping of columns."""
    assert SHEET.written("asked_for", {"amount": "is empty"}) == "Amount asked for: is empty"


def test_cases_are_compared_by_numbers_and_flags_that_were_submitted() -> None:
    """Never by what the machine derived; by the owner's list where there is one."""
    assert [fact.name for fact in SHEET.compared] == ["amount", "paid", "urgent"]
    assert [f.name for f in FactSheet(SHEET.facts, similar=("urgent",)).compared] == ["urgent"]


def test_a_value_is_found_by_its_way() -> None:
    """A part of a variable; nothing where the way leads nowhere."""
    way = SHEET.of("score.probability")
    assert way.of({"score": {"probability": 1}}) == 1
    assert way.of({"score": 3}) is None
    assert list(spread("a", {"b": {"c": 1}, "d": []})) == [("a.b.c", 1), ("a.d", [])]
