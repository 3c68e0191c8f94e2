CREATE INDEX services_status
    ON catalogue_1.services (tenant_id, status, service_id);

CREATE INDEX resources_status
    ON catalogue_1.resources (tenant_id, status, resource_id);
