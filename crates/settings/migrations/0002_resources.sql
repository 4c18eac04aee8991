-- Numbered below 1001: the catalog keeps its own migrations in the same database, from there on.
-- A deleted environment keeps its row, because its id must never be given to another.
ALTER TABLE environments ADD COLUMN deleted_ms BIGINT;
ALTER TABLE keys ADD COLUMN disabled BIGINT NOT NULL DEFAULT 0;

CREATE TABLE datasets (
    environment BIGINT NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    expand_json_depth BIGINT NOT NULL DEFAULT 0,
    delete_protected BIGINT NOT NULL DEFAULT 1,
    created_ms BIGINT NOT NULL,
    last_written_ms BIGINT,
    PRIMARY KEY (environment, slug)
);

-- Everything that is one JSON object to its reader: column metadata, calculated fields, dataset definitions,
-- queries and their annotations and results, boards and views, markers and their settings. `scope` is a dataset's
-- slug, `__all__`, or the id of the parent document; `name` is null where names may repeat.
CREATE TABLE documents (
    environment BIGINT NOT NULL,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    body TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    expires_ms BIGINT,
    PRIMARY KEY (environment, kind, scope, id)
);
CREATE UNIQUE INDEX documents_name ON documents (environment, kind, scope, name);
CREATE INDEX documents_expiry ON documents (expires_ms);

CREATE TABLE users (
    name TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    created_ms BIGINT NOT NULL
);

CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY,
    user_name TEXT NOT NULL REFERENCES users (name),
    created_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL
);
