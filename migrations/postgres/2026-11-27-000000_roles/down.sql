-- The roles stay: other databases of the cluster may use them.
DO $$
DECLARE
    name TEXT;
    owner TEXT;
BEGIN
    DROP POLICY erasers_update ON events;
    DROP POLICY erasers_delete ON events;
    FOREACH name IN ARRAY ARRAY[
        'events', 'workspace_sequences', 'dedupe_keys', 'idempotency_keys', 'import_positions', 'index_states',
        'index_segments', 'index_pieces', 'job_leases', 'count_states', 'count_deltas', 'event_counts'
    ] LOOP
        EXECUTE format('DROP POLICY own_workspace ON %I', name);
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', name);
        EXECUTE format('REVOKE ALL ON %I FROM logbook_reader, logbook_appender, logbook_eraser', name);
    END LOOP;
    FOR name, owner IN
        SELECT relname, pg_get_userbyid(relowner) FROM pg_class
        WHERE oid = 'events'::regclass OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'events'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', name);
        EXECUTE format('GRANT UPDATE, DELETE, TRUNCATE ON %I TO %I', name, owner);
    END LOOP;
    EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM logbook_reader, logbook_appender, logbook_eraser', current_schema());
END
$$;
