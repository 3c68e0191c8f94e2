-- The document is what the domain serialises. How many places are taken is not here: the claims say.
CREATE TABLE {schema}.sessions (
    tenant_id  text        NOT NULL,
    session_id uuid        NOT NULL,
    start_at   timestamptz NOT NULL,
    service_id uuid        NOT NULL,
    status     text        NOT NULL CHECK (status IN ('scheduled', 'cancelled')),
    session    json        NOT NULL,
    version    bigint      NOT NULL,
    position   bigint      NOT NULL,
    PRIMARY KEY (tenant_id, session_id)
);
