-- How far each projection has read each tenant's log, and who is at it.

CREATE TABLE checkpoints (
    tenant_id       text        NOT NULL,
    projection      text        NOT NULL,
    version         integer     NOT NULL,
    position        bigint      NOT NULL CHECK (position >= 0),
    -- The runner that leads, and until when. Position moves by compare-and-set, so a leader that
    -- lost its lease without knowing it changes nothing.
    leader          uuid,
    lease_until     timestamptz,
    -- The event that could not be applied: the projection stands still until it can.
    failed_position bigint,
    failure         text,
    PRIMARY KEY (tenant_id, projection, version)
) WITH (fillfactor = 20); -- updated by every batch: room for HOT updates
