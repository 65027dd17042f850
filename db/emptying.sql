-- Removes what a database holds in the schema public, before a backup takes its place; also what
-- later versions have added, which the backup does not know. What belongs to an extension stays.
SET search_path = pg_catalog;
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT format('DROP %s IF EXISTS %s CASCADE', CASE relkind
                WHEN 'v' THEN 'VIEW'
                WHEN 'm' THEN 'MATERIALIZED VIEW'
                WHEN 'S' THEN 'SEQUENCE'
                WHEN 'f' THEN 'FOREIGN TABLE'
                ELSE 'TABLE'
            END, oid::regclass)
        FROM pg_class AS one
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
            AND NOT EXISTS (
                SELECT FROM pg_depend
                WHERE classid = 'pg_class'::regclass AND objid = one.oid AND deptype IN ('e', 'i', 'a')
            )
    LOOP
        EXECUTE statement;
    END LOOP;
    FOR statement IN
        SELECT format('DROP %s IF EXISTS %s CASCADE', CASE prokind
                WHEN 'p' THEN 'PROCEDURE'
                WHEN 'a' THEN 'AGGREGATE'
                ELSE 'FUNCTION'
            END, oid::regprocedure)
        FROM pg_proc AS one
        WHERE pronamespace = 'public'::regnamespace
            AND NOT EXISTS (
                SELECT FROM pg_depend
                WHERE classid = 'pg_proc'::regclass AND objid = one.oid AND deptype = 'e'
            )
    LOOP
        EXECUTE statement;
    END LOOP;
    FOR statement IN
        SELECT format('DROP TYPE IF EXISTS %s CASCADE', oid::regtype)
        FROM pg_type AS one
        WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
            AND NOT EXISTS (
                SELECT FROM pg_depend
                WHERE classid = 'pg_type'::regclass AND objid = one.oid AND deptype = 'e'
            )
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;
