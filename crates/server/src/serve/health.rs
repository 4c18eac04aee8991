//! `GET /healthz`: the process answers. `GET /readyz`: the catalog, the object store and the settings answer too.

use axum::extract::State;
use axum::http::StatusCode;
use tracery_settings::Settings;
use tracery_store::Store;

/// A probe that takes longer than this is as good as none.
const PROBE_MAX: std::time::Duration = std::time::Duration::from_secs(5);

pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

pub(crate) async fn ready(State((store, settings)): State<(Store, Settings)>) -> (StatusCode, String) {
    let probe = async {
        store.ready().await.map_err(|error| error.to_string())?;
        settings.ping().await.map_err(|error| error.to_string())
    };
    match tokio::time::timeout(PROBE_MAX, probe).await {
        Ok(Ok(())) => (StatusCode::OK, "ok\n".to_owned()),
        Ok(Err(reason)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "storage does not answer in time\n".to_owned()),
    }
}
