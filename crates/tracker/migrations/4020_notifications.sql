-- Who is told of what. A notice is written with what it tells of; it becomes one delivery for each rule that wants it.
CREATE TABLE notification_channels (
    project_id BIGINT NOT NULL,
    channel TEXT NOT NULL,
    config TEXT NOT NULL,
    PRIMARY KEY (project_id, channel)
);

CREATE TABLE notification_rules (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    channel TEXT NOT NULL,
    event TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    -- Filters and configuration, as JSON.
    rule TEXT NOT NULL
);
CREATE INDEX notification_rules_of ON notification_rules (project_id, event);

CREATE TABLE notices (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    event TEXT NOT NULL,
    item_id BIGINT NOT NULL,
    occurrence_id BIGINT NOT NULL,
    at_s BIGINT NOT NULL,
    detail TEXT NOT NULL
);

CREATE TABLE deliveries (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    rule_id BIGINT NOT NULL,
    notice TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_s BIGINT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (next_s);

CREATE TABLE delivery_log (
    id BIGINT PRIMARY KEY,
    rule_id BIGINT NOT NULL,
    at_s BIGINT NOT NULL,
    event TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX delivery_log_of ON delivery_log (rule_id, id);
