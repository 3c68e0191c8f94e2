-- What repeatable/append_batch.sql is given arrays of: the rows of a batch.
--
-- Programs send them in binary, which has a place for each attribute. So a type that programs use is never
-- altered: rows of another form are another type (docs/adr/0007-a-batch-is-one-statement.md).

CREATE TYPE new_claim AS (
    appointment_id uuid,
    resource_id    uuid,
    seat           smallint,
    during         tstzrange,
    expires_at     timestamptz
);

-- The answer to an idempotency key: what the command led to, or its refusal.
CREATE TYPE new_answer AS (
    idempotency_key text,
    fingerprint     bytea,
    aggregate_id    uuid,
    version         bigint,
    position        bigint,
    refusal         json
);

CREATE TYPE new_event AS (
    position       bigint,
    aggregate_type text,
    aggregate_id   text,
    sequence       bigint,
    event_type     text,
    event_version  text,
    payload        json,
    metadata       json,
    hash           bytea
);

-- Which form of each file in repeatable/ was run last.
CREATE TABLE repeatable_migrations (
    name    text        NOT NULL PRIMARY KEY,
    -- SHA-256 of the file.
    hash    bytea       NOT NULL,
    run_at  timestamptz NOT NULL
);
