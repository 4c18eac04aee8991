-- Errors as people handle them. Times are seconds since 1970; 0 is never. Ids of projects, items, occurrences and deploys come
-- from tracker_sequences, in blocks, so that several processes never give one twice.
CREATE TABLE tracker_sequences (
    name TEXT PRIMARY KEY,
    next BIGINT NOT NULL
);

CREATE TABLE projects (
    id BIGINT PRIMARY KEY,
    environment BIGINT NOT NULL,
    name TEXT NOT NULL,
    created_s BIGINT NOT NULL,
    modified_s BIGINT NOT NULL,
    rules TEXT NOT NULL DEFAULT '',
    next_counter BIGINT NOT NULL DEFAULT 1,
    UNIQUE (environment, name)
);

-- What was noted and is not grouped yet: summaries of one request, as JSON.
CREATE TABLE inbox (
    id BIGINT PRIMARY KEY,
    summaries TEXT NOT NULL
);

CREATE TABLE known_uuids (
    project_id BIGINT NOT NULL,
    uuid TEXT NOT NULL,
    noted_s BIGINT NOT NULL,
    PRIMARY KEY (project_id, uuid)
);
CREATE INDEX known_uuids_noted ON known_uuids (noted_s);

CREATE TABLE items (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    counter BIGINT NOT NULL,
    environment TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    title TEXT NOT NULL,
    level BIGINT NOT NULL,
    status TEXT NOT NULL,
    platform TEXT NOT NULL,
    framework TEXT NOT NULL,
    grouping TEXT NOT NULL,
    first_occurrence_id BIGINT NOT NULL,
    first_s BIGINT NOT NULL,
    last_occurrence_id BIGINT NOT NULL,
    last_s BIGINT NOT NULL,
    activating_occurrence_id BIGINT NOT NULL,
    last_activated_s BIGINT NOT NULL,
    last_resolved_s BIGINT NOT NULL DEFAULT 0,
    last_muted_s BIGINT NOT NULL DEFAULT 0,
    last_modified_by BIGINT NOT NULL DEFAULT 0,
    assigned_user_id BIGINT NOT NULL DEFAULT 0,
    resolved_in_version TEXT NOT NULL DEFAULT '',
    -- Since it was activated last.
    total BIGINT NOT NULL,
    unique_ips BIGINT NOT NULL DEFAULT 0,
    level_lock BIGINT NOT NULL DEFAULT 0,
    title_lock BIGINT NOT NULL DEFAULT 0,
    snoozed BIGINT NOT NULL DEFAULT 0,
    -- The item that this one was merged into.
    group_item_id BIGINT NOT NULL DEFAULT 0,
    -- 1 where others were merged into this one.
    is_group BIGINT NOT NULL DEFAULT 0,
    UNIQUE (project_id, counter)
);
CREATE INDEX items_last ON items (project_id, group_item_id, last_s, id);
CREATE INDEX items_status_last ON items (project_id, group_item_id, status, last_s, id);

-- Which item an occurrence belongs to.
CREATE TABLE item_fingerprints (
    project_id BIGINT NOT NULL,
    environment TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    item_id BIGINT NOT NULL,
    PRIMARY KEY (project_id, environment, fingerprint)
);
CREATE INDEX item_fingerprints_item ON item_fingerprints (item_id);

CREATE TABLE item_hours (
    item_id BIGINT NOT NULL,
    hour_s BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (item_id, hour_s)
);
CREATE INDEX item_hours_hour ON item_hours (hour_s);

CREATE TABLE item_ips (
    item_id BIGINT NOT NULL,
    ip TEXT NOT NULL,
    PRIMARY KEY (item_id, ip)
);

-- What happened to an item, by whom: its history.
CREATE TABLE item_changes (
    id BIGINT PRIMARY KEY,
    item_id BIGINT NOT NULL,
    at_s BIGINT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX item_changes_item ON item_changes (item_id, id);

CREATE TABLE people (
    project_id BIGINT NOT NULL,
    person_id TEXT NOT NULL,
    username TEXT NOT NULL,
    email TEXT NOT NULL,
    last_s BIGINT NOT NULL,
    last_occurrence_id BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (project_id, person_id)
);

CREATE TABLE versions (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    environment TEXT NOT NULL,
    version TEXT NOT NULL,
    created_s BIGINT NOT NULL,
    first_occurrence_id BIGINT NOT NULL,
    first_s BIGINT NOT NULL,
    last_occurrence_id BIGINT NOT NULL,
    last_s BIGINT NOT NULL,
    UNIQUE (project_id, environment, version)
);

-- What an item was in a version: new, reactivated, repeated or resolved.
CREATE TABLE version_items (
    version_id BIGINT NOT NULL,
    item_id BIGINT NOT NULL,
    event TEXT NOT NULL,
    first_occurrence_id BIGINT NOT NULL,
    last_occurrence_id BIGINT NOT NULL,
    PRIMARY KEY (version_id, item_id, event)
);

CREATE TABLE deploys (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    environment TEXT NOT NULL,
    revision TEXT NOT NULL,
    local_username TEXT NOT NULL,
    rollbar_username TEXT NOT NULL,
    comment TEXT NOT NULL,
    status TEXT NOT NULL,
    started_s BIGINT NOT NULL,
    finished_s BIGINT NOT NULL
);
CREATE INDEX deploys_project ON deploys (project_id, id);

-- What was refused, the latest of each project.
CREATE TABLE rejected_payloads (
    id BIGINT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    at_s BIGINT NOT NULL,
    reason TEXT NOT NULL,
    payload TEXT NOT NULL
);
CREATE INDEX rejected_payloads_project ON rejected_payloads (project_id, id);

-- What a token of Rollbar's kind has beside its scopes; without a row it is its environment's first project's.
CREATE TABLE project_tokens (
    key_id TEXT PRIMARY KEY,
    project_id BIGINT NOT NULL,
    window_count BIGINT NOT NULL DEFAULT 0,
    window_s BIGINT NOT NULL DEFAULT 0,
    modified_s BIGINT NOT NULL DEFAULT 0
);
