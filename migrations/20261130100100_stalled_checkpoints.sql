-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- How many tenants a projection is stalled for is counted without reading all checkpoints. A batch leaves this index
-- alone: what does not stall has no entry.
CREATE INDEX checkpoints_stalled ON checkpoints (projection, version) WHERE failed_position IS NOT NULL;
