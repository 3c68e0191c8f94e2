-- Everybody queues behind a lock that is waited for: not for long, and then it is tried again.
SET LOCAL lock_timeout = '2s';

-- How many days ahead series of imported calendars are followed. NULL: as the program has it.
ALTER TABLE tenants ADD COLUMN import_days integer;

-- What is known of the events that were imported from a source that is imported again and again: which
-- version of it was applied last, and what the appointment was like after that. Ids are hashes, of the
-- source's name and of what the source calls the event: such names are often people's addresses.
CREATE TABLE imported_events (
    tenant_id      text        NOT NULL,
    source         uuid        NOT NULL,
    -- Of the UID and the occurrence, and of the UID alone.
    entry          uuid        NOT NULL,
    series         uuid        NOT NULL,
    -- When the occurrence was to be before anybody moved it. NULL: it is no series.
    occurs_at      timestamptz,
    appointment_id uuid        NOT NULL,
    -- SEQUENCE and DTSTAMP (RFC 5545), which say which of two versions is the later one.
    sequence       bigint      NOT NULL,
    stamped_at     timestamptz,
    -- What the source said; NULL: that it is cancelled.
    content        uuid,
    -- The appointment's version after the last command of an import: a later one was changed here.
    version        bigint      NOT NULL,
    PRIMARY KEY (tenant_id, source, entry)
);

CREATE INDEX imported_events_of_series ON imported_events (tenant_id, source, series);

-- What became of an import that was sent over HTTP.
CREATE TABLE imports (
    tenant_id   text        NOT NULL,
    import_id   uuid        NOT NULL,
    begun_at    timestamptz NOT NULL,
    -- When its program last said something of it.
    seen_at     timestamptz NOT NULL,
    -- NULL: it goes on, or its program was killed.
    finished_at timestamptz,
    report      json,
    PRIMARY KEY (tenant_id, import_id)
);

CREATE INDEX imports_by_age ON imports (begun_at);
