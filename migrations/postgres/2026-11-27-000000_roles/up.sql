-- Row-level security and three roles: see docs/POSTGRES.md and api/src/db/roles.rs.

-- The roles belong to the cluster: another database of it may have made them, or may be making them now.
DO $$
DECLARE
    wanted RECORD;
    present RECORD;
    lines TEXT := '';
    -- Since 16 who made a role is a member of it, and may still not become it.
    belongs TEXT := CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('logbook_reader', 'NOBYPASSRLS'),
            -- COPY and, on Citus, INSERT … SELECT refuse row-level security; upkeep looks through all workspaces.
            ('logbook_appender', 'BYPASSRLS'),
            ('logbook_eraser', 'NOBYPASSRLS')
        ) AS roles (name, bypass)
    LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN %s', wanted.name, wanted.bypass);
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL;
            WHEN insufficient_privilege THEN
                lines := lines || format(E'\n    CREATE ROLE %I NOLOGIN %s;', wanted.name, wanted.bypass);
        END;
        SELECT rolsuper, rolbypassrls INTO present FROM pg_roles WHERE rolname = wanted.name;
        IF NOT FOUND THEN
            lines := lines || format(E'\n    GRANT %I TO %I;', wanted.name, current_user);
            CONTINUE;
        END IF;
        IF present.rolsuper OR present.rolbypassrls <> (wanted.bypass = 'BYPASSRLS') THEN
            lines := lines || format(E'\n    ALTER ROLE %I NOSUPERUSER %s;', wanted.name, wanted.bypass);
        END IF;
        BEGIN
            IF NOT pg_has_role(current_user, wanted.name, belongs) THEN
                EXECUTE format('GRANT %I TO %I', wanted.name, current_user);
            END IF;
        EXCEPTION
            WHEN unique_violation THEN
                NULL;
            WHEN insufficient_privilege THEN
                lines := lines || format(E'\n    GRANT %I TO %I;', wanted.name, current_user);
        END;
    END LOOP;
    IF lines <> '' THEN
        RAISE insufficient_privilege USING MESSAGE = format(
            E'%I may not make the roles that Logbook needs. A superuser has to run this, once for the cluster:%s\nThen start Logbook again. docs/POSTGRES.md tells what they are for.',
            current_user, lines
        );
    END IF;
END
$$;

-- What a request reads within a workspace.
GRANT SELECT ON
    events, workspace_sequences, index_states, index_segments, index_pieces, count_states, count_deltas, event_counts
TO logbook_reader;

-- Events are only ever added. The rest is the way in's own, or is made of the events.
GRANT SELECT, INSERT ON events TO logbook_appender;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    workspace_sequences, dedupe_keys, idempotency_keys, import_positions, index_states, index_segments, index_pieces,
    job_leases, count_states, count_deltas, event_counts
TO logbook_appender;

-- Retention and erasure, in the one workspace that is set. What is made of the events must follow them.
GRANT SELECT, UPDATE, DELETE ON events TO logbook_eraser;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    dedupe_keys, idempotency_keys, index_states, index_segments, index_pieces, count_states, count_deltas, event_counts
TO logbook_eraser;
GRANT SELECT ON workspace_sequences TO logbook_eraser;

-- A policy for everything that tells of a tenant's logs. Without are members, identity_roles, api_keys and
-- api_key_networks, which are asked before it is known which workspace is meant (somebody signs in, a key is looked up by its
-- prefix), and platform_workspace, which tells of no tenant. The reader has no rights to them.
-- Without SELECT the setting would be looked up for each row; with a plain equation the planner would ask in each partition
-- anew whether it is the statement's own workspace, and a page of 113 partitions take half as long again.
DO $$
DECLARE
    name TEXT;
    owner TEXT;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO logbook_reader, logbook_appender, logbook_eraser', current_schema());
    FOREACH name IN ARRAY ARRAY[
        'events', 'workspace_sequences', 'dedupe_keys', 'idempotency_keys', 'import_positions', 'index_states',
        'index_segments', 'index_pieces', 'job_leases', 'count_states', 'count_deltas', 'event_counts'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_workspace ON %I USING (CASE WHEN workspace_id =
                (SELECT nullif(current_setting(''logbook.workspace'', true), '''')::int) THEN true ELSE false END)',
            name
        );
    END LOOP;
    -- Whoever belongs to the eraser may have its rights without becoming it, the login user first of all.
    FOREACH name IN ARRAY ARRAY['UPDATE', 'DELETE'] LOOP
        EXECUTE format(
            'CREATE POLICY %I ON events AS RESTRICTIVE FOR %s USING (current_user = ''logbook_eraser'')',
            'erasers_' || lower(name), name
        );
    END LOOP;
    -- A partition is reached through events alone, whose policy counts then: security without a policy shows nothing to whoever
    -- names the partition itself. And owners too have to think twice before they change history.
    FOR name, owner IN
        SELECT relname, pg_get_userbyid(relowner) FROM pg_class
        WHERE oid = 'events'::regclass OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'events'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM %I', name, owner);
    END LOOP;
END
$$;
