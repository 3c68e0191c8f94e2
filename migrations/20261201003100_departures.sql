-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- Since when nobody is let in with a key of the tenant; and since when its rows are being deleted, which is not undone.
ALTER TABLE tenants
    ADD COLUMN suspended_at timestamptz,
    ADD COLUMN deleting_at  timestamptz;

-- What tenants were called that were deleted. No other is called so: programs that run may remember what they knew.
CREATE TABLE deleted_tenants (
    tenant_id  text        NOT NULL PRIMARY KEY,
    deleted_at timestamptz NOT NULL
);
