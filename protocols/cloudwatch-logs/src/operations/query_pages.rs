//! Lists of the query operations in pages: a token says where the next page starts, and for which list. It is opaque to
//! clients; one that was made up, or belongs to another list, is refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tracery_aws_wire::Error;
use tracery_aws_wire::logs::errors;

/// Longer ones are not ours.
const TOKEN_BYTES_MAX: usize = 300;

/// The items of the page that `token` asks for, and the token of the next one. `list` names the list, without blanks.
pub(super) fn page<T>(
    list: &str,
    items: Vec<T>,
    token: Option<&str>,
    item_count_max: usize,
) -> Result<(Vec<T>, Option<String>), Error> {
    let start = match token {
        Some(token) => place(list, token).ok_or_else(bad_token)?,
        None => 0,
    };
    let end = start.saturating_add(item_count_max);
    let next = (end < items.len()).then(|| token_of(list, end));
    Ok((items.into_iter().skip(start).take(item_count_max).collect(), next))
}

/// The token of a place in a list.
pub(super) fn token_of(list: &str, place: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("1 {list} {place}"))
}

/// The place that a token of this list names.
pub(super) fn place(list: &str, token: &str) -> Option<usize> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix("1 ")?.strip_prefix(list)?.strip_prefix(' ')?.parse().ok()
}

pub(super) fn bad_token() -> Error {
    Error::new(&errors::INVALID_PARAMETER_EXCEPTION, "The specified nextToken is invalid.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_together_are_the_list_and_other_tokens_are_refused() {
        let items: Vec<u32> = (0..23).collect();
        let (mut seen, mut token, mut page_count) = (Vec::new(), None, 0);
        loop {
            let (some, next) = page("numbers", items.clone(), token.as_deref(), 10).unwrap();
            seen.extend(some);
            page_count += 1;
            token = next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!((seen, page_count), (items, 3));
        for token in ["", "1", "made up", &token_of("others", 3), &"A".repeat(10_000)] {
            assert_eq!(
                page("numbers", vec![1], Some(token), 1).unwrap_err().code,
                "InvalidParameterException"
            );
        }
    }
}
