-- Log groups and streams. `sort_key` is the name in hex: it sorts by bytes in every database, whatever its collation.
-- Times are nanoseconds where they are compared with rows of the store; 0 is none yet.
CREATE TABLE log_groups (
    id TEXT PRIMARY KEY,
    environment BIGINT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    class TEXT NOT NULL,
    retention_days BIGINT NOT NULL DEFAULT 0,
    kms_key_id TEXT,
    delete_protected BIGINT NOT NULL DEFAULT 0,
    tags TEXT NOT NULL DEFAULT '{}',
    created_ns BIGINT NOT NULL,
    stream_count BIGINT NOT NULL DEFAULT 0,
    byte_count BIGINT NOT NULL DEFAULT 0,
    UNIQUE (environment, region, sort_key)
);

CREATE TABLE log_streams (
    group_id TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    name TEXT NOT NULL,
    created_ns BIGINT NOT NULL,
    first_event_ms BIGINT NOT NULL DEFAULT 0,
    last_event_ms BIGINT NOT NULL DEFAULT 0,
    last_ingestion_ms BIGINT NOT NULL DEFAULT 0,
    byte_count BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (group_id, sort_key)
);
CREATE INDEX log_streams_last_event ON log_streams (group_id, last_event_ms, sort_key);

-- Streams that were deleted: their rows received until then are not read, and the store removes them.
CREATE TABLE log_streams_deleted (
    group_id TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    name TEXT NOT NULL,
    deleted_ns BIGINT NOT NULL,
    PRIMARY KEY (group_id, sort_key)
);
