-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- What a tenant writes to clients in its own words.
CREATE TABLE templates (
    tenant_id  text        NOT NULL,
    -- What messages are for.
    kind       text        NOT NULL,
    -- In which language; `default` for whoever has none in theirs.
    language   text        NOT NULL,
    subject    text        NOT NULL,
    text       text        NOT NULL,
    html       text,
    -- Who did, as in the log.
    changed_by text        NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, kind, language)
);
