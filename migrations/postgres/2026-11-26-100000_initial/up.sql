-- The schema on PostgreSQL: tables first, then the roles that Logbook uses at run time and what each may see. The
-- SQLite schema has the same tables and columns. Every constraint of a table that Citus distributes contains
-- workspace_id. workspaces, users and api_keys are small, and are reference tables there.

-- ── Workspaces ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- A workspace is one app or tenant. No id is used twice, since event ids contain it.
CREATE TABLE workspaces (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    date_format TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    -- Of the fingerprints of masked secrets. No role reads it that serves a workspace's readers.
    masking_key BYTEA NOT NULL DEFAULT decode(replace(gen_random_uuid()::TEXT || gen_random_uuid()::TEXT, '-', ''), 'hex'),
    -- Names of fields, as JSON arrays of text, and when they last changed.
    masked_fields TEXT NOT NULL DEFAULT '[]',
    kept_fields TEXT NOT NULL DEFAULT '[]',
    fields_changed_at TIMESTAMPTZ
);

-- The workspace for audit events that concern no other workspace. One row at most, created with the first such event.
CREATE TABLE platform_workspace (
    workspace_id INTEGER NOT NULL PRIMARY KEY REFERENCES workspaces (id)
);

-- ── People, roles and keys ───────────────────────────────────────────────────────────────────────────────────────────

-- People who sign in. They belong to the platform, not to a workspace. Without password_hash they sign in with a link or
-- through an identity provider. A disabled account cannot be signed in to, and has no sessions.
CREATE TABLE users (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT,
    platform_admin BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_sign_in_at TIMESTAMPTZ,
    disabled_at TIMESTAMPTZ
);

-- Roles that an admin assigned.
CREATE TABLE members (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'auditor', 'writer', 'admin')),
    PRIMARY KEY (workspace_id, user_id)
);
-- The workspaces of a person.
CREATE INDEX members_by_user ON members (user_id);

-- Invitations that nobody has accepted yet. The account of the address accepts; it need not exist. token_hash is that of a
-- link that creates the account: only a platform admin, who can vouch for the address, gets one.
CREATE TABLE invitations (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id TEXT NOT NULL,
    email TEXT NOT NULL,
    name TEXT,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'auditor', 'writer', 'admin')),
    token_hash TEXT,
    token_expires_at TIMESTAMPTZ,
    invited_by TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, email)
);
-- The invitations of a person, and the one of a link.
CREATE INDEX invitations_by_email ON invitations (email);
CREATE INDEX invitations_by_token ON invitations (token_hash);

-- Saved views: questions to a log by name. The owner is a caller's subject: a person or a key.
CREATE TABLE saved_views (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    owner_name TEXT NOT NULL,
    log SMALLINT NOT NULL,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    shared BOOLEAN NOT NULL,
    is_default BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

-- Exports in the background. The owner is a caller's subject. The files are in the data folder.
CREATE TABLE exports (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    owner_name TEXT NOT NULL,
    log TEXT NOT NULL,
    format TEXT NOT NULL,
    query TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    events BIGINT NOT NULL,
    total BIGINT,
    bytes BIGINT NOT NULL,
    reason TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

-- Notes on events. The author is a caller's subject. log is that of the event: who may not read it sees no notes on it.
CREATE TABLE notes (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    id TEXT NOT NULL,
    author TEXT NOT NULL,
    author_name TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE TABLE note_events (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    event_id TEXT NOT NULL,
    note_id TEXT NOT NULL,
    log SMALLINT NOT NULL,
    PRIMARY KEY (workspace_id, event_id, note_id)
);
CREATE INDEX note_events_by_note ON note_events (workspace_id, note_id);

-- The identity of a person at an identity provider. everywhere is a role in every workspace. It and platform_admin are
-- what the provider said at the last sign-in. They and the roles in identity_roles end at grants_end_at, and only sessions that
-- began at the provider have them.
CREATE TABLE identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    everywhere TEXT CHECK (everywhere IN ('viewer', 'auditor', 'writer', 'admin')),
    platform_admin BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_sign_in_at TIMESTAMPTZ NOT NULL,
    grants_end_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_by_user ON identities (user_id);

-- Roles that an identity provider assigned at the last sign-in.
CREATE TABLE identity_roles (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'auditor', 'writer', 'admin')),
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX identity_roles_by_user ON identity_roles (user_id);

-- One-time links. Only the hash of a token is stored, so that nobody can sign in with what the database contains.
CREATE TABLE sign_in_links (
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ
);

-- Sessions. method is how they began. One that began at an identity provider names the identity, whose roles it has. It
-- ends at ends_at, however much it is used; a session that has ended has no row.
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    method TEXT NOT NULL CHECK (method IN ('password', 'link', 'provider')),
    issuer TEXT,
    subject TEXT,
    ip_address TEXT,
    user_agent TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    renewed_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Each use of a refresh token replaces it with the next one of its session. The use of a replaced token means that it was
-- copied, and ends the session.
CREATE TABLE refresh_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    expires_at TIMESTAMPTZ NOT NULL,
    replaced_at TIMESTAMPTZ
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- In which workspaces a session was used, and since when: a workspace learns of no other sign-ins. The newest 100 of a
-- person stay.
CREATE TABLE session_workspaces (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT NOT NULL,
    used_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, user_id, session_id)
);
CREATE INDEX session_workspaces_by_session ON session_workspaces (session_id);

-- Browsers in which a person signed in with their password. Wrong passwords from elsewhere do not make them wait.
CREATE TABLE known_browsers (
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    last_used_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX known_browsers_by_user ON known_browsers (user_id);

-- The second factor of a person: the secret of their authenticator app, encrypted with a key that is in no database. It is
-- asked for once confirmed_at is set. Codes of last_step and of earlier steps were used.
CREATE TABLE second_factors (
    user_id INTEGER NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed_secret BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    confirmed_at TIMESTAMPTZ,
    last_step BIGINT NOT NULL
);

-- Codes for somebody who has lost their authenticator app. Each is used once, and then has no row.
CREATE TABLE recovery_codes (
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash TEXT NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);

-- Tokens of scripts, which the command line creates. Without workspace_id they are valid in every workspace.
CREATE TABLE script_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    workspace_id INTEGER REFERENCES workspaces (id),
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'auditor', 'writer', 'admin')),
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    revoked_at TIMESTAMPTZ
);

-- Keys of producers and integrators. prefix names a key and is no secret; secret_hash is the SHA-256 of the whole key in
-- hexadecimal. A revoked key stays, since events name it. creator_id is the user who created it; NULL for a script. source: the source that sends with it, if any.
CREATE TABLE api_keys (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'auditor', 'writer', 'admin')),
    secret_hash TEXT NOT NULL,
    created_by TEXT NOT NULL,
    creator_id INTEGER,
    source TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, prefix)
);
-- A request presents a key before its workspace is known.
CREATE INDEX api_keys_by_prefix ON api_keys (prefix);

-- Networks that a key was used from, so that the first use from another one is recorded. An IPv6 address counts as its /64.
CREATE TABLE api_key_networks (
    workspace_id INTEGER NOT NULL,
    prefix TEXT NOT NULL,
    network TEXT NOT NULL,
    first_used_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, prefix, network),
    FOREIGN KEY (workspace_id, prefix) REFERENCES api_keys (workspace_id, prefix) ON DELETE CASCADE
);

-- ── Events ───────────────────────────────────────────────────────────────────────────────────────────────────────────

-- The last seq of each workspace. The appender locks this row; it is a table of its own, so that Citus can distribute it with
-- the events.
CREATE TABLE workspace_sequences (
    workspace_id INTEGER NOT NULL PRIMARY KEY,
    last_seq BIGINT NOT NULL
);

-- All logs. log: 1 access, 2 application, 3 framework, 4 activity. actor_type and on_behalf_of_type: 1 user, 2 admin,
-- 3 service, 4 system, 5 agent. outcome: 1 success, 2 failure, 3 denied. targets (the further ones), changes, metadata and
-- masked are canonical JSON (RFC 8785) as text. source is set by the server; epoch and sequence are the producer's count.
-- Partitioned by month of occurred_at (UTC), by year before 2020: engine/src/db/partitions.rs creates the partitions and says
-- why there is no default one. A key of a partitioned table contains the column that it is partitioned by.
CREATE TABLE events (
    workspace_id INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    log SMALLINT NOT NULL CHECK (log BETWEEN 1 AND 4),
    occurred_at TIMESTAMPTZ NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    source TEXT NOT NULL,
    actor_type SMALLINT CHECK (actor_type BETWEEN 1 AND 5),
    actor_id TEXT,
    actor_name TEXT,
    on_behalf_of_type SMALLINT CHECK (on_behalf_of_type BETWEEN 1 AND 5),
    on_behalf_of_id TEXT,
    on_behalf_of_name TEXT,
    role TEXT,
    action TEXT NOT NULL,
    outcome SMALLINT NOT NULL CHECK (outcome BETWEEN 1 AND 3),
    outcome_reason TEXT,
    purpose TEXT,
    target_type TEXT,
    target_id TEXT,
    target_name TEXT,
    targets TEXT,
    ip_address TEXT,
    user_agent TEXT,
    session_id TEXT,
    correlation_id TEXT,
    epoch TEXT,
    sequence BIGINT,
    changes TEXT,
    metadata TEXT,
    masked TEXT,
    PRIMARY KEY (workspace_id, seq, occurred_at)
) PARTITION BY RANGE (occurred_at);
-- The order of every page.
CREATE INDEX events_by_time ON events (workspace_id, log, occurred_at, seq);
-- The history of one record, in the order of a page.
CREATE INDEX events_by_target ON events (workspace_id, target_type, target_id, occurred_at, seq) WHERE target_id IS NOT NULL;

-- The same dedupe key of the same source within the dedupe window, or for as long as the source may replay, is the same event.
-- source: who sent it (api/src/routes/logs/append.rs says what identifies them). A run is the keys that were stored together, of
-- 16 bytes each (engine/src/append/dedupe/run.rs). run: the lowest seq of its events. entries: how many keys. expires_at: NULL is
-- never.
CREATE TABLE dedupe_runs (
    workspace_id INTEGER NOT NULL,
    source TEXT NOT NULL,
    run BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    expires_at TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, source, run)
);
-- The appender removes expired runs.
CREATE INDEX dedupe_runs_by_expiry ON dedupe_runs (workspace_id, expires_at);
CREATE TABLE dedupe_parts (
    workspace_id INTEGER NOT NULL,
    source TEXT NOT NULL,
    run BIGINT NOT NULL,
    part INTEGER NOT NULL,
    heads BYTEA NOT NULL,
    rests BYTEA NOT NULL,
    PRIMARY KEY (workspace_id, source, run, part)
);
-- Hashes cannot be compressed.
ALTER TABLE dedupe_parts ALTER COLUMN heads SET STORAGE EXTERNAL, ALTER COLUMN rests SET STORAGE EXTERNAL;

-- The response to each request that had an Idempotency-Key, by the source that sent it. fingerprint is a hash of its route and
-- body: the same key with another request is refused. The response is packed (engine/src/append/idempotency.rs).
CREATE TABLE idempotency_keys (
    workspace_id INTEGER NOT NULL,
    source TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    response BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, source, idempotency_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (workspace_id, created_at);

-- ── Sources ──────────────────────────────────────────────────────────────────────────────────────────────────────────

-- The registry of who sends. Events name a source; keys of api_keys belong to one. mapping: the source's own; NULL is that of
-- its kind. silence_seconds: how long it is silent normally; NULL is not watched. replay_days: how long it may send an event
-- again; NULL is for ever. sealed_secret: of the vendor's signatures, encrypted with a key that is in no database.
CREATE TABLE sources (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    mapping TEXT,
    silence_seconds INTEGER,
    replay_days INTEGER,
    sealed_secret BYTEA,
    created_by TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, name)
);

-- What arrived from each source. The transaction that stores its events writes it. rejected and rejected_bytes: what waits in
-- quarantine. last_rejected: the last id of a rejected record. lag: received less occurred, of the newest batch; least_lag: the
-- least since least_lag_since, which is at most an hour ago. The others are what the job has reported.
CREATE TABLE source_states (
    workspace_id INTEGER NOT NULL,
    source TEXT NOT NULL,
    last_event_at TIMESTAMPTZ,
    last_received_at TIMESTAMPTZ,
    last_heartbeat_at TIMESTAMPTZ,
    events BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    rejected_bytes BIGINT NOT NULL,
    last_rejected BIGINT NOT NULL,
    lag_micros BIGINT,
    least_lag_micros BIGINT,
    least_lag_since TIMESTAMPTZ,
    gaps_complete BOOLEAN NOT NULL,
    silent_since TIMESTAMPTZ,
    skewed_since TIMESTAMPTZ,
    gaps_since TIMESTAMPTZ,
    rejected_reported_at TIMESTAMPTZ,
    reported_rejected BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, source)
);

-- The same by UTC day, as the number of days since 1970. without_…: events without what PCI DSS 10.2.2 wants of each.
CREATE TABLE source_days (
    workspace_id INTEGER NOT NULL,
    source TEXT NOT NULL,
    day INTEGER NOT NULL,
    events BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    lag_micros BIGINT NOT NULL,
    lag_events BIGINT NOT NULL,
    without_actor BIGINT NOT NULL,
    without_origin BIGINT NOT NULL,
    without_target BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, source, day)
);

-- The runs of producers that count their events, and the counts that have not come.
CREATE TABLE source_epochs (
    workspace_id INTEGER NOT NULL,
    source TEXT NOT NULL,
    epoch TEXT NOT NULL,
    first_sequence BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    reordered BIGINT NOT NULL,
    repeated BIGINT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, source, epoch)
);
CREATE TABLE source_gaps (
    workspace_id INTEGER NOT NULL,
    source TEXT NOT NULL,
    epoch TEXT NOT NULL,
    first_sequence BIGINT NOT NULL,
    last_sequence BIGINT NOT NULL,
    noticed_at TIMESTAMPTZ NOT NULL,
    reported BOOLEAN NOT NULL,
    PRIMARY KEY (workspace_id, source, epoch, first_sequence)
);

-- The quarantine: what a source sent and Logbook could not read, byte for byte, with the reason. context: what else of the body
-- or the request belongs to it, as JSON.
CREATE TABLE rejected_records (
    workspace_id INTEGER NOT NULL,
    source TEXT NOT NULL,
    id BIGINT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    pointer TEXT,
    record BYTEA NOT NULL,
    context TEXT,
    PRIMARY KEY (workspace_id, source, id)
);

-- ── Imports ──────────────────────────────────────────────────────────────────────────────────────────────────────────

-- How far an import has read each table of a source.
CREATE TABLE import_positions (
    workspace_id INTEGER NOT NULL,
    source TEXT NOT NULL,
    source_table TEXT NOT NULL,
    position TEXT NOT NULL,
    PRIMARY KEY (workspace_id, source, source_table)
);

-- ── Derived data: it can be rebuilt from the events at any time ─────────────────────────────────────────────────────

-- How far a workspace is indexed. revision changes with every segment. format is the number of the format that the
-- segments have (engine/src/index/run.rs); segments of another format are rebuilt.
CREATE TABLE index_states (
    workspace_id INTEGER NOT NULL PRIMARY KEY,
    indexed_seq BIGINT NOT NULL,
    next_segment INTEGER NOT NULL,
    revision BIGINT NOT NULL,
    format INTEGER NOT NULL
);

-- The runs of the index. Runs with the same segment share its directories; a merge gives several segments' runs one
-- segment, of the next level. Runs and segments are numbered together.
CREATE TABLE index_runs (
    workspace_id INTEGER NOT NULL,
    run INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    level SMALLINT NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    first_time TIMESTAMPTZ NOT NULL,
    last_time TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, run)
);

-- Merges that have begun: of the segments one level below that have these seqs. The pieces of the directories before
-- next_piece are merged.
CREATE TABLE index_merges (
    workspace_id INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    level SMALLINT NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    next_piece INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, segment)
);

-- Segments whose directories were merged and are no longer read. Their pieces are removed little by little.
CREATE TABLE index_removals (
    workspace_id INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, segment)
);

-- The bytes of runs and segments. piece is the number of the run or segment * 2^32 + the number of the piece in it
-- (engine/src/index/run.rs). They are dense, so compressing them would be wasted work. Most fit into a page and stay in
-- the row, where one read finds them. A merge removes as many as it writes: the next one uses their room if autovacuum comes
-- before a fifth of the table is free.
CREATE TABLE index_pieces (
    workspace_id INTEGER NOT NULL,
    piece BIGINT NOT NULL,
    bits BYTEA NOT NULL,
    PRIMARY KEY (workspace_id, piece)
) WITH (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE index_pieces ALTER COLUMN bits SET STORAGE EXTERNAL;

-- How far a workspace is compacted. Events from unbuilt_from on, with seqs up to compacted_seq, are not in event_counts
-- yet. NULL when all are.
CREATE TABLE count_states (
    workspace_id INTEGER NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    compacted_seq BIGINT NOT NULL,
    unbuilt_from TIMESTAMPTZ
);

-- What each transaction of the appender adds to the counts: its last seq, its numbers of events and cells, and the
-- packed cells.
CREATE TABLE count_deltas (
    workspace_id INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    events INTEGER NOT NULL,
    cell_count INTEGER NOT NULL,
    cells BYTEA NOT NULL,
    PRIMARY KEY (workspace_id, seq)
);

-- Rollups. grain 1: bucket is a UTC day since 1970, its cells are of quarter hours. grain 2: bucket is a month since January
-- 1970, its cells are of days. revision differs whenever the row does.
CREATE TABLE event_counts (
    workspace_id INTEGER NOT NULL,
    log SMALLINT NOT NULL CHECK (log BETWEEN 1 AND 4),
    grain SMALLINT NOT NULL CHECK (grain BETWEEN 1 AND 2),
    bucket INTEGER NOT NULL,
    revision BIGINT NOT NULL,
    cells BYTEA NOT NULL,
    PRIMARY KEY (workspace_id, log, grain, bucket)
);

-- What is counted by itself (engine/src/counts/keys.rs): hashes of each log's values and their combinations. kind: 0 a
-- combination, 1 action, 2 role, 3 target type, 4 source. All others count as (other).
CREATE TABLE count_keys (
    workspace_id INTEGER NOT NULL,
    log SMALLINT NOT NULL CHECK (log BETWEEN 1 AND 4),
    kind SMALLINT NOT NULL CHECK (kind BETWEEN 0 AND 4),
    hash BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, log, kind, hash)
);

-- Cells are packed already: compressing them again would be wasted work.
ALTER TABLE count_deltas ALTER COLUMN cells SET STORAGE EXTERNAL;
ALTER TABLE event_counts ALTER COLUMN cells SET STORAGE EXTERNAL;

-- ── Background jobs ──────────────────────────────────────────────────────────────────────────────────────────────────

-- Which process runs a background job for a workspace. Work that belongs to no workspace has workspace_id 0. After held_until
-- another process may take over.
CREATE TABLE job_leases (
    workspace_id INTEGER NOT NULL,
    job TEXT NOT NULL,
    holder TEXT NOT NULL,
    held_until TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, job)
);

-- ── Roles ────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- The roles that Logbook uses at run time (engine/src/db/roles.rs, docs/POSTGRES.md). Roles belong to the cluster: a
-- superuser may have created them, and another database of the cluster may be creating them now. If a role cannot be
-- created here, the error names the statements to run.
DO $$
DECLARE
    wanted RECORD;
    present RECORD;
    lines TEXT := '';
    -- Since PostgreSQL 16 whoever created a role is a member of it, and still may not become it.
    belongs TEXT := CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('logbook_reader', 'NOBYPASSRLS'),
            -- COPY and, on Citus, INSERT … SELECT refuse row-level security; background jobs look through all workspaces.
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
            IF wanted.name <> 'logbook_eraser' THEN
                lines := lines || format(E'\n    GRANT %I TO %I;', wanted.name, current_user);
            END IF;
            CONTINUE;
        END IF;
        IF present.rolsuper OR present.rolbypassrls <> (wanted.bypass = 'BYPASSRLS') THEN
            lines := lines || format(E'\n    ALTER ROLE %I NOSUPERUSER %s;', wanted.name, wanted.bypass);
        END IF;
        BEGIN
            IF wanted.name = 'logbook_eraser' THEN
                -- Not the server's: nothing erases events yet. A superuser may become every role anyway.
                IF pg_has_role(current_user, wanted.name, belongs)
                    AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
                    lines := lines || format(E'\n    REVOKE %I FROM %I;', wanted.name, current_user);
                END IF;
            ELSIF NOT pg_has_role(current_user, wanted.name, belongs) THEN
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

-- What a request may read in its workspace.
GRANT SELECT ON
    events, workspace_sequences, index_states, index_runs, index_merges, index_removals, index_pieces, count_states,
    count_deltas, event_counts, count_keys, source_states, source_days, source_epochs, source_gaps, rejected_records
TO logbook_reader;

-- Events are only ever added. The other tables belong to the appender, or are derived from the events.
GRANT SELECT, INSERT ON events TO logbook_appender;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    workspace_sequences, dedupe_runs, dedupe_parts, idempotency_keys, import_positions, index_states, index_runs, index_merges,
    index_removals, index_pieces, job_leases, count_states, count_deltas, event_counts, count_keys, source_states,
    source_days, source_epochs, source_gaps, rejected_records
TO logbook_appender;
-- The job that watches the sources reads how long each is silent normally. (The whole table: Citus does not take privileges on
-- columns to its workers.)
GRANT SELECT ON sources TO logbook_appender;

-- Retention and erasure, in the one workspace that is set. Derived data must follow the events. No login has this role until
-- something erases, and then only for its transaction.
GRANT SELECT, UPDATE, DELETE ON events TO logbook_eraser;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    dedupe_runs, dedupe_parts, idempotency_keys, index_states, index_runs, index_merges, index_removals, index_pieces, count_states,
    count_deltas, event_counts, count_keys, rejected_records
TO logbook_eraser;
GRANT SELECT ON workspace_sequences TO logbook_eraser;

-- ── Row-level security ───────────────────────────────────────────────────────────────────────────────────────────────

-- A policy for every table with a workspace's log data. These tables have none: sources, exports, members, invitations, notes, note_events, saved_views, session_workspaces, script_tokens, identity_roles, api_keys and
-- api_key_networks, which are read before the workspace is known (at sign-in, or to find a key by its prefix), and
-- platform_workspace, which says nothing about a tenant. The reader has no privileges on them. The policy is forced on
-- the owner too, as which the server logs in: without a workspace it sees no rows. Without SELECT the setting would be
-- read for each row. With a plain equation the planner would check in each partition whether it is the statement's own
-- condition again, and a page of 113 partitions would take half as long again. Citus refuses SELECT in a policy:
-- engine/src/db/citus.rs replaces the condition there.
DO $$
DECLARE
    name TEXT;
    own TEXT := 'CASE WHEN workspace_id = (SELECT nullif(current_setting(''logbook.workspace'', true), '''')::int)
        THEN true ELSE false END';
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO logbook_reader, logbook_appender, logbook_eraser', current_schema());
    FOREACH name IN ARRAY ARRAY[
        'events', 'workspace_sequences', 'dedupe_runs', 'dedupe_parts', 'idempotency_keys', 'import_positions', 'index_states',
        'index_runs', 'index_merges', 'index_removals', 'index_pieces', 'job_leases', 'count_states', 'count_deltas', 'event_counts',
        'count_keys', 'source_states', 'source_days', 'source_epochs', 'source_gaps', 'rejected_records'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- Only the appender inserts events, and no policy concerns it.
        EXECUTE format(
            'CREATE POLICY own_workspace ON %I FOR %s USING (%s)',
            name, CASE name WHEN 'events' THEN 'SELECT' ELSE 'ALL' END, own
        );
    END LOOP;
    -- Members of a role have its privileges without switching to it, and a login user may once be a member of the eraser. So
    -- the privilege alone is not enough to change an event. (A restrictive policy would not do: on the workers of Citus
    -- it becomes a permissive one.)
    FOREACH name IN ARRAY ARRAY['UPDATE', 'DELETE'] LOOP
        EXECUTE format(
            'CREATE POLICY %I ON events FOR %s USING (current_user = ''logbook_eraser'' AND %s)',
            'erasers_' || lower(name), name, own
        );
    END LOOP;
    -- The owner, too, must grant itself the right before it can change history.
    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON events FROM %I', current_user);
END
$$;
