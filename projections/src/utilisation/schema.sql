-- Up to which day what is offered has been worked out.
CREATE TABLE {schema}.horizons (
    tenant_id text NOT NULL,
    last_day  date NOT NULL,
    PRIMARY KEY (tenant_id)
);

-- What resources offer since they were last changed, as the projection serialises it.
CREATE TABLE {schema}.resources (
    tenant_id   text NOT NULL,
    resource_id uuid NOT NULL,
    terms       json NOT NULL,
    PRIMARY KEY (tenant_id, resource_id)
);

-- What a resource offers on a local day of its own, all its places together. No row: nothing.
CREATE TABLE {schema}.offered (
    tenant_id   text   NOT NULL,
    resource_id uuid   NOT NULL,
    day         date   NOT NULL,
    minutes     bigint NOT NULL CHECK (minutes > 0),
    PRIMARY KEY (tenant_id, resource_id, day)
);

-- What each appointment and session takes of a resource on a local day of the resource's.
CREATE TABLE {schema}.taken (
    tenant_id    text    NOT NULL,
    booking_id   uuid    NOT NULL,
    resource_id  uuid    NOT NULL,
    -- Which of its resources, from 0: whoever counts appointments, not resources, counts the first.
    nth          integer NOT NULL,
    day          date    NOT NULL,
    service_id   uuid    NOT NULL,
    category     text    NOT NULL,
    -- As it is found, however it is spelt.
    folded_category text NOT NULL,
    -- A session has the minutes of all who are in it, and is nobody's appointment.
    status       text    NOT NULL CHECK (status IN ('booked', 'cancelled', 'no-show', 'session')),
    minutes      bigint  NOT NULL CHECK (minutes >= 0),
    -- Whether it begins on this day: it is counted there, and nowhere else.
    begins       boolean NOT NULL,
    -- From when it was booked to its start. NULL: not known, or cancelled.
    lead_minutes bigint,
    PRIMARY KEY (tenant_id, booking_id, resource_id, day)
);
