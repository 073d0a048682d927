-- Kept counts. They are made of the events and can be made again at any time.

-- How far folding has come. unbuilt_from: events from here on, up to compacted_seq, are in no packed row yet; NULL when all are.
CREATE TABLE count_states (
    workspace_id INTEGER NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    compacted_seq BIGINT NOT NULL,
    unbuilt_from TIMESTAMPTZ
);

-- What a transaction of the appender adds: its last seq, how many events and cells it has, and the cells, packed.
CREATE TABLE count_deltas (
    workspace_id INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    events INTEGER NOT NULL,
    cell_count INTEGER NOT NULL,
    cells BYTEA NOT NULL,
    PRIMARY KEY (workspace_id, seq)
);

-- grain 1: bucket is a UTC day since 1970, its cells are of quarter hours. grain 2: bucket is a month since January 1970,
-- its cells are of days. revision differs whenever the row does.
CREATE TABLE event_counts (
    workspace_id INTEGER NOT NULL,
    log SMALLINT NOT NULL CHECK (log BETWEEN 1 AND 3),
    grain SMALLINT NOT NULL CHECK (grain BETWEEN 1 AND 2),
    bucket INTEGER NOT NULL,
    revision BIGINT NOT NULL,
    cells BYTEA NOT NULL,
    PRIMARY KEY (workspace_id, log, grain, bucket)
);
-- They are packed already: compressing them again is lost work.
ALTER TABLE event_counts ALTER COLUMN cells SET STORAGE EXTERNAL;
ALTER TABLE count_deltas ALTER COLUMN cells SET STORAGE EXTERNAL;

-- The events that are there already are yet to be counted.
INSERT INTO count_states (workspace_id, revision, compacted_seq, unbuilt_from)
SELECT workspace_id, 0, 0, TIMESTAMPTZ '1970-01-01 00:00:00Z' FROM workspace_sequences WHERE last_seq > 0;
