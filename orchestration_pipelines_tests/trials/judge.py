"""The judge: whether anything was lost, done twice or out of order, from the databases and the outbox alone.

The lender is asked in its own database; it knows nothing of the engine. Each check is a rule in one sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from itertools import groupby
from operator import itemgetter

from orchestration_pipelines.domain.audit import Entry, broken_at
from orchestration_pipelines.workflows.mortgage_underwriting import lender
from orchestration_pipelines_tests.trials.ground import Ground
from orchestration_pipelines_tests.trials.unwinding import Act, disorder

#: what broke each rule that was broken
Findings = dict[str, list[str]]

#: stations that act at the lender, and what the lender calls it
_OPERATIONS = {
    "lock_rate": "lock_rate",
    "release_rate": "release_rate",
    "reserve_funds": "reserve",
    "release_funds": "release",
    "commit_loan": "commit",
    "reverse_commit": "reverse",
    "book_loan": "book",
    "withdraw_booking": "withdraw",
}
_UNDOES = {
    "release_rate": "lock_rate",
    "release_funds": "reserve_funds",
    "reverse_commit": "commit_loan",
    "withdraw_booking": "book_loan",
}


def judge(ground: Ground, keys: Collection[str], dead: Collection[str] = ()) -> Findings:
    """Judge what became of the cases with these keys; those in ``dead`` should be dead letters, and no other."""
    found: Findings = {}
    for name, broken in {
        "each case is there, once, and in one final state": _unfinished(ground, keys, dead),
        "nobody has to mend anything": _mending(ground, dead),
    }.items():
        found[name] = list(broken)
    for name, rule in RULES.items():
        found[name] = list(rule(ground))
    return {name: broken for name, broken in found.items() if broken}


def _unfinished(ground: Ground, keys: Collection[str], dead: Collection[str]) -> Iterator[str]:
    there = Counter(key for (key,) in ground.sql("SELECT case_key FROM cases"))
    for key in {*keys} ^ {*there}:
        yield f"case {key} is {'lost' if key in keys else 'not one that was submitted'}"
    for key, state, outcome in ground.sql("SELECT case_key, state, outcome FROM cases"):
        if key not in dead and (state != "closed" or outcome not in ("approved", "declined")):
            yield f"case {key} is {state}, {outcome}"
    for key, element, status in ground.sql(
        "SELECT c.case_key, t.element, t.status FROM token t JOIN cases c ON c.id = t.case_id"
    ):
        if key not in dead:
            yield f"case {key} has a token at {element}, {status}"


def _mending(ground: Ground, dead: Collection[str]) -> Iterator[str]:
    for key, element, error in ground.sql(
        "SELECT c.case_key, d.element, d.error FROM dead_letter d JOIN cases c ON c.id = d.case_id"
    ):
        if key not in dead:
            yield f"case {key} is a dead letter at {element}: {error}"
    for key, kind, reason in ground.sql(
        "SELECT c.case_key, i.kind, i.reason FROM incident i LEFT JOIN cases c ON c.id = i.case_id"
    ):
        yield f"incident of {key}: {kind}: {reason}"


def _lender_rule(ground: Ground) -> Iterator[str]:
    still_open = [key for (key,) in ground.sql("SELECT case_key FROM cases WHERE state = 'open'")]
    yield from lender.violations(ground.lender_url, still_open)
    if not lender.balanced(ground.lender_url):
        yield "the ledger does not balance"


def _standing_loans(ground: Ground) -> Iterator[str]:
    stand = Counter(
        key
        for (key,) in ground.lender(
            "SELECT r.case_key FROM lender.commitment c JOIN lender.reservation r ON r.id = c.reservation "
            "WHERE NOT EXISTS (SELECT FROM lender.reversal v WHERE v.commitment = c.id)"
        )
    )
    approved = Counter(key for (key,) in ground.sql("SELECT case_key FROM cases WHERE outcome = 'approved'"))
    for key in {*stand, *approved}:
        if stand[key] != approved[key]:
            yield f"case {key}: approved {approved[key]} times, and {stand[key]} commitments stand"


def _as_often(ground: Ground) -> Iterator[str]:
    wanted = Counter(
        {
            (key, _OPERATIONS[element]): count
            for key, element, count in ground.sql(
                "SELECT c.case_key, a.element, count(*) FROM activity a JOIN cases c ON c.id = a.case_id "
                "WHERE a.element = ANY(%s) GROUP BY 1, 2",
                list(_OPERATIONS),
            )
        }
    )
    done = Counter(
        {
            (key, kind): count
            for key, kind, count in ground.lender(
                "SELECT case_key, kind, count(*) FROM lender.operation WHERE kind <> 'void' GROUP BY 1, 2"
            )
        }
    )
    for key, kind in {*wanted, *done}:
        if wanted[key, kind] != done[key, kind]:
            yield f"case {key}: {kind} was visited {wanted[key, kind]} times and done {done[key, kind]} times"


def _keys(ground: Ground) -> Iterator[str]:
    intended = Counter(key for (key,) in ground.sql("SELECT key FROM effect WHERE tool = 'lender'"))
    used = Counter(key for (key,) in ground.lender("SELECT key FROM lender.operation"))
    entries = Counter(key for (key,) in ground.lender("SELECT key FROM lender.entry"))
    for key in {*intended, *used}:
        if (intended[key], used[key]) != (1, 1):
            yield f"key {key}: {intended[key]} visits, {used[key]} operations"
    for key, count in entries.items():
        if count > 1 or key not in used:
            yield f"key {key} has {count} entries and {used[key]} operations"


def _settled(ground: Ground) -> Iterator[str]:
    for key, element, status in ground.sql(
        "SELECT c.case_key, e.element, e.status FROM effect e JOIN cases c ON c.id = e.case_id "
        "WHERE c.state <> 'open' AND e.status NOT IN ('done', 'refused')"
    ):
        yield f"case {key}: the effect of {element} is {status}"


def _lender_order(ground: Ground) -> Iterator[str]:
    acts = ground.lender(
        "SELECT o.case_key, o.kind, a.answer ->> 'id', coalesce(o.content ->> 'rate_lock', o.content ->> 'booking', "
        "o.content ->> 'commitment', o.content ->> 'reservation'), e.id FROM lender.operation o "
        "JOIN lender.answer a ON a.key = o.key LEFT JOIN lender.entry e ON e.key = o.key "
        "WHERE o.kind <> 'void' AND NOT a.answer ? 'refused' ORDER BY o.case_key, o.at"
    )
    for key, of_case in groupby(acts, itemgetter(0)):
        mine = list(of_case)
        wrong = disorder(
            Act(f"{kind} {made or undone}", made or undone, undoes=made is None) for _, kind, made, undone, _ in mine
        )
        if wrong is not None:
            yield f"case {key}, at the lender: {wrong}"
        entries = [entry for *_, entry in mine if entry is not None]
        if entries != sorted(entries):
            yield f"case {key}: its entries are not in the order of its operations: {entries}"


def _audited_order(ground: Ground) -> Iterator[str]:
    acts = ground.sql(
        "SELECT c.case_key, a.b ->> 'element' FROM audit_trail a JOIN cases c ON c.id = a.case_id "
        "WHERE a.act = 'completed' AND a.b ->> 'element' = ANY(%s) ORDER BY c.case_key, a.seq",
        [*_UNDOES, *_UNDOES.values()],
    )
    for key, of_case in groupby(acts, itemgetter(0)):
        wrong = disorder(Act(element, _UNDOES.get(element, element), element in _UNDOES) for _, element in of_case)
        if wrong is not None:
            yield f"case {key}, by its record: {wrong}"
    for key, no, status in ground.sql(
        "SELECT c.case_key, s.no, s.status FROM compensation s JOIN cases c ON c.id = s.case_id "
        "WHERE s.status <> CASE c.outcome WHEN 'declined' THEN 'consumed' ELSE s.status END OR s.status = 'running'"
    ):
        yield f"case {key}: entry {no} of its saga log is {status}"


def _chains(ground: Ground) -> Iterator[str]:
    entries: dict[int, list[Entry]] = {}
    for case_id, *entry in ground.sql(
        "SELECT case_id, seq, salt, body, commitment, prev FROM audit_entry ORDER BY case_id, seq"
    ):
        entries.setdefault(case_id, []).append(Entry(*entry))
    for case_id, key, head in ground.sql(
        "SELECT id, case_key, audit_head FROM cases UNION ALL SELECT -id, name, audit_head FROM workflow"
    ):
        wrong = broken_at(entries.pop(case_id, []), head)
        if wrong is not None:
            yield f"case {key}: {wrong}"
    for case_id in entries:
        yield f"there are audit entries of a case {case_id}, which there is not"


def _visits(ground: Ground) -> Iterator[str]:
    for key, visits, count, distinct, last in ground.sql(
        "SELECT c.case_key, c.visits, count(*), count(DISTINCT a.visit), max(a.visit) "
        "FROM cases c LEFT JOIN activity a ON a.case_id = c.id WHERE c.state <> 'open' GROUP BY c.id"
    ):
        if not visits == count == distinct == last:
            yield f"case {key}: {visits} visits entered, {count} completed, {distinct} different, the last is {last}"


def _approvals(ground: Ground) -> Iterator[str]:
    given = {
        approval: (key, voided)
        for approval, key, voided in ground.sql(
            "SELECT a.id, c.case_key, a.voided_at IS NOT NULL FROM approval a JOIN cases c ON c.id = a.case_id"
        )
    }
    for commitment, approval, key, stands in ground.lender(
        "SELECT c.id, c.approval, r.case_key, v.commitment IS NULL FROM lender.commitment c "
        "JOIN lender.reservation r ON r.id = c.reservation LEFT JOIN lender.reversal v ON v.commitment = c.id"
    ):
        if approval not in given or given[approval][0] != key or (stands and given[approval][1]):
            yield f"commitment {commitment} of case {key} names {approval}, which is not in force"


def _people(ground: Ground) -> Iterator[str]:
    for what, table, condition in (
        ("an open task", "review_task", "t.ended_at IS NULL"),
        ("an armed timer", "timer", "t.status = 'armed'"),
    ):
        for (key,) in ground.sql(
            f"SELECT c.case_key FROM {table} t JOIN cases c ON c.id = t.case_id WHERE c.state <> 'open' AND {condition}"
        ):
            yield f"case {key} is closed and has {what}"


def _notices(ground: Ground) -> Iterator[str]:
    sent = Counter(path.name for path in ground.home.outbox.glob("[!.]*"))
    done = Counter(f"{key}.txt" for (key,) in ground.sql("SELECT key FROM effect WHERE tool = 'outbox'"))
    for name in {*sent, *done}:
        if (sent[name], done[name]) != (1, 1):
            yield f"notice {name}: {sent[name]} files, {done[name]} visits"


RULES: dict[str, Callable[[Ground], Iterator[str]]] = {
    "the lender's rule: one way out of each reservation, and a ledger that balances": _lender_rule,
    "a commitment stands for each approved case, and for no other": _standing_loans,
    "each visit's effect was done at the lender as often as it was visited": _as_often,
    "each key is one visit, one operation, one entry": _keys,
    "every effect of a closed case is settled": _settled,
    "undone in strict reverse order, by the lender's own record": _lender_order,
    "undone in strict reverse order, by the audit numbers; no saga half consumed": _audited_order,
    "every chain of the record verifies": _chains,
    "each visit of a closed case is there once": _visits,
    "each commitment names an approval of its case, in force where it stands": _approvals,
    "a closed case waits for nobody and no timer": _people,
    "one notice for each key": _notices,
}
