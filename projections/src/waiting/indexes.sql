-- The list: all of it, and that of a service or a client.
CREATE INDEX entries_turn ON {schema}.entries (tenant_id, turn);

CREATE INDEX entries_of_service ON {schema}.entries (tenant_id, service_id, turn);

CREATE INDEX entries_of_client ON {schema}.entries (tenant_id, client_id, turn);

-- Who waits, in turn: of all services, and of one.
CREATE INDEX entries_waiting
    ON {schema}.entries (tenant_id, turn) WHERE status = 'waiting';

CREATE INDEX entries_waiting_for_service
    ON {schema}.entries (tenant_id, service_id, turn) WHERE status = 'waiting';

-- What is still to be recorded, of all tenants.
CREATE INDEX entries_due ON {schema}.entries (tenant_id, entry_id) WHERE due;

CREATE INDEX entries_passing
    ON {schema}.entries (until_at) INCLUDE (tenant_id, entry_id) WHERE status = 'waiting';

CREATE INDEX entries_lapsing
    ON {schema}.entries (offer_expires_at) INCLUDE (tenant_id, entry_id) WHERE status = 'offered';

-- A hold ends: whose offer it is.
CREATE INDEX entries_offered
    ON {schema}.entries (tenant_id, appointment_id) WHERE status = 'offered';
