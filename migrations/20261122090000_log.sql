-- The log, and what is kept true in the same transaction with it.
--
-- Every table has tenant_id in its primary key and in every unique constraint, so that tenants can
-- be spread over machines (docs/adr/0003-tenants-are-the-unit-of-distribution.md).

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE tenants (
    tenant_id  text        NOT NULL PRIMARY KEY,
    -- The IANA zone in which dates are read where a request names none.
    time_zone  text        NOT NULL,
    created_at timestamptz NOT NULL
);

-- A look-up that does not know the tenant yet: keyed by what is looked up.
CREATE TABLE api_keys (
    -- SHA-256 of the key; the key itself is 256 random bits, so no slower hash is needed.
    key_hash   bytea       NOT NULL,
    tenant_id  text        NOT NULL,
    key_id     uuid        NOT NULL,
    scope      text        NOT NULL CHECK (scope IN ('read', 'book', 'manage', 'admin')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (key_hash, tenant_id)
);

-- The end of each tenant's log. Its row is the lock under which a batch is checked and appended.
CREATE TABLE log_heads (
    tenant_id   text        NOT NULL PRIMARY KEY,
    position    bigint      NOT NULL CHECK (position >= 0),
    hash        bytea       NOT NULL,
    recorded_at timestamptz NOT NULL
) WITH (fillfactor = 20); -- updated by every batch: room for HOT updates

-- A superset of postgres-es's own table.
CREATE TABLE events (
    tenant_id      text        NOT NULL,
    position       bigint      NOT NULL CHECK (position > 0),
    aggregate_type text        NOT NULL,
    -- '{tenant}/{uuid}': postgres-es loads a stream by type and id alone.
    aggregate_id   text        NOT NULL,
    sequence       bigint      NOT NULL CHECK (sequence > 0),
    event_type     text        NOT NULL,
    event_version  text        NOT NULL,
    -- json, not jsonb: the hash is over the bytes as they were written.
    payload        json        NOT NULL,
    metadata       json        NOT NULL,
    recorded_at    timestamptz NOT NULL,
    hash           bytea       NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence, tenant_id),
    UNIQUE (tenant_id, position)
);

CREATE TABLE claims (
    tenant_id      text      NOT NULL,
    appointment_id uuid      NOT NULL,
    resource_id    uuid      NOT NULL,
    seat           smallint  NOT NULL,
    during         tstzrange NOT NULL CHECK (NOT isempty(during)),
    expires_at     timestamptz,
    PRIMARY KEY (tenant_id, appointment_id, resource_id, seat),
    CONSTRAINT no_double_booking EXCLUDE USING gist
        (resource_id WITH =, during WITH &&, seat WITH =, tenant_id WITH =)
);

-- What became of each idempotency key: the version a command led to, or why it was refused.
CREATE TABLE commands (
    tenant_id       text        NOT NULL,
    idempotency_key text        NOT NULL,
    -- SHA-256 of the request: the same key for another request is a client's mistake.
    fingerprint     bytea       NOT NULL,
    aggregate_id    uuid,
    version         bigint,
    position        bigint,
    refusal         json,
    recorded_at     timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, idempotency_key),
    CHECK ((refusal IS NULL) <> (version IS NULL))
);

-- For forgetting old answers. Rows come in the order of their time, so a summary of each range of
-- pages is enough, and costs an insert nothing.
CREATE INDEX commands_recorded_at ON commands USING brin (recorded_at);
