"""An event log: what was done to cases, event by event (IEEE 1849-2023, XES), whoever wrote it down.

The events of a case stand in the order of their time; those of one instant in the order in which they were written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

#: the columns of the events
COLUMNS = ("case", "activity", "at", "resource", "lifecycle")
#: the transition of an event of a log that knows no transitions: it is over when it is written
COMPLETE = "complete"

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class EventLog:
    """Events in order, and what is known of each case as a whole.

    ``events`` has the columns of :data:`COLUMNS`: case (text), activity (text), at (UTC), resource (text or None where
    nobody is named), lifecycle (XES: start, complete …). ``cases`` is indexed by case, with the columns ``breached``
    and ``reopened``: True, False, or None where the log does not say.
    """

    events: pd.DataFrame
    cases: pd.DataFrame

    @classmethod
    def of(cls, events: pd.DataFrame, cases: pd.DataFrame | None = None) -> EventLog:
        """A log of these events, put in order."""
        numbered = events.assign(_case=pd.factorize(events["case"])[0])
        ordered = numbered.sort_values(["_case", "at"], kind="stable").drop(columns="_case").reset_index(drop=True)
        if cases is None:
            keys = pd.Index(ordered["case"].unique(), name="case")
            cases = pd.DataFrame({"breached": None, "reopened": None}, index=keys, dtype=object)
        return cls(ordered, cases)
