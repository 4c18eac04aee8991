//! The list of everything the API answers. The router and `openapi/api.json` are both made from it, so neither can
//! have what the other lacks.

use axum::routing::{self, MethodRouter};

use crate::{
    Api, bubble_up, environments, fields, keys, query, requests, running, saved_queries, services, session,
    sql, traces, values, xray,
};

/// A parameter of a path or query string.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// `string`, `integer`, `number` or `boolean`.
    pub(crate) kind: &'static str,
    pub(crate) required: bool,
    pub(crate) about: &'static str,
}

/// One method of one path.
pub(crate) struct Endpoint {
    pub(crate) method: &'static str,
    /// Below `/api/v1`.
    pub(crate) path: &'static str,
    pub(crate) about: &'static str,
    pub(crate) parameters: Vec<Parameter>,
    /// Name of the schema of the request body; empty for none.
    pub(crate) body: &'static str,
    /// Name of the schema of the answer; empty for none.
    pub(crate) answer: &'static str,
    pub(crate) handler: MethodRouter<Api>,
}

impl Endpoint {
    pub(crate) fn full_path(&self) -> String {
        format!("/api/v1{}", self.path)
    }

    fn with(mut self, name: &'static str, kind: &'static str, about: &'static str) -> Self {
        let in_path = self.path.contains(&format!("{{{name}}}"));
        self.parameters.push(Parameter { name, kind, required: in_path, about });
        self
    }

    fn needs(mut self, name: &'static str, kind: &'static str, about: &'static str) -> Self {
        self.parameters.push(Parameter { name, kind, required: true, about });
        self
    }

    fn environment(self) -> Self {
        self.with("environment", "string", "Slug of the environment; `default` when left out.")
    }

    fn dataset(self) -> Self {
        self.with("dataset", "string", "Name of a dataset; all of them when left out or `__all__`.")
    }
}

fn endpoint(
    method: &'static str,
    path: &'static str,
    about: &'static str,
    (body, answer): (&'static str, &'static str),
    handler: MethodRouter<Api>,
) -> Endpoint {
    Endpoint { method, path, about, parameters: Vec::new(), body, answer, handler }
}

/// Everything there is, in the order of the documentation.
pub(crate) fn list() -> Vec<Endpoint> {
    use routing::{delete, get, post};
    vec![
        endpoint("get", "/session", "Who the caller is.", ("", "Session"), get(session::current)),
        endpoint("post", "/session", "Log in.", ("Login", "User"), post(session::log_in)),
        endpoint("delete", "/session", "Log out.", ("", ""), delete(session::log_out)),
        endpoint(
            "get",
            "/environments",
            "Environments the caller may see.",
            ("", "Environments"),
            get(environments::list),
        ),
        endpoint(
            "post",
            "/environments",
            "Make an environment; one that is there already by its slug is answered as it is.",
            ("NewEnvironment", "Environment"),
            post(environments::create),
        ),
        endpoint("get", "/keys", "Keys of an environment.", ("", "Keys"), get(keys::list)).environment(),
        endpoint(
            "post",
            "/keys",
            "Make a key; its secret is in this answer only.",
            ("NewKey", "CreatedKey"),
            post(keys::create),
        )
        .environment(),
        endpoint("delete", "/keys/{id}", "Revoke a key.", ("", ""), delete(keys::revoke))
            .with("id", "string", "The key's id.")
            .environment(),
        endpoint(
            "get",
            "/services",
            "Services with rate, errors and duration.",
            ("", "Services"),
            get(services::list),
        )
        .environment()
        .with("seconds", "integer", "How far back; 3600 when left out."),
        endpoint("get", "/fields", "Fields of a dataset.", ("", "Fields"), get(fields::list))
            .environment()
            .dataset(),
        endpoint("get", "/values", "Most frequent values of a field.", ("", "Values"), get(values::list))
            .environment()
            .dataset()
            .needs("field", "string", "Name of the field.")
            .with("prefix", "string", "What the values start with.")
            .with("limit", "integer", "At most this many, 50 when left out, up to 1000.")
            .with("seconds", "integer", "How far back; a week when left out."),
        endpoint(
            "post",
            "/query",
            "Ask with a Honeycomb query specification. With `Accept: text/event-stream` the answer comes as events: \
             `progress` (a `RunningQuery` without its kind) at once and four times a second, then `result` (the answer) \
             or `error`. Closing the connection cancels, as does deleting the query under `/queries`.",
            ("QuerySpec", "QueryAnswer"),
            post(query::run),
        )
        .environment()
        .dataset()
        .with("series", "boolean", "Whether to give values over time beside the results; true when left out."),
        endpoint(
            "post",
            "/bubble_up",
            "What sets selected events of a query apart from its others.",
            ("BubbleUp", "BubbleUpAnswer"),
            post(bubble_up::run),
        )
        .environment()
        .dataset(),
        endpoint(
            "post",
            "/sql",
            "One read-only statement over spans, logs, errors, metrics and events; as events like `/query`.",
            ("Sql", "SqlAnswer"),
            post(sql::run),
        )
        .environment(),
        endpoint("get", "/queries", "Queries and statements that run now.", ("", "RunningQueries"), get(running::list))
            .environment(),
        endpoint(
            "delete",
            "/queries/{id}",
            "Cancel a running query or statement; who asked is answered with the error `cancelled`.",
            ("", ""),
            delete(running::cancel),
        )
        .with("id", "string", "The `query_id` of its progress.")
        .environment(),
        endpoint("get", "/traces", "Traces with a matching span, newest first.", ("", "Traces"), get(traces::search))
            .environment()
            .with("service", "string", "Dataset of the matching span.")
            .with("field", "string", "A field the span has; needs `value`.")
            .with("value", "string", "The field's value.")
            .with("min_duration_ms", "number", "The span took at least this long.")
            .with("errors_only", "boolean", "The span failed.")
            .with("limit", "integer", "At most this many, 20 when left out, up to 200.")
            .with("seconds", "integer", "How far back; all time when left out."),
        endpoint("get", "/traces/{id}", "One trace, in pages. Spans are ordered by start, then by span id, so that a parent comes before its children \
             where clocks agree; `parent_id` makes the tree. Spans that arrive while pages are read move no page.", ("", "Trace"), get(traces::get))
            .with("id", "string", "32 hex digits.")
            .environment()
            .with("cursor", "string", "The `next_cursor` of the page before; the first page when left out.")
            .with("limit", "integer", "Spans in the answer, 1000 when left out, up to 10000.")
            .with("format", "string", "`json`, or `otlp` for the whole trace as OTLP JSON."),
        endpoint(
            "get",
            "/requests/{trace_id}",
            "Everything that the request of a trace left behind, from all doors: what bears its id, and what is joined by \
             evidence, with its strength.",
            ("", "RequestView"),
            get(requests::get),
        )
        .with("trace_id", "string", "32 hex digits, of any door's trace.")
        .environment(),
        endpoint(
            "get",
            "/log_regions",
            "The AWS regions that have log groups.",
            ("", "LogRegions"),
            get(environments::log_regions),
        )
        .environment(),
        endpoint(
            "get",
            "/saved_queries",
            "Queries somebody gave a name, newest first, in pages.",
            ("", "SavedQueries"),
            get(saved_queries::list),
        )
        .environment()
        .with("cursor", "string", "The `next_cursor` of the page before; the first page when left out.")
        .with("limit", "integer", "Queries in the answer, 100 when left out, up to 1000."),
        endpoint(
            "post",
            "/saved_queries",
            "Save a query.",
            ("NewSavedQuery", "SavedQuery"),
            post(saved_queries::create),
        )
        .environment(),
        endpoint(
            "delete",
            "/saved_queries/{id}",
            "Forget a saved query: a key its own, one with the scope `manage_boards` any.",
            ("", ""),
            delete(saved_queries::delete),
        )
        .with("id", "string", "The saved query's id.")
        .environment(),
        endpoint(
            "get",
            "/xray/rejected",
            "The newest X-Ray datagrams and documents that were not kept, newest first, at most 200.",
            ("", "RejectedDocuments"),
            get(xray::rejected),
        )
        .environment(),
        endpoint(
            "get",
            "/xray/telemetry",
            "What X-Ray daemons counted of their own work, newest first, at most 200.",
            ("", "DaemonRecords"),
            get(xray::telemetry),
        )
        .environment(),
    ]
}
