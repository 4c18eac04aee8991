//! `tracery verify`: reads every listed part whole and says what is wrong with it. With `--restore` it first lists again
//! what was set aside and reads well.

use clap::Args;
use tracery_stdx::ByteSize;

use super::{Failure, OrExit, look_at_store, say};
use crate::cli::{EXIT_DAMAGED, EXIT_UNREACHABLE};
use crate::config::Place;

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    place: Place,
    /// Lists parts again that were set aside and are whole, as after a directory that was not mounted.
    #[arg(long)]
    restore: bool,
}

pub(crate) async fn run(args: VerifyArgs) -> Result<(), Failure> {
    let store = look_at_store(&args.place).await?;
    if args.restore {
        for path in store.restore().await.or_exit(EXIT_UNREACHABLE)? {
            say(&format!("restored  {path}\n"))?;
        }
    }
    let report = store.verify().await.or_exit(EXIT_UNREACHABLE);
    store.close().await;
    let report = report?;
    let size = ByteSize(u64::try_from(report.byte_count).unwrap_or(0));
    let read = format!("{} parts, {} rows, {size} read", report.part_count, report.row_count);
    if report.problems.is_empty() {
        return say(&format!("{read}: no damage\n"));
    }
    let damaged = report.problems.iter().map(|(path, problem)| format!("damaged  {path}: {problem}\n"));
    say(&format!("{read}\n{}", damaged.collect::<String>()))?;
    let error = anyhow::anyhow!("{} of {} parts are damaged", report.problems.len(), report.part_count);
    Err(Failure { code: EXIT_DAMAGED, error })
}
