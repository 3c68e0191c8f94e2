-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- Calendars of a tenant that whoever has their address is told. Of that, there is a hash.
CREATE TABLE calendar_feeds (
    tenant_id      text        NOT NULL,
    feed_id        uuid        NOT NULL,
    secret_hash    bytea       NOT NULL,
    name           text        NOT NULL,
    -- Of what: as keys are limited, and with these tags.
    limits         jsonb       NOT NULL,
    tags           text[]      NOT NULL,
    detail         text        NOT NULL,
    -- Whether what is personal is told.
    tells_personal boolean     NOT NULL,
    -- Who made it, as in the log.
    made_by        text        NOT NULL,
    created_at     timestamptz NOT NULL,
    -- Since when its address is the present one, where there was one before.
    rotated_at     timestamptz,
    -- To the minute.
    last_used_at   timestamptz,
    PRIMARY KEY (tenant_id, feed_id)
);

-- An address is looked up by its hash: it names no tenant.
CREATE UNIQUE INDEX calendar_feeds_of_addresses ON calendar_feeds (secret_hash);
