//! A picture of a query's result, for whoever follows `graph_image_url`: one SVG with a line for each group over time,
//! or the cells of a heatmap. It shows the first calculation; `results.rs` serves it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Map, Value};

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 240.0;
/// Room for the labels around the plot.
const MARGIN: f64 = 28.0;
/// Lines that can be told apart.
const LINES_MAX: usize = 10;
/// Bins of a heatmap; no picture of this height shows more.
const BINS_MAX: usize = 200;
const LABEL_CHARS_MAX: usize = 60;
const COLORS: [&str; LINES_MAX] = [
    "#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2", "#be185d", "#4d7c0f", "#9333ea",
    "#475569",
];

/// One value of the calculation that is drawn.
struct Point<'a> {
    time_idx: usize,
    value: &'a Value,
}

/// Draws the `series` of a result's data. What has no series is drawn as the empty plot.
pub(crate) fn draw(query: &Value, data: &Value) -> String {
    let breakdowns: Vec<&str> =
        query["breakdowns"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let series = data["series"].as_array().map_or(&[][..], Vec::as_slice);
    let times: BTreeSet<&str> = series.iter().filter_map(|point| point["time"].as_str()).collect();
    let times: Vec<&str> = times.into_iter().collect();
    let drawn = series
        .iter()
        .find_map(|point| point["data"].as_object())
        .and_then(|row| row.iter().map(|(key, _)| key.as_str()).find(|key| !breakdowns.contains(key)));
    let mut groups: BTreeMap<String, Vec<Point<'_>>> = BTreeMap::new();
    for point in series {
        let (Some(row), Some(key)) = (point["data"].as_object(), drawn) else { continue };
        let Some(time_idx) = point["time"].as_str().and_then(|time| times.binary_search(&time).ok()) else {
            continue;
        };
        let Some(value) = row.get(key).filter(|value| !value.is_null()) else { continue };
        groups.entry(group_name(row, &breakdowns)).or_default().push(Point { time_idx, value });
    }
    let step = (WIDTH - 2.0 * MARGIN) / (times.len().max(2) - 1) as f64;
    let mut plot = String::new();
    let is_heatmap = groups.values().flatten().any(|point| point.value.is_object());
    let (low, high) =
        if is_heatmap { cells(&mut plot, &groups, step) } else { lines(&mut plot, &groups, step) };
    let title = escape(drawn.unwrap_or("no values"));
    let (bottom, right) = (HEIGHT - MARGIN, WIDTH - MARGIN);
    let (first, last) = (times.first().copied().unwrap_or(""), times.last().copied().unwrap_or(""));
    let (first, last) = (escape(first), escape(last));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"11\"><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\
         <text x=\"{MARGIN}\" y=\"14\">{title} ({low} to {high})</text>\
         <path d=\"M{MARGIN} {MARGIN}V{bottom}H{right}\" fill=\"none\" stroke=\"#94a3b8\"/>{plot}\
         <text x=\"{MARGIN}\" y=\"{y}\">{first}</text>\
         <text x=\"{right}\" y=\"{y}\" text-anchor=\"end\">{last}</text></svg>\n",
        y = HEIGHT - 10.0,
    )
}

fn group_name(row: &Map<String, Value>, breakdowns: &[&str]) -> String {
    let text = |name: &&str| match row.get(*name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "null".to_owned(),
    };
    breakdowns.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// Lines of the first groups by name, from zero unless a value is below. Answers the ends of the scale.
fn lines(plot: &mut String, groups: &BTreeMap<String, Vec<Point<'_>>>, step: f64) -> (f64, f64) {
    let values = || groups.values().flatten().filter_map(|point| point.value.as_f64());
    let (low, high) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
    let scale = (HEIGHT - 2.0 * MARGIN) / if high > low { high - low } else { 1.0 };
    for ((name, points), color) in groups.iter().zip(COLORS) {
        let mut path = String::new();
        for point in points {
            let Some(value) = point.value.as_f64() else { continue };
            let (x, y) = (MARGIN + step * point.time_idx as f64, HEIGHT - MARGIN - (value - low) * scale);
            // Writing to memory does not fail.
            write!(path, "{x:.1},{y:.1} ").ok();
        }
        let name = escape(name);
        write!(
            plot,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"><title>{name}</title></polyline>",
            path.trim_end()
        )
        .ok();
    }
    (low, high)
}

/// The values of all groups together, darker where more of them lie. Answers the ends of the scale.
fn cells(plot: &mut String, groups: &BTreeMap<String, Vec<Point<'_>>>, step: f64) -> (f64, f64) {
    let points = || groups.values().flatten();
    // By time: what each bin counts.
    let mut grid: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for point in points() {
        let bins = grid.entry(point.time_idx).or_default();
        let counts = point.value["counts"].as_array().into_iter().flatten().take(BINS_MAX);
        for (bin, count) in counts.enumerate() {
            if bin == bins.len() {
                bins.push(0.0);
            }
            bins[bin] += count.as_f64().unwrap_or(0.0);
        }
    }
    let most = grid.values().flatten().copied().fold(1.0, f64::max);
    for (time_idx, bins) in grid {
        let height = (HEIGHT - 2.0 * MARGIN) / bins.len().max(1) as f64;
        let x = MARGIN + step * time_idx as f64;
        for (bin, count) in bins.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            let y = HEIGHT - MARGIN - height * (bin + 1) as f64;
            let opacity = 0.15 + 0.85 * (count / most);
            write!(
                plot,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{step:.1}\" height=\"{height:.1}\" fill=\"#2563eb\" \
                 fill-opacity=\"{opacity:.2}\"/>"
            )
            .ok();
        }
    }
    let end = |name: &str| points().find_map(|point| point.value[name].as_f64()).unwrap_or(0.0);
    (end("low"), end("high"))
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars().take(LABEL_CHARS_MAX) {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no place for them.
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_group_is_a_line_and_names_are_escaped() {
        let row = |route: &str, count: i64| json!({ "route": route, "COUNT": count });
        let series = json!([
            { "time": "2024-01-01T00:00:00Z", "data": row("<b>", 2) },
            { "time": "2024-01-01T00:00:00Z", "data": row("/", 4) },
            { "time": "2024-01-01T00:01:00Z", "data": row("<b>", 0) },
        ]);
        let svg = draw(&json!({ "breakdowns": ["route"] }), &json!({ "series": series }));
        assert_eq!(svg.matches("<polyline").count(), 2, "{svg}");
        assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>"), "{svg}");
        assert!(svg.contains("COUNT (0 to 4)") && svg.contains("points=\"28.0,120.0 772.0,212.0\""), "{svg}");
    }

    #[test]
    fn the_groups_of_a_heatmap_share_its_cells() {
        let cell = |route: usize| json!({ "route": route, "HEATMAP(d)": { "low": 1.0, "high": 9.0, "counts": vec![1; 50] } });
        let series: Vec<Value> =
            (0..1_000).map(|route| json!({ "time": "2024-01-01T00:00:00Z", "data": cell(route) })).collect();
        let svg = draw(&json!({ "breakdowns": ["route"] }), &json!({ "series": series }));
        assert_eq!(svg.matches("fill-opacity").count(), 50);
    }

    #[test]
    fn a_heatmap_has_cells_and_nothing_is_an_empty_plot() {
        let cell =
            json!({ "HEATMAP(d)": { "scale": "linear", "low": 1.0, "high": 9.0, "counts": [0, 3, 1] } });
        let series = json!([{ "time": "2024-01-01T00:00:00Z", "data": cell }]);
        let svg = draw(&json!({}), &json!({ "series": series }));
        assert_eq!(svg.matches("fill-opacity").count(), 2, "{svg}");
        assert!(svg.contains("(1 to 9)"), "{svg}");
        for data in [json!({}), json!({ "series": [] }), json!({ "series": [{ "time": 1, "data": [] }, 7] })]
        {
            assert!(draw(&json!({ "breakdowns": 3 }), &data).contains("no values"), "{data}");
        }
    }
}
