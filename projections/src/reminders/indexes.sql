-- A service gets other rules: its appointments that are to come.
CREATE INDEX appointments_of_service ON {schema}.appointments (tenant_id, service_id, start_at, appointment_id);

-- A rule has gone: what was planned by it.
CREATE INDEX reminders_of_service
    ON {schema}.reminders (tenant_id, service_id) WHERE status = 'planned';

-- Those of an appointment.
CREATE INDEX reminders_of_appointment
    ON {schema}.reminders (tenant_id, appointment_id, due_at, reminder_id);

-- The list.
CREATE INDEX reminders_by_due ON {schema}.reminders (tenant_id, due_at, reminder_id);

-- What is due first, of all tenants: what was never begun, and the others.
CREATE INDEX reminders_planned
    ON {schema}.reminders (next_at) INCLUDE (tenant_id, reminder_id) WHERE status = 'planned';

CREATE INDEX reminders_open
    ON {schema}.reminders (next_at) INCLUDE (tenant_id, reminder_id)
    WHERE status IN ('begun', 'failed', 'asked') AND next_at IS NOT NULL;

-- The same of those that others send: where there is no relay, the rest is nobody's to begin.
CREATE INDEX reminders_of_webhooks
    ON {schema}.reminders (next_at) INCLUDE (tenant_id, reminder_id)
    WHERE status IN ('planned', 'asked') AND rule LIKE 'webhook-%';
