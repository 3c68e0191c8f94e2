-- Some days, of all resources and of one.
CREATE INDEX offered_by_day ON {schema}.offered (tenant_id, day);
CREATE INDEX taken_by_day ON {schema}.taken (tenant_id, day);
CREATE INDEX taken_of_resource
    ON {schema}.taken (tenant_id, resource_id, day);
