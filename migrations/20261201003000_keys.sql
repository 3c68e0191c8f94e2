-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- A key has a set of scopes, a name, perhaps an end, and was used last at some time. The one scope of a key that was made
-- before, or is made by an older program, is the name of a set (store/src/keys/scopes.rs): it is read where there is no
-- set. The tenant of an operator's key is ''.
--
-- Of a new key the hash is that of its secret alone, of an older one that of its whole text; of one that was revoked it is
-- another, so that nobody finds it any more.
ALTER TABLE api_keys
    ALTER COLUMN scope DROP NOT NULL,
    ADD COLUMN scopes       text[],
    ADD COLUMN name         text,
    ADD COLUMN expires_at   timestamptz,
    ADD COLUMN last_used_at timestamptz,
    ADD COLUMN revoked_at   timestamptz,
    ADD COLUMN replaces     uuid,
    ADD CONSTRAINT api_keys_are_good_for_something CHECK (scope IS NOT NULL OR scopes IS NOT NULL);

CREATE INDEX api_keys_of_tenant ON api_keys (tenant_id, created_at, key_id);
