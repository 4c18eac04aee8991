-- The rows of `parts` that were set aside, so that a part that reads well again can be listed again.
CREATE TABLE parts_set_aside_rows (
    id TEXT PRIMARY KEY,
    environment BIGINT NOT NULL,
    signal TEXT NOT NULL,
    level BIGINT NOT NULL,
    path TEXT NOT NULL,
    time_min_ns BIGINT NOT NULL,
    time_max_ns BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    byte_count BIGINT NOT NULL,
    raw_byte_count BIGINT NOT NULL,
    crc32 BIGINT NOT NULL,
    datasets TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);
