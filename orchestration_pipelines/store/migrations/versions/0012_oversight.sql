-- What a manager looks at: clocks that are not stopped, by step and in the order in which they are due; notices that
-- were given up.
CREATE INDEX sla_clock_open ON sla_clock (workflow, element, coalesce(due_at, 'infinity'::timestamptz), id)
    WHERE status <> 'stopped';
CREATE INDEX notification_dead ON notification (id) WHERE status = 'dead';
