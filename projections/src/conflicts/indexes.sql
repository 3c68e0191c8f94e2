-- A resource has changed: those of its appointments that are to come.
CREATE INDEX uses_of_resource
    ON {schema}.uses (tenant_id, resource_id, start_at, appointment_id);

-- The list, of all resources and of one.
CREATE INDEX uses_in_conflict
    ON {schema}.uses (tenant_id, start_at, appointment_id) WHERE conflict IS NOT NULL;

CREATE INDEX uses_of_resource_in_conflict
    ON {schema}.uses (tenant_id, resource_id, start_at, appointment_id)
    WHERE conflict IS NOT NULL;
