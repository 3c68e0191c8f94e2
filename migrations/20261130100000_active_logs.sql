-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- Which logs may have events that some projection has not read: what those who follow all logs ask for, so that
-- a tenant for whom nothing happens costs nothing.
--
-- `append_batch` sets it with each batch, which as a rule changes nothing and costs nothing. It is cleared when
-- all projections that anybody reads are at the end of the log and it has rested for some seconds
-- (projections/src/runner/rest.rs). A program that is older than this column appends by the same function.
ALTER TABLE log_heads ADD COLUMN active boolean NOT NULL DEFAULT true;

-- The collation is what keeps the primary key away from that query: for a table whose statistics are old, the
-- planner takes it to be as good, and it has all tenants.
CREATE INDEX log_heads_active ON log_heads (tenant_id COLLATE "C") WHERE active;
