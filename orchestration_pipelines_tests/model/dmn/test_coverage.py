"""The search for places where no rule matches, and where two do: against looking at every place."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration_pipelines.model.dmn import coverage
from orchestration_pipelines.model.dmn.coverage import Budget, Holes, TooLarge, shared, transposed

_RULES = 5
_COLUMN = st.lists(st.integers(0, (1 << _RULES) - 1), min_size=1, max_size=4)
_COLUMNS = st.lists(_COLUMN, min_size=1, max_size=4)


def _matching(columns: list[list[int]], place: tuple[int, ...]) -> int:
    mask = (1 << _RULES) - 1
    for masks, each in zip(columns, place, strict=True):
        mask &= masks[each]
    return mask


@given(_COLUMNS, st.data())
def test_holes_are_exactly_the_places_where_none_matches(columns: list[list[int]], data: st.DataObject) -> None:
    """No place is missing, none is in two boxes, and none is outside what was looked at."""
    within = [data.draw(st.lists(st.sampled_from(range(len(each))), unique=True)) for each in columns]
    rules = data.draw(st.integers(0, (1 << _RULES) - 1))
    boxes = Holes(columns, within, Budget()).of(rules)
    found = [place for box in boxes for place in product(*box)]
    assert len(found) == len(set(found))
    assert set(found) == {place for place in product(*within) if not _matching(columns, place) & rules}


@given(_COLUMNS)
def test_two_rules_share_a_place_or_there_is_none(columns: list[list[int]]) -> None:
    """The place that is shown is one where both match."""
    rows = transposed(columns, _RULES)
    for one in range(_RULES):
        for other in range(one):
            both = 1 << one | 1 << other
            places = [p for p in product(*map(range, map(len, columns))) if _matching(columns, p) & both == both]
            place = shared(rows[one], rows[other])
            assert (place in places) if places else (place is None)


def test_neighbours_that_leave_the_same_are_one_box() -> None:
    """Not a finding for each class."""
    assert Holes([[1, 0, 0, 1], [1, 1]], [[0, 1, 2, 3], [0, 1]], Budget()).of(1) == [((1, 2), (0, 1))]


def test_many_columns_that_are_covered_are_no_work() -> None:
    """A rule that holds everywhere closes the search at once: a thousandth of what every place would take."""
    columns = [[0b11, 0b10]] * 60
    assert Holes(columns, [[0, 1]] * 60, Budget()).of(0b11) == []


def test_a_search_without_end_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so, in place of an answer."""
    monkeypatch.setattr(coverage, "MAX_STEPS", 1_000)
    chance = random.Random(3)
    columns = [[chance.getrandbits(60) | chance.getrandbits(60) for _ in range(4)] for _ in range(12)]
    with pytest.raises(TooLarge):
        Holes(columns, [range(4)] * 12, Budget()).of((1 << 60) - 1)


def test_boxes_beyond_the_bound_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some are kept, and that there are more."""
    monkeypatch.setattr(coverage, "MAX_BOXES", 2)
    columns = [[1 << n for n in range(8)], [~(1 << n) for n in range(8)]]
    holes = Holes(columns, [range(8), range(8)], Budget())
    assert len(holes.of(255)) == 2
    assert holes.more
