//! Checks that what is listed can be read and that indexes agree with rows: what `tracery verify` runs.

use std::collections::HashMap;

use arrow::array::{Array, AsArray};
use bytes::Bytes;
use tracery_columnar::{AttributeColumn, Fixed};

use crate::index::{RowRun, TraceIndex, ValueIndex};
use crate::merge::run::Input;
use crate::part::{FreshPart, MergedFooter, PartMeta};
use crate::{Store, StoreError, paths};

/// What was looked at and what was wrong.
#[derive(Debug, Default)]
pub struct VerifyReport {
    pub part_count: usize,
    pub row_count: i64,
    pub byte_count: i64,
    /// (path, what is wrong).
    pub problems: Vec<(String, String)>,
}

impl Store {
    /// Reads every listed part whole.
    pub async fn verify(&self) -> Result<VerifyReport, StoreError> {
        let mut report = VerifyReport::default();
        for (path, reason) in self.catalog().parts_set_aside().await? {
            report.problems.push((path, format!("set aside: {reason}")));
        }
        for meta in self.catalog().parts().await? {
            report.part_count += 1;
            report.row_count += meta.row_count;
            report.byte_count += meta.byte_count;
            if let Err(error) = self.verify_part(&meta).await {
                // A server beside this process may have merged it away meanwhile.
                if !self.catalog().parts().await?.iter().any(|listed| listed.id == meta.id) {
                    continue;
                }
                report.problems.push((meta.path.clone(), error.to_string()));
            }
        }
        Ok(report)
    }

    async fn verify_part(&self, meta: &PartMeta) -> Result<(), StoreError> {
        let damaged = |reason: String| StoreError::Damaged { path: meta.path.clone(), reason };
        let object = self.objects().get(&meta.path).await?;
        if crc32fast::hash(&object) != meta.crc32 {
            return Err(damaged("its checksum differs from the catalog's".into()));
        }
        let rows = if meta.level == 0 {
            let part = FreshPart::open(&meta.path, &object)?;
            let mut rows = 0;
            for chunk in &part.chunks {
                let all: Vec<usize> = (0..chunk.schema().fields().len()).collect();
                rows += chunk.read(&all)?.num_rows();
            }
            rows
        } else {
            self.verify_merged(meta, &object).await?
        };
        if i64::try_from(rows).ok() != Some(meta.row_count) {
            return Err(damaged(format!("it has {rows} rows and the catalog says {}", meta.row_count)));
        }
        Ok(())
    }

    async fn verify_merged(&self, meta: &PartMeta, object: &Bytes) -> Result<usize, StoreError> {
        let input = Input::Merged { bytes: object.clone(), footer: MergedFooter::read(object)? };
        let names: Vec<String> = input.schema().fields().iter().map(|field| field.name().clone()).collect();
        let mut traces: HashMap<[u8; 16], (usize, usize)> = HashMap::new();
        for name in &names {
            let column = input.column(name)?;
            let Some(ids) = column.as_ref().filter(|_| name == Fixed::TraceId.name()) else { continue };
            let ids = ids.as_fixed_size_binary();
            for row in 0..ids.len() {
                if let Some(id) = ids.is_valid(row).then(|| ids.value(row).try_into().ok()).flatten() {
                    traces.entry(id).or_insert((row, 0)).1 += 1;
                }
            }
        }
        let path = paths::trace_index(&meta.path);
        if !traces.is_empty() {
            let index = TraceIndex::decode(&path, &self.objects().get(&path).await?)?;
            for (id, (first_row, count)) in traces {
                let runs = index.find(&id);
                let covered: usize = runs.iter().map(|run| run.row_count).sum();
                let starts = runs.iter().any(|run| run.first_row == first_row);
                if covered < count || !starts {
                    return Err(StoreError::Damaged { path, reason: "it does not find every row".into() });
                }
            }
        }
        self.verify_values(meta, &input).await?;
        Ok(input.row_count())
    }

    /// Every value of an indexed attribute is found where it lies.
    async fn verify_values(&self, meta: &PartMeta, input: &Input) -> Result<(), StoreError> {
        let path = paths::value_index(&meta.path);
        let index = match self.objects().get(&path).await {
            Ok(bytes) => ValueIndex::decode(&path, &bytes)?,
            Err(StoreError::Object { source: object_store::Error::NotFound { .. }, .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        for key in index.keys() {
            let fields = input.schema().fields().iter();
            let mut own = fields.filter(|field| {
                AttributeColumn::parse(field.name()).is_some_and(|attribute| attribute.key == key)
            });
            let column = own.next().map(|field| input.column(field.name())).transpose()?.flatten();
            let Some(texts) = column.as_ref().and_then(|column| column.as_string_view_opt()) else {
                continue;
            };
            let mut found: HashMap<&str, Vec<RowRun>> = HashMap::new();
            for (row, text) in texts.iter().enumerate() {
                let Some(text) = text else { continue };
                let runs = found.entry(text).or_insert_with(|| index.find(key, text).unwrap_or_default());
                if !runs.iter().any(|run| (run.first_row..run.first_row + run.row_count).contains(&row)) {
                    return Err(StoreError::Damaged { path, reason: "it does not find every row".into() });
                }
            }
        }
        Ok(())
    }
}
