//! Rollbar: the items that its SDKs post, and the API that its command line, dashboards and scripts call. [`routes`] is the
//! whole list; `server` merges it into its router and supplies tracker and query engine.
//!
//! **Invariant:** every answer is JSON with the headers that browsers need, whatever the request was; an item that was
//! answered with 200 is in the store and in the tracker's inbox.

mod api;
mod body;
mod ingest;
mod limits;
mod notify;
mod reply;
mod token;
mod truncate;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, patch, post};
use datafusion::prelude::SessionContext;
use tracery_intake::Intake;
use tracery_outbound::Outbound;
use tracery_query::StoreEvents;
use tracery_tracker::Tracker;

/// The state of this door. Cheap to clone.
#[derive(Clone)]
pub struct Rollbar {
    pub(crate) intake: Intake,
    pub(crate) tracker: Tracker,
    pub(crate) events: StoreEvents,
    pub(crate) context: Arc<SessionContext>,
    pub(crate) limits: Arc<limits::Windows>,
    /// Queries that were asked.
    pub(crate) jobs: Arc<api::rql::Jobs>,
    pub(crate) outbound: Outbound,
    /// Where people reach the pages, for links in notifications.
    pub(crate) public_url: Option<String>,
}

impl Rollbar {
    pub fn new(
        intake: Intake,
        tracker: Tracker,
        events: StoreEvents,
        context: Arc<SessionContext>,
        outbound: Outbound,
    ) -> Self {
        Self {
            intake,
            tracker,
            events,
            context,
            limits: Arc::default(),
            jobs: Arc::default(),
            outbound,
            public_url: None,
        }
    }

    /// The same with the address under which people reach the pages.
    #[must_use]
    pub fn with_public_url(self, public_url: Option<String>) -> Self {
        Self { public_url, ..self }
    }
}

/// Every path, with and without the last slash.
pub fn routes(state: Rollbar) -> Router {
    let list: Vec<(&str, MethodRouter<Rollbar>)> = vec![
        ("/api/1/item", post(ingest::post_item).get(api::items::by_counter)),
        ("/api/item", post(ingest::post_item)),
        ("/api/1/status/ping", get(api::ping)),
        ("/api/1/item/{id}", get(api::items::item).patch(api::items::update)),
        ("/api/1/item/{id}/instances", get(api::instances::of_item)),
        ("/api/1/item/{id}/history", get(api::items::history)),
        ("/api/1/item/{id}/comments", post(api::items::comment)),
        ("/api/1/item/{id}/merge", post(api::items::merge)),
        ("/api/1/item/{id}/unmerge", post(api::items::unmerge)),
        ("/api/1/items", get(api::items::list)),
        ("/api/1/item_by_counter", get(api::items::redirect)),
        ("/api/1/item_by_counter/{counter}", get(api::items::redirect_to)),
        ("/api/1/item_by_uuid", get(api::items::by_uuid)),
        ("/api/1/search", get(api::items::search)),
        ("/api/1/instance/{id}", get(api::instances::one)),
        ("/api/1/instances", get(api::instances::list)),
        ("/api/1/deploy", post(api::deploys::create)),
        ("/api/1/deploy/{id}", patch(api::deploys::update).get(api::deploys::one)),
        ("/api/1/deploys", get(api::deploys::list)),
        ("/api/1/versions/{version}", get(api::versions::one)),
        ("/api/1/versions/{version}/items", get(api::versions::items)),
        ("/api/1/environments", get(api::versions::environments)),
        ("/api/1/people", get(api::people::list)),
        ("/api/1/reports/top_active_items", get(api::reports::top_active_items)),
        ("/api/1/reports/occurrence_counts", get(api::reports::occurrence_counts)),
        ("/api/1/reports/activated_counts", get(api::reports::activated_counts)),
        ("/api/1/rql/jobs", post(api::rql::create).get(api::rql::list)),
        ("/api/1/rql/job/{id}", get(api::rql::one)),
        ("/api/1/rql/job/{id}/result", get(api::rql::result)),
        ("/api/1/rql/job/{id}/cancel", post(api::rql::cancel)),
        ("/api/1/projects", get(api::projects::list).post(api::projects::create)),
        ("/api/1/project/{id}", get(api::projects::one)),
        ("/api/1/project/{id}/access_tokens", get(api::tokens::list).post(api::tokens::create)),
        ("/api/1/project/{id}/access_token/{token}", patch(api::tokens::update).delete(api::tokens::remove)),
        ("/api/1/project/{id}/grouping_rules", get(api::projects::rules).put(api::projects::set_rules)),
        ("/api/1/project/{id}/rejected", get(api::projects::rejected)),
        (
            "/api/1/notifications/{channel}",
            get(api::notifications::settings).put(api::notifications::configure),
        ),
        (
            "/api/1/notifications/{channel}/rules",
            get(api::notifications::rules)
                .post(api::notifications::add_rules)
                .put(api::notifications::set_rules),
        ),
        (
            "/api/1/notifications/{channel}/rule/{id}",
            get(api::notifications::rule)
                .put(api::notifications::change_rule)
                .delete(api::notifications::delete_rule),
        ),
        ("/api/1/notifications/{channel}/rule/{id}/history", get(api::notifications::history)),
        ("/api/1/notifications/{channel}/test", post(api::notifications::test)),
        // What is not there answers in the vendor's form.
        (
            "/api/1/{*rest}",
            get(api::not_found).post(api::not_found).patch(api::not_found).put(api::not_found),
        ),
    ];
    let mut router = Router::new();
    for (path, methods) in list {
        let methods = match path.ends_with('}') && path.contains('*') {
            true => methods.merge(delete(api::not_found)).fallback(api::not_found),
            false => methods.options(reply::preflight).fallback(api::not_found),
        };
        if !path.contains('*') {
            router = router.route(&format!("{path}/"), methods.clone());
        }
        router = router.route(path, methods);
    }
    router.layer(from_fn_with_state(state.clone(), reply::headers)).with_state(state)
}
