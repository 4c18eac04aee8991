//! Taking in an occurrence, which all doors do alike: the row goes to the store first, then the summary to the inbox, and
//! the door answers when both are durable. A uuid that is known is taken as the same occurrence.

use thiserror::Error;
use tracery_columnar::{BatchBuilder, EventBatch, Sink};
use tracery_errors::{Grouping, Occurrence, Summary, row};
use tracery_model::{Signal, SinkError, TraceId};

use crate::{Project, Tracker, TrackerError};

/// What became of an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Its id.
    New(i64),
    /// It was taken before.
    Known,
}

/// Why it was not taken.
#[derive(Debug, Error)]
pub enum TakeError {
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error(transparent)]
    Tracker(#[from] TrackerError),
}

impl Tracker {
    /// Stores an occurrence and notes it for the worker.
    ///
    /// # Errors
    /// When store or database do not answer. What is in the store alone then is counted when the client sends it again.
    pub async fn take_in(
        &self,
        sink: &dyn Sink,
        project: &Project,
        occurrence: &Occurrence,
        grouping: Grouping,
    ) -> Result<Taken, TakeError> {
        if self.is_known(project.id, &occurrence.uuid).await? {
            return Ok(Taken::Known);
        }
        let occurrence_id = self.occurrence_ids(1).await?.first().copied().unwrap_or_default();
        let belongs = row::Belongs { occurrence_id, project_id: project.id, project_name: &project.name };
        let mut builder = BatchBuilder::new(Signal::Error, occurrence.received_ns);
        row::write(&mut builder, occurrence, &grouping, belongs);
        let batches: Vec<EventBatch> = builder.finish().into_iter().collect();
        sink.accept(project.environment, batches).await?;
        self.note(vec![summary(occurrence, grouping, belongs)]).await?;
        Ok(Taken::New(occurrence_id))
    }
}

fn summary(occurrence: &Occurrence, grouping: Grouping, belongs: row::Belongs<'_>) -> Summary {
    Summary {
        occurrence_id: belongs.occurrence_id,
        project_id: belongs.project_id,
        uuid: occurrence.uuid.clone(),
        source: occurrence.source,
        received_s: occurrence.received_ns.div_euclid(1_000_000_000),
        environment: occurrence.environment.clone(),
        fingerprint: grouping.fingerprint,
        title: grouping.title,
        grouping: grouping.explanation.to_string(),
        old_fingerprint: None,
        level: occurrence.level,
        platform: occurrence.platform.clone(),
        framework: occurrence.framework.clone(),
        code_version: occurrence.code_version.clone(),
        context: occurrence.context.clone(),
        host: occurrence.host.clone(),
        user_ip: occurrence.user_ip.clone(),
        person: occurrence.person.clone(),
        trace_id: occurrence.trace_id.map(|id| TraceId(id).to_string()),
    }
}
