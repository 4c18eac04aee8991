-- Whether a dataset was made for metrics, whose queries are checked more strictly.
ALTER TABLE datasets ADD COLUMN is_metrics BIGINT NOT NULL DEFAULT 0;
