-- The list, of all services and of one.
CREATE INDEX sessions_by_start
    ON {schema}.sessions (tenant_id, start_at, session_id);

CREATE INDEX sessions_of_service
    ON {schema}.sessions (tenant_id, service_id, start_at, session_id);
