-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- Sessions of browsers: whoever has shown a key or an access token is known by a cookie for a while.
--
-- A session is good for what made it, and ends with it: of a key it has the hash by which that is known, of a token what it was
-- good for.
CREATE TABLE browser_sessions (
    tenant_id    text        NOT NULL,
    session_id   uuid        NOT NULL,
    session_hash bytea       NOT NULL,
    -- The key, or the person of the token.
    maker_id     uuid        NOT NULL,
    key_hash     bytea,
    issuer_id    uuid,
    scopes       text[],
    limits       jsonb,
    created_at   timestamptz NOT NULL,
    used_at      timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, session_id),
    CHECK ((key_hash IS NULL) <> (issuer_id IS NULL)),
    CHECK ((issuer_id IS NULL) = (scopes IS NULL)),
    CHECK ((issuer_id IS NULL) = (limits IS NULL))
);

-- A cookie is looked up by its hash: it names no tenant.
CREATE UNIQUE INDEX browser_sessions_of_cookies ON browser_sessions (session_hash);
CREATE INDEX browser_sessions_of_makers ON browser_sessions (tenant_id, maker_id, used_at);
CREATE INDEX browser_sessions_by_end ON browser_sessions (tenant_id, ends_at);
