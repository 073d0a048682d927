DROP INDEX events_by_target;
CREATE INDEX events_by_target ON events (workspace_id, target_type, target_id, seq) WHERE target_id IS NOT NULL;
