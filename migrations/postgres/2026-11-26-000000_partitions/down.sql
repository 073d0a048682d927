ALTER TABLE events RENAME TO events_after;
CREATE TABLE events (LIKE events_after INCLUDING CONSTRAINTS);
INSERT INTO events SELECT * FROM events_after;
DROP TABLE events_after;
ALTER TABLE events ADD PRIMARY KEY (workspace_id, seq);
CREATE INDEX events_by_time ON events (workspace_id, log, occurred_at, seq);
CREATE INDEX events_by_target ON events (workspace_id, target_type, target_id, seq) WHERE target_id IS NOT NULL;
