-- Whose rows the views of the schema `analytics` show to whom: to nobody those of a tenant that no row gives to a role of theirs. The
-- tenant `*` is all of them. Administrators write it.
CREATE TABLE analysts (
    tenant_id text NOT NULL,
    role_name text NOT NULL,
    PRIMARY KEY (tenant_id, role_name)
);

-- Whoever owns the tables sees all that is in them.
INSERT INTO analysts (tenant_id, role_name) VALUES ('*', current_user), ('*', 'daybook_owner') ON CONFLICT DO NOTHING;

-- Whoever gets a statement past daybook gives itself no more. What is a deleted tenant's goes.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'daybook_app') THEN
        REVOKE INSERT, UPDATE ON analysts FROM daybook_app;
    END IF;
END
$$;
