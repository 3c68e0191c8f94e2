-- What a client has or had: an appointment, or an entry of the waiting list.
CREATE TABLE {schema}.engagements (
    tenant_id text        NOT NULL,
    -- The appointment, or the entry.
    thing_id  uuid        NOT NULL,
    client_id uuid        NOT NULL,
    -- When it is over; NULL: it does not count, for nothing became of it.
    end_at    timestamptz,
    PRIMARY KEY (tenant_id, thing_id)
);

-- Every client, and since when they have nothing before or behind them.
CREATE TABLE {schema}.clients (
    tenant_id     text        NOT NULL,
    client_id     uuid        NOT NULL,
    registered_at timestamptz NOT NULL,
    -- The end of the last that counts, which may be to come; of whom has nothing: when they were registered.
    idle_since    timestamptz NOT NULL,
    restricted    boolean     NOT NULL,
    on_legal_hold boolean     NOT NULL,
    erased        boolean     NOT NULL,
    PRIMARY KEY (tenant_id, client_id)
);

-- The last of a client's.
CREATE INDEX engagements_of_client
    ON {schema}.engagements (tenant_id, client_id, end_at) WHERE end_at IS NOT NULL;
