-- The roles stay: other databases of the cluster may use them.
DROP TABLE job_leases;
DROP TABLE count_keys;
DROP TABLE event_counts;
DROP TABLE count_deltas;
DROP TABLE count_states;
DROP TABLE index_pieces;
DROP TABLE index_removals;
DROP TABLE index_merges;
DROP TABLE index_runs;
DROP TABLE index_states;
DROP TABLE import_positions;
DROP TABLE idempotency_keys;
DROP TABLE rejected_records;
DROP TABLE source_gaps;
DROP TABLE source_epochs;
DROP TABLE source_days;
DROP TABLE source_states;
DROP TABLE sources;
DROP TABLE dedupe_parts;
DROP TABLE dedupe_runs;
DROP TABLE events;
DROP TABLE workspace_sequences;
DROP TABLE api_key_networks;
DROP TABLE api_keys;
DROP TABLE script_tokens;
DROP TABLE recovery_codes;
DROP TABLE second_factors;
DROP TABLE known_browsers;
DROP TABLE session_workspaces;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE sign_in_links;
DROP TABLE identity_roles;
DROP TABLE identities;
DROP TABLE exports;
DROP TABLE note_events;
DROP TABLE notes;
DROP TABLE saved_views;
DROP TABLE invitations;
DROP TABLE members;
DROP TABLE users;
DROP TABLE platform_workspace;
DROP TABLE workspaces;

DO $$
BEGIN
    EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM logbook_reader, logbook_appender, logbook_eraser', current_schema());
END
$$;
