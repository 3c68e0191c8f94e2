-- A copy of a log in which something is in clear, while `daybook seal` makes it: what of each event differs. One transaction
-- puts it into the log's place; until then the log is as it was.
CREATE TABLE events_being_sealed (
    tenant_id text   NOT NULL,
    position  bigint NOT NULL CHECK (position > 0),
    payload   json   NOT NULL,
    metadata  json   NOT NULL,
    hash      bytea  NOT NULL,
    PRIMARY KEY (tenant_id, position)
);
