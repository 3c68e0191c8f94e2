-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- Which projections have begun is read from one name to the next, and a version that nobody reads any more is dropped,
-- without reading the checkpoints of all tenants. A batch leaves this index alone.
--
-- The collation is what keeps it away from those who look for one tenant's checkpoint: where statistics are old, the
-- planner takes it to be as good as the primary key, and it has all tenants.
CREATE INDEX checkpoints_of_projections ON checkpoints (projection COLLATE "C");
