ALTER TABLE client_history_1.appointments ADD PRIMARY KEY (tenant_id, appointment_id);

-- A client's appointments, by start.
CREATE INDEX appointments_of_client
    ON client_history_1.appointments (tenant_id, client_id, start_at, appointment_id);
