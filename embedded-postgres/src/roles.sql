-- The roles of daybook's database: run by a superuser in that database. It can be run again.
--
-- daybook_owner owns the tables, makes and changes them. daybook_app reads and writes rows, and nothing else: what gets a
-- statement of its own past daybook is no superuser, makes no function, and reads no file. Both may log in, and have no
-- password until they are given one. daybook_analyst, which cannot log in, is for analysts.

-- Each statement ends with a semicolon and an empty line, and has none in it: so PostgreSQL's single-user mode reads them.

DO $$
DECLARE
    role record;
BEGIN
    FOR role IN SELECT * FROM (VALUES ('daybook_owner', 'LOGIN'), ('daybook_app', 'LOGIN'), ('daybook_analyst', 'NOLOGIN'))
                           r (name, may_log_in)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role.name) THEN
            EXECUTE format('CREATE ROLE %I %s', role.name, role.may_log_in);
        END IF;
    END LOOP;
    -- Who is no superuser, as at some hosts, gives away only what is also theirs.
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT daybook_owner TO %I', current_user);
    END IF;
    -- A copy of it is another's.
    IF current_database() NOT LIKE 'template%' THEN
        EXECUTE format('ALTER DATABASE %I OWNER TO daybook_owner', current_database());
    END IF;
    EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT USAGE, CREATE ON SCHEMA public TO daybook_owner;

-- What is there already, made by whoever ran daybook before, is the owner's from now on; not what belongs to an extension.
DO $$
DECLARE
    change text;
BEGIN
    FOR change IN
        WITH ours AS (
            SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
        dependent AS (
            SELECT classid, objid FROM pg_depend WHERE deptype IN ('e', 'i', 'a') AND refclassid IN
                   ('pg_extension'::regclass, 'pg_class'::regclass)
               AND (deptype = 'e' OR classid = 'pg_class'::regclass AND refobjsubid > 0))
        SELECT format('ALTER SCHEMA %I OWNER TO daybook_owner', nspname) FROM ours WHERE nspname <> 'public'
        UNION ALL
        SELECT format('ALTER %s %I.%I OWNER TO daybook_owner',
                      CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                                     WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, n.nspname, c.relname)
          FROM pg_class c JOIN ours n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'c')
           AND NOT EXISTS (SELECT FROM dependent d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid)
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO daybook_owner', p.oid::regprocedure)
          FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace
         WHERE NOT EXISTS (SELECT FROM dependent d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid)
        UNION ALL
        SELECT format('GRANT USAGE ON SCHEMA %I TO daybook_app', nspname) FROM ours
        UNION ALL
        SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO daybook_app', nspname) FROM ours
         WHERE nspname <> 'analytics'
        UNION ALL
        SELECT format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO daybook_app', nspname) FROM ours
    LOOP
        EXECUTE change;
    END LOOP;
    -- Whose rows analysts see is said by administrators.
    IF to_regclass('analysts') IS NOT NULL THEN
        REVOKE INSERT, UPDATE ON analysts FROM daybook_app;
    END IF;
END
$$;

-- The same of all that the owner will make: the tables of a new version, and of projections that are made anew.
ALTER DEFAULT PRIVILEGES FOR ROLE daybook_owner GRANT USAGE ON SCHEMAS TO daybook_app;

ALTER DEFAULT PRIVILEGES FOR ROLE daybook_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO daybook_app;

ALTER DEFAULT PRIVILEGES FOR ROLE daybook_owner GRANT USAGE, SELECT ON SEQUENCES TO daybook_app;

