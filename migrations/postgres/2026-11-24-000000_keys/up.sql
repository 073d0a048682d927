-- Keys of producers and integrators. Few rows; a reference table on Citus. Found by prefix, which names the key and is
-- no secret; secret_hash is the SHA-256 of the whole key in hexadecimal. A revoked key stays: its events name it.
CREATE TABLE api_keys (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'auditor', 'writer', 'admin')),
    secret_hash TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, prefix)
);
CREATE INDEX api_keys_by_prefix ON api_keys (prefix);

-- Where a key was used from, so that the first use from elsewhere can be told. An IPv6 address counts as its /64.
CREATE TABLE api_key_networks (
    workspace_id INTEGER NOT NULL,
    prefix TEXT NOT NULL,
    network TEXT NOT NULL,
    first_used_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, prefix, network),
    FOREIGN KEY (workspace_id, prefix) REFERENCES api_keys (workspace_id, prefix) ON DELETE CASCADE
);
