//! The files of CloudWatch Logs' door that read a batch and write its rows, without the door, which has the query engine.

#[path = "../../protocols/cloudwatch-logs/src/ingest/json_fields.rs"]
mod json_fields;
#[path = "../../protocols/cloudwatch-logs/src/ingest/request.rs"]
pub(crate) mod request;
#[path = "../../protocols/cloudwatch-logs/src/ingest/rows.rs"]
pub(crate) mod rows;
#[path = "../../protocols/cloudwatch-logs/src/ingest/severity.rs"]
mod severity;
#[path = "../../protocols/cloudwatch-logs/src/ingest/trace_link.rs"]
mod trace_link;
