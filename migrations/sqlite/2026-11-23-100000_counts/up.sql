-- Kept counts. They are made of the events and can be made again at any time.

-- How far folding has come. unbuilt_from: events from here on, up to compacted_seq, are in no packed row yet; NULL when all are.
CREATE TABLE count_states (
    workspace_id INTEGER NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    compacted_seq INTEGER NOT NULL,
    unbuilt_from INTEGER
);

-- What a transaction of the appender adds: its last seq, how many events and cells it has, and the cells, packed.
CREATE TABLE count_deltas (
    workspace_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    events INTEGER NOT NULL,
    cell_count INTEGER NOT NULL,
    cells BLOB NOT NULL,
    PRIMARY KEY (workspace_id, seq)
);

-- grain 1: bucket is a UTC day since 1970, its cells are of quarter hours. grain 2: bucket is a month since January 1970,
-- its cells are of days. revision differs whenever the row does.
CREATE TABLE event_counts (
    workspace_id INTEGER NOT NULL,
    log SMALLINT NOT NULL CHECK (log BETWEEN 1 AND 3),
    grain SMALLINT NOT NULL CHECK (grain BETWEEN 1 AND 2),
    bucket INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    cells BLOB NOT NULL,
    PRIMARY KEY (workspace_id, log, grain, bucket)
);

-- The events that are there already are yet to be counted.
INSERT INTO count_states (workspace_id, revision, compacted_seq, unbuilt_from)
SELECT workspace_id, 0, 0, 0 FROM workspace_sequences WHERE last_seq > 0;
