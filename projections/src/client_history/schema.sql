-- Every appointment of every client, as it is now. No personal data: who the client is, the catalogue
-- knows.
CREATE TABLE {schema}.appointments (
    tenant_id       text        NOT NULL,
    appointment_id  uuid        NOT NULL,
    client_id       uuid        NOT NULL,
    start_at        timestamptz NOT NULL,
    end_at          timestamptz NOT NULL,
    status          text        NOT NULL
        CHECK (status IN ('held', 'booked', 'checked-in', 'fulfilled', 'cancelled', 'no-show')),
    hold_expires_at timestamptz,
    service_id      uuid        NOT NULL,
    resource_ids    uuid[]      NOT NULL,
    category        text        NOT NULL,
    -- NULL: a hold, or one that came to nothing.
    booked_at       timestamptz,
    times_moved     integer     NOT NULL,
    cancelled_by    text        CHECK (cancelled_by IN ('client', 'staff', 'system')),
    cancelled_at    timestamptz,
    -- Whether the client's side did so although the window for that had closed.
    cancelled_late  boolean     NOT NULL,
    version         bigint      NOT NULL,
    position        bigint      NOT NULL
);
