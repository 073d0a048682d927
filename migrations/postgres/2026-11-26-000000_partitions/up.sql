-- Partitions by month of occurred_at (UTC), by year before 2020: see api/src/db/partitions.rs, which makes all later ones.
-- The events are copied, so this needs as much free room as they take, until it is done.
ALTER TABLE events RENAME TO events_before;
CREATE TABLE events (LIKE events_before INCLUDING CONSTRAINTS) PARTITION BY RANGE (occurred_at);

DO $$
DECLARE
    part RECORD;
BEGIN
    FOR part IN
        SELECT DISTINCT
            date_trunc(grain, at) AS first,
            date_trunc(grain, at) + ('1 ' || grain)::interval AS next,
            CASE grain WHEN 'year' THEN to_char(at, '"events_"YYYY') ELSE to_char(at, '"events_"YYYY_MM') END AS name
        FROM (
            SELECT at, CASE WHEN at < TIMESTAMP '2020-01-01' THEN 'year' ELSE 'month' END AS grain
            FROM (SELECT occurred_at AT TIME ZONE 'UTC' AS at FROM events_before) AS times
        ) AS grains
    LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)',
            part.name, part.first AT TIME ZONE 'UTC', part.next AT TIME ZONE 'UTC'
        );
    END LOOP;
END
$$;

INSERT INTO events SELECT * FROM events_before;
DROP TABLE events_before;

-- A key of a partitioned table has the column that it is partitioned by.
ALTER TABLE events ADD PRIMARY KEY (workspace_id, seq, occurred_at);
-- The order of every screen.
CREATE INDEX events_by_time ON events (workspace_id, log, occurred_at, seq);
-- The history of one record, in the order of a screen.
CREATE INDEX events_by_target ON events (workspace_id, target_type, target_id, occurred_at, seq) WHERE target_id IS NOT NULL;
ANALYZE events;
