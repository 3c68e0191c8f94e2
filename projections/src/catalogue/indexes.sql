CREATE INDEX services_status
    ON {schema}.services (tenant_id, status, created_at, service_id);

CREATE INDEX resources_status
    ON {schema}.resources (tenant_id, status, created_at, resource_id);

CREATE INDEX services_status_updated
    ON {schema}.services (tenant_id, status, updated_at, service_id);

CREATE INDEX resources_status_updated
    ON {schema}.resources (tenant_id, status, updated_at, resource_id);

-- What is found by words, kinds and the like. A list is for reading: new entries are sorted in at once.
CREATE INDEX services_found_by ON {schema}.services USING gin (found_by) WITH (fastupdate = off);
CREATE INDEX resources_found_by ON {schema}.resources USING gin (found_by) WITH (fastupdate = off);
CREATE INDEX clients_found_by ON {schema}.clients USING gin (found_by) WITH (fastupdate = off);

-- The orders of the lists.
CREATE INDEX services_created ON {schema}.services (tenant_id, created_at, service_id);
CREATE INDEX resources_created ON {schema}.resources (tenant_id, created_at, resource_id);
CREATE INDEX clients_created ON {schema}.clients (tenant_id, created_at, client_id);
CREATE INDEX services_updated ON {schema}.services (tenant_id, updated_at, service_id);
CREATE INDEX resources_updated ON {schema}.resources (tenant_id, updated_at, resource_id);
CREATE INDEX clients_updated ON {schema}.clients (tenant_id, updated_at, client_id);
