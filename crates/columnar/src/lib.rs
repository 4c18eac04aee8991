//! Rows become columns here: the fixed columns of every signal, the naming of attribute columns, and the builder
//! that front doors write records into while they walk the wire.
//!
//! **Invariant:** the physical schema of a batch says everything about its rows. A column that would hold only
//! nulls (or only the default its [`FixedColumn`] names) is left out, and readers supply it.

mod attribute;
mod batches;
mod builder;
mod fixed;
mod sink;
mod tail;
mod text_column;

pub use attribute::{AttributeColumn, TAIL_COLUMN};
pub use batches::Batches;
pub use builder::{BatchBuilder, BatchStats, DatasetSummary, EventBatch, KEY_BYTES_MAX, VALUE_BYTES_MAX};
pub use fixed::{Fixed, FixedColumn, FixedType};
pub use sink::Sink;
pub use tail::{TailObject, push_json_text};

/// Attribute columns a part may have; attributes beyond them go to [`TAIL_COLUMN`] and stay queryable.
pub const ATTRIBUTE_COLUMNS_MAX: usize = 2_000;
