-- Who somebody is at an identity provider. What it allows in every workspace is as it said at the last
-- sign-in, and holds until grants_end_at, as the roles in identity_roles do.
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

-- The roles that an identity provider gave at the last sign-in. Those that an admin gives are in members.
CREATE TABLE identity_roles (
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'auditor', 'writer', 'admin')),
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX identity_roles_by_user ON identity_roles (user_id);

-- A session that an identity provider began ends then, however much it is used.
ALTER TABLE refresh_tokens ADD COLUMN session_ends_at TIMESTAMPTZ;
