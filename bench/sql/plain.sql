-- What daybook's append is held against: booking in plain SQL, one transaction each. The database
-- keeps two claims of one place from overlapping and numbers the events; nothing more is asked of it
-- (no gapless order, no chain, no idempotency).

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE plain_claims (
    resource_id    bigint    NOT NULL,
    seat           integer   NOT NULL DEFAULT 0,
    during         tstzrange NOT NULL,
    appointment_id text      NOT NULL,
    EXCLUDE USING gist (resource_id WITH =, seat WITH =, during WITH &&)
);

CREATE TABLE plain_events (
    position       bigint      GENERATED ALWAYS AS IDENTITY,
    tenant         text        NOT NULL DEFAULT 't',
    aggregate_type text        NOT NULL,
    aggregate_id   text        NOT NULL,
    sequence       bigint      NOT NULL,
    event_type     text        NOT NULL,
    event_version  text        NOT NULL,
    payload        json        NOT NULL,
    metadata       json        NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
);

CREATE UNIQUE INDEX ON plain_events (position);
