//! More attributes than a part may have columns: a merge keeps one part a window, the common attributes as columns and
//! the rare ones in the tail.

use arrow::array::{Array, AsArray};
use tracery_columnar::{ATTRIBUTE_COLUMNS_MAX, AttributeColumn, BatchBuilder, EventBatch, Sink, TAIL_COLUMN};
use tracery_model::{Origin, Signal, Value};
use tracery_store::MergePolicy;

use crate::bed::{Bed, ENVIRONMENT, START_NS, merged};

/// Rows that all set `id` and `common`, and one attribute of their own each.
fn wide(rows: std::ops::Range<i64>) -> EventBatch {
    let mut builder = BatchBuilder::new(Signal::Log, START_NS);
    for row in rows {
        builder.begin_row(START_NS + row, "wide");
        builder.attribute(Origin::Own, "id", Value::Int(row));
        builder.attribute(Origin::Own, "common", Value::Bool(true));
        let key = format!("rare.{row}");
        let text = format!("\"{row}\"\n");
        match row % 4 {
            0 => builder.attribute(Origin::Own, &key, Value::Str(&text)),
            1 => builder.attribute(Origin::Own, &key, Value::Int(row)),
            2 => builder.attribute(Origin::Resource, &key, Value::Float(row as f64 / 2.0)),
            _ => builder.attribute(Origin::Own, &key, Value::Bool(true)),
        }
    }
    builder.finish().unwrap()
}

/// Row id → its members besides the common ones, by physical name, from columns and tail alike.
async fn members(bed: &Bed) -> Vec<(i64, Vec<(String, String)>)> {
    let store = bed.open().await;
    let parts = store.snapshot();
    assert_eq!(parts.parts().len(), 1, "one part a window");
    let mut found = Vec::new();
    for batch in merged(&store, &parts.parts()[0]).await {
        let schema = batch.schema();
        let attributes: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .filter(|name| AttributeColumn::parse(name).is_some())
            .collect();
        assert!(attributes.len() <= ATTRIBUTE_COLUMNS_MAX, "{}", attributes.len());
        for common in ["oi:id", "ob:common"] {
            assert_eq!(batch.column_by_name(common).unwrap().null_count(), 0, "{common} is not rare");
        }
        let ids = batch.column_by_name("oi:id").unwrap().as_primitive::<arrow::datatypes::Int64Type>();
        let tail = batch.column_by_name(TAIL_COLUMN).unwrap().as_string_view();
        let mut rows = vec![Vec::new(); batch.num_rows()];
        for name in attributes.iter().filter(|name| name.contains(":rare")) {
            let column = batch.column_by_name(name).unwrap();
            for row in (0..column.len()).filter(|row| column.is_valid(*row)) {
                let text = arrow::util::display::array_value_to_string(column, row).unwrap();
                rows[row].push(((*name).to_owned(), text));
            }
        }
        for (row, mut members) in rows.into_iter().enumerate() {
            if tail.is_valid(row) {
                let object: serde_json::Map<String, serde_json::Value> =
                    serde_json::from_str(tail.value(row)).unwrap();
                for (name, value) in object {
                    members.push((name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
                }
            }
            found.push((ids.value(row), members));
        }
    }
    store.close().await;
    found.sort();
    found
}

fn expected(row: i64) -> (String, String) {
    match row % 4 {
        0 => (format!("os:rare.{row}"), format!("\"{row}\"\n")),
        1 => (format!("oi:rare.{row}"), row.to_string()),
        2 => (format!("rf:rare.{row}"), format!("{:?}", row as f64 / 2.0)),
        _ => (format!("ob:rare.{row}"), "true".to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_folds_rare_attributes_into_the_tail() {
    let mut bed = Bed::local();
    bed.options.merge = MergePolicy { merged_count: 2, ..MergePolicy::default() };
    let store = bed.open().await;
    // The first batch is beyond the bound by itself.
    for range in [0..2_100, 2_100..2_500] {
        store.accept(ENVIRONMENT, vec![wide(range)]).await.unwrap();
    }
    assert!(store.merge_all(true).await.unwrap() > 0);
    store.close().await;
    let first = members(&bed).await;

    // Merged parts with tails are merged again.
    let store = bed.open().await;
    store.accept(ENVIRONMENT, vec![wide(2_500..3_400)]).await.unwrap();
    store.merge_all(true).await.unwrap();
    store.close().await;
    let second = members(&bed).await;
    for (found, rows) in [(first, 2_500), (second, 3_400)] {
        assert_eq!(found.len(), rows);
        for (row, members) in found {
            assert_eq!(members, vec![expected(row)], "row {row}");
        }
    }
}
