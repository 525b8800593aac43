"""Queues: who sees which, what is counted, one queue filtered and paged, a case found by its key."""

from __future__ import annotations

import re

import psycopg
import pytest

from orchestration_pipelines.engine import hands, listing
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines_tests.console.conftest import SignedIn
from orchestration_pipelines_tests.console.test_work import words
from orchestration_pipelines_tests.engine.flow import Flow


@pytest.fixture
def tasks(flow: Flow) -> list[int]:
    """Six cases wait; of two of them somebody with a skill is wanted, one is urgent, one in bob's hands."""
    for key in ("K-1", "K-2", "K-3", "K-4", "L-1", "L-2"):
        flow.submit(key)
        flow.sweep()
        flow.clock.advance(hours=1)
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute("UPDATE review_task SET skill = 'income', region = 'north' WHERE id % 3 = 0")
        owner.execute("UPDATE review_task SET priority = 5 WHERE id = 2")
        owner.execute("UPDATE review_task SET due_at = '2026-03-02 09:30+00' WHERE id = 4")
        owner.execute("UPDATE queue SET title = 'The reviews' WHERE name = 'reviews'")
    with flow.engine.connect() as connection:
        hands.claim(connection, [5], person="bob", at=flow.clock())
    return [row[0] for row in flow.rows("SELECT id FROM review_task ORDER BY id")]


def keys(html: str) -> list[str]:
    """The cases of a list, in its order."""
    return re.findall(r'class="open" href="/(?:tasks|cases)/\d+">([^<]*)<', html)


def test_everybody_sees_their_queues(signed_in: SignedIn, tasks: list[int]) -> None:
    """A reviewer those of their roles; a senior, a manager and an auditor all; an admin none."""
    ann = words(signed_in("ann").get("/queues").text)
    assert "The reviews" in ann
    assert "seniors" not in ann
    assert "5 5 1 past due" in ann.replace("Waiting ", "")
    for person in ("cleo", "mara", "abel"):
        page = words(signed_in(person).get("/queues").text)
        assert "seniors" in page
        assert "requesters" in page
    assert signed_in("ada").get("/queues").status_code == 403


def test_who_is_there_is_shown(flow: Flow, signed_in: SignedIn, tasks: list[int]) -> None:
    """Whoever is absent or off shift is not; a queue with nobody says so."""
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute("UPDATE reviewer SET title = 'Ann Albers' WHERE person = 'ann'")
        owner.execute(
            "INSERT INTO absence (person, starts, reason, set_by, set_at) "
            "SELECT unnest(ARRAY['bob', 'cleo']), '2026-03-01', 'away', 'mara', '2026-03-01'"
        )
    page = words(signed_in("mara").get("/queues").text)
    assert "Ann Albers" in page
    assert "bob" not in page
    assert "nobody" in page
    assert signed_in("cleo").get("/parts/queues").status_code == 200


FILTERED = {
    "": ["K-1", "K-2", "K-3", "K-4", "L-1", "L-2"],
    "order=key": ["K-1", "K-2", "K-3", "K-4", "L-1", "L-2"],
    "order=due": ["K-4", "K-1", "K-2", "K-3", "L-1", "L-2"],
    "order=age&key=L-": ["L-1", "L-2"],
    "status=claimed": ["L-1"],
    "status=open&skill=income": ["K-3", "L-2"],
    "region=north&key=K": ["K-3"],
    "priority=5": ["K-2"],
    "past_due=1": ["K-4"],
    "step=review&priority=&past_due=": ["K-1", "K-2", "K-3", "K-4", "L-1", "L-2"],
    "step=nowhere": [],
}


def test_a_queue_is_filtered_and_ordered(signed_in: SignedIn, tasks: list[int]) -> None:
    """By a plain form; the part that reloads itself is asked the same."""
    mara = signed_in("mara")
    for asked, found in FILTERED.items():
        page = mara.get(f"/queues/flow/reviews?{asked}")
        assert page.status_code == 200
        assert keys(page.text) == found
        part = re.search(r'data-part="([^"]*)"', page.text)
        assert part is not None
        assert keys(mara.get(part[1].replace("&amp;", "&")).text) == found
        assert ("Nothing here is like that" in page.text) == (not found)


NONE = ["order=up", "status=decided", "priority=10", "priority=x", "past_due=yes", "after=nowhere", f"key={'x' * 201}"]
ODD = ["key=%00", "after=~%00", "skill=%00", "key=%F0%9F%98%80", "key=%25", "key='"]


def test_a_filter_that_is_none_is_told_and_odd_characters_break_nothing(signed_in: SignedIn, tasks: list[int]) -> None:
    """422 with words, whatever is made up in the address bar; NUL is no text, anything else finds nothing."""
    ann = signed_in("ann")
    assert {ann.get(f"/queues/flow/reviews?{asked}").status_code for asked in NONE} == {422}
    for asked in ODD:
        assert ann.get(f"/queues/flow/reviews?{asked}").status_code in (200, 422)
        assert ann.get(f"/search?q={asked.partition('=')[2]}").status_code in (200, 422)


def test_a_queue_that_one_does_not_see_is_not_there(signed_in: SignedIn, tasks: list[int]) -> None:
    """As one that does not exist."""
    for path in ("flow/seniors", "flow/nowhere", "elsewhere/reviews", "flow/a/b"):
        assert signed_in("ann").get(f"/queues/{path}").status_code == 404
        assert signed_in("ann").get(f"/parts/queues/{path}").status_code == 404
    assert signed_in("abel").get("/queues/flow/seniors").status_code == 200


def test_taking_is_offered_to_those_who_may(flow: Flow, signed_in: SignedIn, tasks: list[int]) -> None:
    """Not what one submitted, not to an auditor; what somebody has says who."""
    with psycopg.connect(flow.engine.url, autocommit=True) as owner:
        owner.execute("UPDATE review_task SET requested_by = 'ann' WHERE id = 1")
    page = signed_in("ann").get("/queues/flow/reviews").text
    assert page.count(">Take</button>") == 4
    assert "ann submitted this case: nobody decides their own" in page
    assert "taken by bob" in page
    assert "Open</a>" in signed_in("bob").get("/queues/flow/reviews").text
    audited = signed_in("abel").get("/queues/flow/reviews").text
    assert len(keys(audited)) == 6
    assert "formaction" not in audited


def test_pages_lead_on_and_back(signed_in: SignedIn, tasks: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The next page by a link that keeps the filter; from it one to the first."""
    monkeypatch.setattr(listing, "PAGE", 4)
    ann = signed_in("ann")
    first = ann.get("/queues/flow/reviews?order=age").text
    onward = re.search(r'rel="next" href="([^"]*)"', first)
    assert onward is not None
    second = ann.get(onward[1].replace("&amp;", "&")).text
    assert keys(first) + keys(second) == ["K-1", "K-2", "K-3", "K-4", "L-1", "L-2"]
    assert 'rel="next"' not in second
    assert "First page" in second
    assert 'value="age" selected' in second


def test_search_goes_to_the_one_case_or_lists_them(desk: Desk, signed_in: SignedIn, tasks: list[int]) -> None:
    """Just one: its page at once. Several: a list. None, or none that one sees: so it says, in the same words."""
    ann = signed_in("ann")
    only = ann.get("/search?q=k-3")
    assert only.status_code == 303
    assert re.fullmatch(r"/cases/\d+", only.headers["location"])
    assert keys(ann.get("/search?q=L-").text) == ["L-1", "L-2"]
    assert "No case that you see" in ann.get("/search?q=Z").text
    assert "Type the key of a case" in ann.get("/search").text
    assert signed_in("ada").get("/search?q=K").status_code == 403
