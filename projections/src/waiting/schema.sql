-- Every entry of the waiting list; the wishes are what the domain serialises.
CREATE TABLE {schema}.entries (
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
