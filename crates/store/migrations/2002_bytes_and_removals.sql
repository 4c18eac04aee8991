-- What a merge holds of a part at once: it takes only as many parts as its budget holds.
ALTER TABLE parts ADD COLUMN raw_byte_count BIGINT NOT NULL DEFAULT 0;

-- Objects that a merge or retention took off the list while other processes may still read them.
CREATE TABLE parts_removed (
    path TEXT PRIMARY KEY,
    removed_ms BIGINT NOT NULL
);

-- The object store holds the same id, so that neither is ever used with a stranger.
CREATE TABLE catalog_identity (
    one BIGINT PRIMARY KEY,
    id TEXT NOT NULL
);
