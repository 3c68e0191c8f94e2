-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- What is to be done once in a while by one of the programs on a database: whoever moves the time does it.
CREATE TABLE chores (
    chore       text        NOT NULL PRIMARY KEY,
    -- When one has last worked at it, and when one has last finished it, by the database's clock.
    worked_at   timestamptz NOT NULL,
    finished_at timestamptz NOT NULL
);

INSERT INTO chores (chore, worked_at, finished_at) VALUES ('forget answers', '-infinity', '-infinity');

-- Old answers are looked for in the order of the table's pages. A summary of each range of them was of little use:
-- rows come in the order of time only until room in old pages is used again, and ranges do not become smaller.
DROP INDEX commands_recorded_at;
