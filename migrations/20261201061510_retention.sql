-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- How many days after their last appointment clients are erased. NULL: they stay, as with 0.
ALTER TABLE tenants ADD COLUMN retention_days integer;

-- When it is looked next who of a tenant's clients is to be erased. A tenant whose clients stay has no row, and costs nothing.
CREATE TABLE retention_turns (
    tenant_id text        NOT NULL PRIMARY KEY,
    look_at   timestamptz NOT NULL
);

CREATE INDEX retention_turns_by_time ON retention_turns (look_at);
