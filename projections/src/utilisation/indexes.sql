-- Some days, of all resources and of one.
CREATE INDEX IF NOT EXISTS offered_by_day ON utilisation_1.offered (tenant_id, day);
CREATE INDEX IF NOT EXISTS taken_by_day ON utilisation_1.taken (tenant_id, day);
CREATE INDEX IF NOT EXISTS taken_of_resource
    ON utilisation_1.taken (tenant_id, resource_id, day);
