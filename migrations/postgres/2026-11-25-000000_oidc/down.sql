ALTER TABLE refresh_tokens DROP COLUMN session_ends_at;
DROP TABLE identity_roles;
DROP TABLE identities;
