//! Taking in an occurrence, which all doors do alike: the row goes to the store first, then the summary to the inbox, and
//! the door answers when both are durable. A uuid that is known is taken as the same occurrence; the same exception
//! by another door is counted once.

use std::collections::HashSet;

use thiserror::Error;
use tracery_columnar::{BatchBuilder, EventBatch, Sink};
use tracery_errors::{Grouping, Occurrence, Summary, from_rows, row};
use tracery_model::{Signal, SinkError, TraceId};

use crate::{Project, Tracker, TrackerError};

/// What became of an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Its id.
    New(i64),
    /// It was taken before, by this door or by another.
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
        let taken = self.take_in_all(sink, project, vec![(occurrence, grouping)]).await?;
        Ok(taken.first().copied().unwrap_or(Taken::Known))
    }

    /// The same for several of one project, which are stored together.
    ///
    /// # Errors
    /// As [`Self::take_in`].
    pub async fn take_in_all(
        &self,
        sink: &dyn Sink,
        project: &Project,
        arrivals: Vec<(&Occurrence, Grouping)>,
    ) -> Result<Vec<Taken>, TakeError> {
        let mut taken = Vec::with_capacity(arrivals.len());
        let mut batches: Vec<EventBatch> = Vec::new();
        let mut summaries: Vec<Summary> = Vec::new();
        let ids = self.new_ids(project, &arrivals).await?;
        for ((occurrence, grouping), id) in arrivals.into_iter().zip(ids) {
            let Some(occurrence_id) = id else {
                taken.push(Taken::Known);
                continue;
            };
            let belongs = row::Belongs { occurrence_id, project_id: project.id, project_name: &project.name };
            let mut noted = summary(occurrence, grouping.clone(), belongs);
            if let Some(identity) = from_rows::identity(occurrence) {
                self.compare(&mut noted, identity).await?;
            }
            // Of what is counted already, a report has more to show than a span that is in the store itself.
            if noted.is_repeated && occurrence.source.is_telemetry() {
                taken.push(Taken::Known);
            } else {
                let mut builder = BatchBuilder::new(Signal::Error, occurrence.received_ns);
                row::write(&mut builder, occurrence, &grouping, belongs);
                batches.extend(builder.finish());
                taken.push(Taken::New(occurrence_id));
            }
            summaries.push(noted);
        }
        if !batches.is_empty() {
            sink.accept(project.environment, batches).await?;
        }
        self.note(summaries).await?;
        Ok(taken)
    }

    /// Ids of those that were not taken before, each uuid once.
    async fn new_ids(
        &self,
        project: &Project,
        arrivals: &[(&Occurrence, Grouping)],
    ) -> Result<Vec<Option<i64>>, TrackerError> {
        let mut is_new = Vec::with_capacity(arrivals.len());
        let mut uuids = HashSet::new();
        for (occurrence, _) in arrivals {
            let first = uuids.insert(occurrence.uuid.as_str());
            is_new.push(first && !self.is_known(project.id, &occurrence.uuid).await?);
        }
        let count = is_new.iter().filter(|is_new| **is_new).count();
        let mut ids = self.occurrence_ids(count).await?.into_iter();
        Ok(is_new.into_iter().map(|is_new| if is_new { ids.next() } else { None }).collect())
    }

    /// Whether the same exception came by another door, where a report's environment does not say otherwise.
    async fn compare(&self, noted: &mut Summary, identity: String) -> Result<(), TrackerError> {
        let known = self.known_exception(noted.project_id, &identity).await?;
        noted.identity = Some(identity);
        let Some(known) = known.filter(|known| known.source != noted.source.name()) else { return Ok(()) };
        // An SDK of errors is told its environment on purpose, a resource often none or another one.
        if noted.source.is_telemetry() {
            noted.environment = known.environment.clone();
        }
        if noted.environment == known.environment {
            noted.is_repeated = true;
            noted.old_fingerprint =
                Some(known.fingerprint).filter(|fingerprint| *fingerprint != noted.fingerprint);
        }
        Ok(())
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
        identity: None,
        shape: from_rows::shape(occurrence),
        is_repeated: false,
    }
}
