//! Links of a segment or subsegment to others, mostly of other traces: whom a message came from. `segment::rows` writes a
//! row for each; the document keeps them as they were sent.

use tracery_model::{SpanId, TraceId};

use super::document::{span_id, trace_id};
use super::fields::{Members, object, objects, text};

/// Links of one entity that become rows; the service takes 20 for each segment. The document keeps the rest.
const LINKS_MAX: usize = 100;

/// Another span.
pub(super) struct Link<'m> {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) attributes: Option<&'m Members>,
}

/// Links that name a span, and how many do not, or are too many.
pub(super) struct Links<'m> {
    pub(super) links: Vec<Link<'m>>,
    pub(super) left_out: usize,
}

pub(super) fn links(members: &Members) -> Links<'_> {
    let sent = members.get("links").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
    let named = objects(members, "links").filter_map(|link| {
        Some(Link {
            trace_id: trace_id(text(link, "trace_id")?)?,
            span_id: span_id(text(link, "id")?)?,
            attributes: object(link, "attributes"),
        })
    });
    let links: Vec<Link<'_>> = named.take(LINKS_MAX).collect();
    Links { left_out: sent - links.len(), links }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_name_no_span_are_left_out() {
        for (sent, links_found, left_out) in [
            (serde_json::json!({}), 0, 0),
            (serde_json::json!({"links": 7}), 0, 0),
            (serde_json::json!({"links": [7, {}, {"trace_id": "x", "id": "1f3bebbaafbf83e2"}]}), 0, 3),
            (
                serde_json::json!({"links": [
                    {"trace_id": "1-6b032f03-a10328ac9bad3041624b853e", "id": "1f3bebbaafbf83e2"},
                    {"trace_id": "6b032f03a10328ac9bad3041624b853e"},
                ]}),
                1,
                1,
            ),
            (
                serde_json::json!({"links": vec![
                    serde_json::json!({"trace_id": "6b032f03a10328ac9bad3041624b853e", "id": "1f3bebbaafbf83e2"});
                    150
                ]}),
                100,
                50,
            ),
        ] {
            let found = links(sent.as_object().unwrap());
            assert_eq!((found.links.len(), found.left_out), (links_found, left_out), "{sent}");
        }
    }
}
