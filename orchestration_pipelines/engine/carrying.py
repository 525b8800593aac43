"""Carrying a chunk on: from one machine station to the next, without setting it down between.

A station that touches nothing outside (a table, a worker without an external effect) is worked in memory right
behind the one before it, and both are written in one transaction: killed in between, both are simply done again.
At a station with an external effect the steps so far are committed first, together with the note that the effect is
intended; the lease goes along, so that no claim is needed. People, loops and small side ways are not carried to:
the token is set down, and the station's own turn comes (docs/adr/0003-the-sweep.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

from orchestration_pipelines.domain.identity import approval_id
from orchestration_pipelines.engine.order import handoffs
from orchestration_pipelines.engine.station import Station
from orchestration_pipelines.engine.verdict import Done, Step, Trip, Verdict, variables_of
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.model.process import Kind
from orchestration_pipelines.model.semantics import Arrive
from orchestration_pipelines.store.tokens import Claimed

#: a side way is carried to only by so many, or by so large a part of the chunk
_MANY, _PART = 200, 4
#: after so long a time nothing more is carried: a lease must not be outlived
_CARRY_S = 20.0


class Carrier:
    """Which stations of one workflow version a chunk may be carried to, and how."""

    def __init__(self, workflow: Workflow, version: int) -> None:
        self._workflow, self._version = workflow, version
        self._forward = handoffs(workflow)
        self._stations: dict[str, Station] = {}
        #: stations on hold; None among them means all. To them nothing is carried: a hold works at once.
        self.held: frozenset[str | None] = frozenset()

    def station(self, element: str) -> Station:
        """The station, made once."""
        if element not in self._stations:
            self._stations[element] = Station(self._workflow, self._version, element)
        return self._stations[element]

    def carries(self, source: Station, target: str) -> bool:
        """Whether a machine works on at ``target``, and the way does not lead back."""
        drawn = self._workflow.process.elements.get(target)
        if drawn is None or drawn.is_handler or source.element.is_handler:
            return False
        if None in self.held or target in self.held:
            return False
        return drawn.kind in (Kind.SERVICE, Kind.RULE) and target in self._forward.get(source.id, ())

    def touches_outside(self, target: str) -> bool:
        """Whether the station has an external effect: what was done so far must be committed first."""
        worker = self.station(target).worker
        return worker is not None and worker.external is not None

    def travel(
        self, station: Station, chunk: Sequence[Claimed], work: Callable[[Station, Sequence[Claimed]], list[Verdict]]
    ) -> tuple[list[Trip], Mapping[str, float]]:
        """Work a chunk through every station that it can be carried to; the trips, and seconds by station."""
        begun = monotonic()
        trips: list[Trip] = [[] for _ in chunk]
        seconds: dict[str, float] = defaultdict(float)
        ahead: list[tuple[Station, list[int], Sequence[Claimed]]] = [(station, list(range(len(chunk))), chunk)]
        while ahead:
            here, indices, tokens = ahead.pop()
            started = monotonic()
            verdicts = work(here, tokens)
            seconds[here.id] += monotonic() - started
            onward: dict[str, tuple[list[int], list[Claimed]]] = {}
            for index, token, verdict in zip(indices, tokens, verdicts, strict=True):
                trips[index].append(Step(here, token, verdict))
                target = _arrival(verdict, token)
                if target is not None and self.carries(here, target) and not self.touches_outside(target):
                    group = onward.setdefault(target, ([], []))
                    group[0].append(index)
                    group[1].append(token)
            if monotonic() - begun > _CARRY_S:
                break
            for target, (group_indices, group_tokens) in onward.items():
                if enough(len(group_indices), len(chunk)):
                    moved = [_onward(trips[i][-1], t) for i, t in zip(group_indices, group_tokens, strict=True)]
                    ahead.append((self.station(target), group_indices, moved))
        return trips, seconds


def enough(group: int, chunk: int) -> bool:
    """Whether a group is large enough to be carried on."""
    return group >= _MANY or group * _PART >= chunk


def _arrival(verdict: Verdict, token: Claimed) -> str | None:
    if isinstance(verdict, Done) and isinstance(verdict.way, Arrive) and token.cancel_reason is None:
        return verdict.way.station
    return None


def _onward(step: Step, token: Claimed) -> Claimed:
    """The token as the next station sees it."""
    verdict = step.verdict
    if not isinstance(verdict, Done):
        raise TypeError("only a token whose visit is over goes on")
    approval = token.approval
    if verdict.approved_by is not None:
        approval = approval_id(token.case_id, token.visit)
    elif verdict.voids_approval:
        approval = None
    visits = token.visits + 1
    return token.onward(
        visits=visits,
        claim_no=token.claim_no,
        entered_at=token.entered_at,
        approval=approval,
        audit_seq=token.audit_seq,
        audit_head=token.audit_head,
        variables={**variables_of(token), **verdict.patch} if verdict.patch else token.variables,
    )
