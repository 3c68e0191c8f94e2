CREATE SCHEMA IF NOT EXISTS sessions_1;

-- The document is what the domain serialises. How many places are taken is not here: the claims say.
CREATE TABLE IF NOT EXISTS sessions_1.sessions (
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

-- The list, of all services and of one.
CREATE INDEX IF NOT EXISTS sessions_by_start
    ON sessions_1.sessions (tenant_id, start_at, session_id);

CREATE INDEX IF NOT EXISTS sessions_of_service
    ON sessions_1.sessions (tenant_id, service_id, start_at, session_id);
