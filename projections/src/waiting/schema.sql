CREATE SCHEMA IF NOT EXISTS waiting_1;

-- Every entry of the waiting list; the wishes are what the domain serialises.
CREATE TABLE IF NOT EXISTS waiting_1.entries (
    tenant_id        text        NOT NULL,
    entry_id         uuid        NOT NULL,
    -- The position in the log at which it was joined.
    turn             bigint      NOT NULL,
    service_id       uuid        NOT NULL,
    client_id        uuid        NOT NULL,
    wishes           json        NOT NULL,
    joined_at        timestamptz NOT NULL,
    -- When the last day that is wished for is over.
    until_at         timestamptz NOT NULL,
    status           text        NOT NULL
        CHECK (status IN ('waiting', 'offered', 'taken', 'lapsed', 'left', 'expired')),
    appointment_id   uuid,
    start_at         timestamptz,
    offer_expires_at timestamptz,
    -- Whether the hold says so, and the entry's own stream does not yet.
    due              boolean     NOT NULL,
    version          bigint      NOT NULL,
    position         bigint      NOT NULL,
    PRIMARY KEY (tenant_id, entry_id),
    CHECK ((status IN ('offered', 'taken', 'lapsed')) = (appointment_id IS NOT NULL))
);

-- The list: all of it, and that of a service or a client.
CREATE INDEX IF NOT EXISTS entries_turn ON waiting_1.entries (tenant_id, turn);
CREATE INDEX IF NOT EXISTS entries_of_service ON waiting_1.entries (tenant_id, service_id, turn);
CREATE INDEX IF NOT EXISTS entries_of_client ON waiting_1.entries (tenant_id, client_id, turn);

-- Who waits, in turn: of all services, and of one.
CREATE INDEX IF NOT EXISTS entries_waiting
    ON waiting_1.entries (tenant_id, turn) WHERE status = 'waiting';
CREATE INDEX IF NOT EXISTS entries_waiting_for_service
    ON waiting_1.entries (tenant_id, service_id, turn) WHERE status = 'waiting';

-- What is still to be recorded.
CREATE INDEX IF NOT EXISTS entries_due ON waiting_1.entries (tenant_id, turn) WHERE due;
CREATE INDEX IF NOT EXISTS entries_passing
    ON waiting_1.entries (tenant_id, until_at) WHERE status = 'waiting';
CREATE INDEX IF NOT EXISTS entries_lapsing
    ON waiting_1.entries (tenant_id, offer_expires_at) WHERE status = 'offered';

-- A hold ends: whose offer it is.
CREATE INDEX IF NOT EXISTS entries_offered
    ON waiting_1.entries (tenant_id, appointment_id) WHERE status = 'offered';
