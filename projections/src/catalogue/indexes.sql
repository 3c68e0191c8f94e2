CREATE INDEX services_status
    ON {schema}.services (tenant_id, status, service_id);

CREATE INDEX resources_status
    ON {schema}.resources (tenant_id, status, resource_id);
