-- A queue's tasks page by page: by age and by deadline. The id is in the order, so that many of one instant have an order
-- too and a page begins where the one before ended.
DROP INDEX review_task_open;
CREATE INDEX review_task_open ON review_task (workflow, queue, opened_at, id) WHERE ended_at IS NULL;
CREATE INDEX review_task_due ON review_task (workflow, queue, (coalesce(due_at, 'infinity')), id) WHERE ended_at IS NULL;
