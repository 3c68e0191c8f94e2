-- A client's appointments, by start.
CREATE INDEX appointments_of_client
    ON {schema}.appointments (tenant_id, client_id, start_at, appointment_id);

CREATE UNIQUE INDEX appointments_pkey
    ON {schema}.appointments (tenant_id, appointment_id);

-- At once, when all others are done.
ALTER TABLE {schema}.appointments
    ADD CONSTRAINT appointments_pkey PRIMARY KEY USING INDEX appointments_pkey;
