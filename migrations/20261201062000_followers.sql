-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- How far whoever follows a tenant's log outside of daybook has been told it: the endpoints of webhooks, and the broker
-- (store/src/followers).
CREATE TABLE followers (
    tenant_id     text        NOT NULL,
    -- webhook, broker.
    kind          text        NOT NULL,
    follower_id   uuid        NOT NULL,
    -- Up to here it was told, and has said that it was.
    position      bigint      NOT NULL CHECK (position >= 0),
    state         text        NOT NULL CHECK (state IN ('following', 'paused', 'stopped')),
    -- The program that tells it at present, and until when nobody else does, by this server's clock.
    leader        uuid,
    lease_until   timestamptz,
    -- From when on it is to be looked at although its log is not active: a try is due, or the log came to rest before it
    -- was told all. NULL: the log's own `active` says it.
    due_at        timestamptz,
    -- Tries that have failed in a row, since when, and the last one's failure, in a word.
    failures      integer     NOT NULL DEFAULT 0,
    failing_since timestamptz,
    failure       text,
    stopped_at    timestamptz,
    PRIMARY KEY (tenant_id, kind, follower_id),
    CHECK (state = 'following' OR due_at IS NULL),
    CHECK ((state = 'stopped') = (stopped_at IS NOT NULL))
);

CREATE INDEX followers_due ON followers (kind, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX followers_stopped ON followers (kind, stopped_at) WHERE state = 'stopped';
