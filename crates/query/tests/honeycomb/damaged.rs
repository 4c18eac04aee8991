//! Specifications and expressions that somebody damaged: a query or an error, never a panic.

use tracery_query::languages::honeycomb::{Spec, calculated};
use tracery_testkit::{each_mutation, seeds};

#[test]
fn damaged_specifications_are_queries_or_errors() {
    let seeds = seeds("query_spec");
    for seed in &seeds {
        Spec::parse(&serde_json::from_slice(seed).unwrap()).unwrap();
    }
    each_mutation(&seeds, 10_000, |text| {
        let Ok(value) = serde_json::from_slice(text) else { return };
        if let Ok(spec) = Spec::parse(&value) {
            let (start, end) = spec.time_window_s(1_700_000_000);
            assert!(start <= end);
            assert_eq!(Spec::parse(&spec.to_json()), Ok(spec), "the canonical form is the same query");
        }
    });
}

#[test]
fn damaged_expressions_are_expressions_or_errors() {
    let seeds = seeds("calculated_field");
    for seed in &seeds {
        calculated::parse(std::str::from_utf8(seed).unwrap()).unwrap();
    }
    each_mutation(&seeds, 10_000, |text| {
        let Ok(text) = std::str::from_utf8(text) else { return };
        if let Ok(expression) = calculated::parse(text) {
            let printed = expression.to_string();
            if printed.len() <= calculated::EXPRESSION_BYTES_MAX {
                assert_eq!(calculated::parse(&printed), Ok(expression), "{printed}");
            }
        }
    });
}
