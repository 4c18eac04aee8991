-- Exceptions by trace, type and message, so that the same one by another door is not counted again.
CREATE TABLE known_exceptions (
    project_id BIGINT NOT NULL,
    identity TEXT NOT NULL,
    -- Of type and message alone.
    shape TEXT NOT NULL,
    source TEXT NOT NULL,
    environment TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    noted_s BIGINT NOT NULL,
    PRIMARY KEY (project_id, identity)
);
CREATE INDEX known_exceptions_shape ON known_exceptions (project_id, shape, noted_s);
CREATE INDEX known_exceptions_noted ON known_exceptions (noted_s);
