-- In which database reminders are sent, and since when: a copy that is restored elsewhere is another one, and what was due before it was
-- is not sent by it.
CREATE TABLE reminding_home (
    is_here     boolean     NOT NULL PRIMARY KEY CHECK (is_here),
    -- The cluster's system identifier and the database's oid.
    database_id text        NOT NULL,
    since       timestamptz NOT NULL
);
