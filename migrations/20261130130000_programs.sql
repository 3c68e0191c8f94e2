-- The programs that run on this database. A program writes its row about each second, and deletes it when it ends in
-- order; that of one that was killed is silent from then on, and is deleted by another.
CREATE TABLE programs (
    id         uuid        NOT NULL PRIMARY KEY,
    roles      text[]      NOT NULL,
    version    text        NOT NULL,
    host       text        NOT NULL,
    -- By the database's clock, both.
    started_at timestamptz NOT NULL,
    heard_at   timestamptz NOT NULL
) WITH (fillfactor = 20); -- updated each second: room for HOT updates
