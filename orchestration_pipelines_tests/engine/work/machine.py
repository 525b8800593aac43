"""Any order of acts by anybody, of times passing and of sweepers dying: the laws hold after each step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from orchestration_pipelines.domain.policy import Strategy
from orchestration_pipelines.domain.review import Outcome
from orchestration_pipelines.store import integrity
from orchestration_pipelines.store.chains import broken_chains
from orchestration_pipelines_tests.engine.work import laws
from orchestration_pipelines_tests.engine.work.acts import Acts
from orchestration_pipelines_tests.engine.work.office import EVERYBODY, QUEUES, REVIEWERS, Office

#: that deadlines fired is asked after a tick alone; where nobody may do a task, a law of ours asks for the incident
_ALWAYS = [name for name in integrity.RULES if name not in ("deadlines_fired", "somebody_may_do_it")]
_HOURS = (0.1, 1, 3, 9, 26, 72)
_Act = tuple[str, dict[str, Any]]


def _an(name: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[_Act]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


_flag = st.booleans()
_number = st.integers(0, 30)
_days = st.integers(1, 4)
_person = st.sampled_from(EVERYBODY)
#: None is whoever has the task, or whoever might decide it
_rightly = st.none() | st.none() | _person
_reviewer = st.sampled_from(REVIEWERS)
_limit = st.sampled_from([1, 2, 4, None])
_span = st.sampled_from([timedelta(hours=hours) for hours in _HOURS])
_CASES = _an(
    "submit",
    queue=st.sampled_from(["reviews", *QUEUES]),
    skill=st.sampled_from([None, None, None, "loans", "fraud"]),
    region=st.sampled_from([None, None, None, "north", "south"]),
    urgent=_flag,
    pair=_flag,
    by=st.sampled_from(["broker", "ann", "cleo"]),
)
_DECISION = _an(
    "decide",
    number=_number,
    person=_rightly,
    outcome=st.sampled_from([str(outcome) for outcome in Outcome]),
    amount=st.sampled_from([None, None, None, 51, 52]),
    stale=st.sampled_from([False, False, False, True]),
)
_WORK = st.one_of(
    *[_an("pull", person=_reviewer)] * 4,
    _an("pull", person=_person),
    _an("claim", number=_number, person=_person),
    _an("release", number=_number, person=_rightly),
    _an("decline", number=_number, person=_rightly),
    _an("pause", number=_number, person=_rightly),
    _an("resume", number=_number, person=_rightly),
    *[_DECISION] * 4,
)
_MACHINES = st.one_of(
    _an("sweep"),
    _an("sweep"),
    _an("route"),
    _an("die", window=st.sampled_from(["claimed", "decided", "mid-advance"])),
    _an("tick", span=_span),
    _an("wait", span=_span),
)
_MANAGERS = st.one_of(
    _an("reassign", number=_number, by=st.sampled_from(["max", "max", "ann", "stranger"]), to=st.none() | _person),
    _an("go_away", person=_reviewer, delegate=st.none() | _reviewer, begins=st.sampled_from([0, 30]), days=_days),
    _an("come_back", person=_reviewer),
    _an("leave", person=_reviewer, release=_flag),
    _an("change_capacity", person=_reviewer, capacity=_limit),
    _an("change_policy", queue=_limit, station=_limit, strategy=st.sampled_from([str(each) for each in Strategy])),
    _an("cancel", number=st.integers(1, 9)),
)  # fmt: skip


class Work(RuleBasedStateMachine):
    """One run of an office; :func:`run` says of which."""

    office: Office

    def __init__(self) -> None:
        super().__init__()
        self.acts = Acts(self.office)

    def teardown(self) -> None:
        self.acts.close()

    @initialize(cases=st.integers(3, 7))
    def open_the_office(self, cases: int) -> None:
        """Several wait in one lane, so that their order counts."""
        for number in range(cases):
            queue = "turns" if number % 3 == 1 else "reviews"
            self.acts.do("submit", queue=queue, skill=None, region=None, urgent=number == 4, pair=number % 4 == 2)
        self.acts.sweep()

    @rule(act=st.one_of(_CASES, _CASES, _WORK, _MACHINES, _MANAGERS))
    def next(self, act: _Act) -> None:
        """One rule for all, so that a run leaves none of them out."""
        name, arguments = act
        self.acts.do(name, **arguments)

    @invariant()
    def the_laws_hold(self) -> None:
        self.acts.engine.alarm()  # each minute
        found = laws.broken(self.acts.owner)
        assert not found, found

    @invariant()
    def the_rows_hold(self) -> None:
        name, now = self.office.workflow.name, self.acts.clock()
        found = {each: integrity.broken(self.acts.owner, each, name, now) for each in _ALWAYS}
        assert not any(found.values()), found
        assert broken_chains(self.acts.owner) == []


def run(office: Office, examples: int, steps: int, **more: Any) -> None:
    """So many runs, of so many steps at most. What fails is told as it was: to shorten it takes longer."""
    run_state_machine_as_test(
        type("WorkHere", (Work,), {"office": office}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )
