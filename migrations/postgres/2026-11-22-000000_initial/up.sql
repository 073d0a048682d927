-- One workspace is one app, one tenant. Few rows; a reference table on Citus.
CREATE TABLE workspaces (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    date_format TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- The row that the appender locks. A table of its own, so that Citus can distribute it with the events.
CREATE TABLE workspace_sequences (
    workspace_id INTEGER NOT NULL PRIMARY KEY,
    last_seq BIGINT NOT NULL
);

-- log: 1 access, 2 application, 3 framework. actor_type: 1 user, 2 admin, 3 service, 4 system.
-- outcome: 1 success, 2 failure. changes, metadata and masked are canonical JSON (RFC 8785) as text.
CREATE TABLE events (
    workspace_id INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    log SMALLINT NOT NULL CHECK (log BETWEEN 1 AND 3),
    occurred_at TIMESTAMPTZ NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    actor_type SMALLINT CHECK (actor_type BETWEEN 1 AND 4),
    actor_id TEXT,
    actor_name TEXT,
    role TEXT,
    action TEXT NOT NULL,
    outcome SMALLINT NOT NULL CHECK (outcome BETWEEN 1 AND 2),
    outcome_reason TEXT,
    target_type TEXT,
    target_id TEXT,
    target_name TEXT,
    ip_address TEXT,
    user_agent TEXT,
    session_id TEXT,
    correlation_id TEXT,
    changes TEXT,
    metadata TEXT,
    masked TEXT,
    PRIMARY KEY (workspace_id, seq)
);

-- The order of every screen.
CREATE INDEX events_by_time ON events (workspace_id, log, occurred_at, seq);
-- The history of one record.
CREATE INDEX events_by_target ON events (workspace_id, target_type, target_id, seq) WHERE target_id IS NOT NULL;

CREATE TABLE dedupe_keys (
    workspace_id INTEGER NOT NULL,
    dedupe_key TEXT NOT NULL,
    seq BIGINT NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, dedupe_key)
);
CREATE INDEX dedupe_keys_by_age ON dedupe_keys (workspace_id, received_at);

CREATE TABLE idempotency_keys (
    workspace_id INTEGER NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    response TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, idempotency_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (workspace_id, created_at);

-- How far an importer has come in each table of a source.
CREATE TABLE import_positions (
    workspace_id INTEGER NOT NULL,
    source TEXT NOT NULL,
    source_table TEXT NOT NULL,
    position TEXT NOT NULL,
    PRIMARY KEY (workspace_id, source, source_table)
);

-- People who sign in with a password or a link. They belong to the platform, not to a workspace.
CREATE TABLE users (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT,
    platform_admin BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_sign_in_at TIMESTAMPTZ
);

CREATE TABLE members (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'auditor', 'writer', 'admin')),
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE sign_in_links (
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ
);

CREATE TABLE refresh_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    family TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    replaced_at TIMESTAMPTZ
);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family);
