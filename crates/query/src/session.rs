//! The engine's session: the one list of our functions, and the limits that all queries share. The server makes one
//! and hands it to every query.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::FunctionRegistry as _;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::functions;

/// Consumers that an exhausted pool names in its error.
const CONSUMERS_NAMED: usize = 3;

/// A session whose queries together use at most `memory_limit_bytes` for groups, joins and sorts, and each at most
/// `target_partitions` threads. What does not fit ends its query: nothing is written to disk.
///
/// # Errors
/// When the engine's runtime cannot be built.
pub fn session_context(memory_limit_bytes: usize, target_partitions: usize) -> Result<SessionContext> {
    let top = CONSUMERS_NAMED.try_into().unwrap_or(std::num::NonZeroUsize::MIN);
    let pool = TrackConsumersPool::new(FairSpillPool::new(memory_limit_bytes), top);
    let no_disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_disk_manager_builder(no_disk)
        .build_arc()?;
    let config = SessionConfig::new()
        .with_target_partitions(target_partitions.max(1))
        .with_information_schema(false)
        // Filters on attributes are cheap next to decoding the other columns of a row that fails them.
        .set_bool("datafusion.execution.parquet.pushdown_filters", true)
        .set_bool("datafusion.execution.parquet.reorder_filters", true)
        // One that doubles a text in each round is not stopped by the pool.
        .set_bool("datafusion.execution.enable_recursive_ctes", false)
        // The engine plans `x IS TRUE` as never null and computes it as nullable; when two fields share it, its check
        // of the one against the other fails a query that is right.
        .set_bool("datafusion.execution.skip_physical_aggregate_schema_check", true);
    let mut context = SessionContext::new_with_config_rt(config, runtime);
    context.register_expr_planner(Arc::new(functions::joined_text::JoinOperator))?;
    functions::aggregate_functions().into_iter().for_each(|function| context.register_udaf(function));
    functions::scalar_functions().into_iter().for_each(|function| context.register_udf(function));
    Ok(context)
}
