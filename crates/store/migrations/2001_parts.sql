CREATE TABLE parts (
    id TEXT PRIMARY KEY,
    environment BIGINT NOT NULL,
    signal TEXT NOT NULL,
    level BIGINT NOT NULL,
    path TEXT NOT NULL,
    time_min_ns BIGINT NOT NULL,
    time_max_ns BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    byte_count BIGINT NOT NULL,
    crc32 BIGINT NOT NULL,
    datasets TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);

CREATE TABLE parts_set_aside (
    id TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    reason TEXT NOT NULL,
    row_count BIGINT NOT NULL,
    set_aside_ms BIGINT NOT NULL
);

CREATE TABLE catalog_version (
    one BIGINT PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO catalog_version (one, version) VALUES (1, 0);

CREATE TABLE keys_seen (
    environment BIGINT NOT NULL,
    dataset TEXT NOT NULL,
    signal TEXT NOT NULL,
    column_name TEXT NOT NULL,
    last_written_ms BIGINT NOT NULL,
    PRIMARY KEY (environment, dataset, signal, column_name)
);
