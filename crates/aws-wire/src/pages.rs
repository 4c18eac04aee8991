//! Lists in pages, as both products have them: a token says where the next page starts, and for which list. It is opaque
//! to clients; one that was made up, or belongs to another list, is refused in the words of the product that was asked.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Longer ones are not ours.
const TOKEN_BYTES_MAX: usize = 300;

/// A token that this list did not give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadToken;

/// The items of the page that `token` asks for, and the token of the next one. `list` names the list, without blanks.
///
/// # Errors
/// When `token` is not one of this list.
pub fn page<T>(
    list: &str,
    items: Vec<T>,
    token: Option<&str>,
    item_count_max: usize,
) -> Result<(Vec<T>, Option<String>), BadToken> {
    let start = token.map_or(Ok(0), |token| place_of_token(list, token))?;
    let end = start.saturating_add(item_count_max);
    let next = (end < items.len()).then(|| token_of_place(list, end));
    Ok((items.into_iter().skip(start).take(item_count_max).collect(), next))
}

/// The token of a place in a list.
pub fn token_of_place(list: &str, place: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("1 {list} {place}"))
}

/// The place that a token of this list names.
///
/// # Errors
/// When `token` is not one of this list.
pub fn place_of_token(list: &str, token: &str) -> Result<usize, BadToken> {
    let read = || {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        text.strip_prefix("1 ")?.strip_prefix(list)?.strip_prefix(' ')?.parse().ok()
    };
    read().ok_or(BadToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_together_are_the_list() {
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
    }

    #[test]
    fn a_token_that_is_not_of_this_list_is_refused() {
        let past = URL_SAFE_NO_PAD.encode(format!("1 numbers {}", u64::MAX));
        assert_eq!(page("numbers", vec![1], Some(&past), 1).unwrap(), (vec![], None));
        let long = "A".repeat(10_000);
        for token in ["", "1", "made up", "MSBudW1iZXJz", &long, &token_of_place("others", 3)] {
            assert_eq!(page("numbers", vec![1], Some(token), 1), Err(BadToken), "{token}");
        }
    }
}
