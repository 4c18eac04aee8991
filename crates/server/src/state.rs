//! Opens what every command works on: settings, store, and the query engine over them.

use std::sync::Arc;

use anyhow::Context;
use datafusion::prelude::SessionContext;
use tracery_query::{StoreEvents, session_context};
use tracery_settings::Settings;
use tracery_stdx::SystemClock;
use tracery_store::{Catalog, Objects, Store, StoreOptions};

use crate::config::Place;

/// The environment variables that S3 understands, and the options they set.
const S3_VARIABLES: &[(&str, &str)] = &[
    ("AWS_ACCESS_KEY_ID", "aws_access_key_id"),
    ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key"),
    ("AWS_SESSION_TOKEN", "aws_session_token"),
    ("AWS_REGION", "aws_region"),
    ("AWS_ENDPOINT_URL", "aws_endpoint"),
    ("AWS_ALLOW_HTTP", "aws_allow_http"),
];

pub(crate) async fn settings(place: &Place) -> anyhow::Result<Settings> {
    std::fs::create_dir_all(&place.data_dir)
        .with_context(|| format!("cannot make the data directory {}", place.data_dir.display()))?;
    Settings::open(&place.catalog_url, Arc::new(SystemClock)).await.context("cannot open the settings")
}

pub(crate) async fn store(place: &Place, options: StoreOptions) -> anyhow::Result<Store> {
    std::fs::create_dir_all(&place.data_dir)
        .with_context(|| format!("cannot make the data directory {}", place.data_dir.display()))?;
    let objects = match &place.store_url {
        Some(url) => {
            let options: Vec<(String, String)> = S3_VARIABLES
                .iter()
                .filter_map(|(variable, option)| Some(((*option).to_owned(), std::env::var(variable).ok()?)))
                .collect();
            Objects::from_url(url, &options)?
        }
        None => Objects::local(&place.data_dir.join("objects"))?,
    };
    let catalog = Catalog::open(&place.catalog_url).await.context("cannot open the catalog")?;
    Store::open(catalog, objects, Arc::new(SystemClock), options).await.context("cannot open the store")
}

/// The engine over a store, with `memory_bytes` for groups, joins and sorts of all queries together.
pub(crate) fn engine(store: &Store, memory_bytes: u64) -> anyhow::Result<(Arc<SessionContext>, StoreEvents)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let memory_bytes = usize::try_from(memory_bytes).unwrap_or(usize::MAX);
    let context = Arc::new(session_context(memory_bytes, threads)?);
    let events = StoreEvents::new(store.clone(), &context);
    Ok((context, events))
}
