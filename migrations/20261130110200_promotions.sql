-- How far what has become available was offered to those who wait. A tenant of whom nobody ever waited has no row.
CREATE TABLE promotions (
    tenant_id     text        NOT NULL PRIMARY KEY,
    -- NULL: nobody was looked at yet.
    read_position bigint,
    passed_at     timestamptz,
    -- The program that is at it, and until when, by the database's clock.
    program       uuid        NOT NULL,
    lease_until   timestamptz NOT NULL
) WITH (fillfactor = 50); -- updated by each turn: room for HOT updates
