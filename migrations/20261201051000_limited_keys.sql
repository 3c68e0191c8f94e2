-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- A key can be limited to some of a tenant: what it is good for, and within what, stand together in `limited`, and its `scopes` are
-- none. So an older program, which knows of no limits, lets it do nothing, instead of all.
ALTER TABLE api_keys
    ADD COLUMN limited jsonb,
    ADD CONSTRAINT api_keys_that_are_limited_have_no_other_scopes
        CHECK (limited IS NULL OR (scope IS NULL AND scopes = '{}'));
