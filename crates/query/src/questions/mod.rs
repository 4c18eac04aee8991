//! The questions that pages ask again and again: which services there are, what a trace holds, which traces match,
//! which values a field has; and SQL for everything else.

pub mod arrivals;
pub mod errors;
mod log_place;
pub mod logs;
pub mod request;
mod services;
mod sql;
mod trace;
mod trace_search;
mod values;
pub mod xray;

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::{MemoryCatalogProviderList, TableProvider};
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::SessionContext;
use tracery_model::OWN_SPANS;
use tracing::Instrument as _;

pub use services::{Service, services};
pub use sql::{SqlAnswer, SqlLimits, sql};
pub use trace::{ATTACHED_MAX, Attached, SpanView, TraceCursor, TracePage, trace};
pub use trace_search::{TraceSearch, TraceSummary, trace_search};
pub use values::{FieldValue, values};

use crate::QueryError;

/// A session of its own tables on the shared runtime: queries never see each other's tables.
pub(crate) fn private(context: &SessionContext) -> SessionContext {
    let state = SessionStateBuilder::new_from_existing(context.state())
        .with_catalog_list(Arc::new(MemoryCatalogProviderList::new()))
        .build();
    let private = SessionContext::new_with_state(state);
    let catalog = Arc::new(datafusion::catalog::MemoryCatalogProvider::new());
    let schema = Arc::new(datafusion::catalog::MemorySchemaProvider::new());
    drop(datafusion::catalog::CatalogProvider::register_schema(catalog.as_ref(), "public", schema));
    private.register_catalog("datafusion", catalog);
    private
}

async fn ask(
    context: &SessionContext,
    events: Arc<dyn TableProvider>,
    text: &str,
) -> Result<Vec<RecordBatch>, QueryError> {
    let private = private(context);
    private.register_table("events", events)?;
    let span = tracing::info_span!(target: OWN_SPANS, "run query");
    Ok(private.sql(text).await?.collect().instrument(span).await?)
}

/// A name as an SQL identifier.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as an SQL literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
