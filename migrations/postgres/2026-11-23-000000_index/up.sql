-- The signature index. It is made of the events and can be made again at any time.

-- How far it has come.
CREATE TABLE index_states (
    workspace_id INTEGER NOT NULL PRIMARY KEY,
    indexed_seq BIGINT NOT NULL,
    next_segment INTEGER NOT NULL,
    revision BIGINT NOT NULL
);

CREATE TABLE index_segments (
    workspace_id INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    first_time TIMESTAMPTZ NOT NULL,
    last_time TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, segment)
);

-- piece: kind * 2^32 + segment; see logs/index/segment.rs.
-- Pieces are dense, so compressing them is lost work; up to a page they stay in the row, where they are read in one go.
CREATE TABLE index_pieces (
    workspace_id INTEGER NOT NULL,
    piece BIGINT NOT NULL,
    bits BYTEA NOT NULL,
    PRIMARY KEY (workspace_id, piece)
) WITH (toast_tuple_target = 8160);
ALTER TABLE index_pieces ALTER COLUMN bits SET STORAGE EXTERNAL;

-- Which process does the work behind the appender. When it is gone, another takes over after held_until.
CREATE TABLE job_leases (
    workspace_id INTEGER NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    held_until TIMESTAMPTZ NOT NULL
);
