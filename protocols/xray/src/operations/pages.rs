//! Lists in pages: a token says where the next page starts, and for which list. It is opaque to clients; one that was
//! made up, or belongs to another list, is refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tracery_aws_wire::Error;

use super::invalid;

/// Longer ones are not ours; the model bounds some tokens at 100 characters.
const TOKEN_BYTES_MAX: usize = 100;

/// The items of the page that `token` asks for, and the token of the next one. `list` names the list, in a few letters.
pub(crate) fn page<T>(
    list: &str,
    items: Vec<T>,
    token: Option<&str>,
    item_count_max: usize,
) -> Result<(Vec<T>, Option<String>), Error> {
    let start = match token {
        Some(token) => {
            start(list, token).ok_or_else(|| invalid("The NextToken is not valid for this list."))?
        }
        None => 0,
    };
    let end = start.saturating_add(item_count_max);
    let next = (end < items.len()).then(|| URL_SAFE_NO_PAD.encode(format!("1 {list} {end}")));
    Ok((items.into_iter().skip(start).take(item_count_max).collect(), next))
}

fn start(list: &str, token: &str) -> Option<usize> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix("1 ")?.strip_prefix(list)?.strip_prefix(' ')?.parse().ok()
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
        let (_, token) = page("others", vec![1, 2], None, 1).unwrap();
        let long = "A".repeat(10_000);
        let past = URL_SAFE_NO_PAD.encode(format!("1 numbers {}", u64::MAX));
        assert_eq!(page("numbers", vec![1], Some(&past), 1).unwrap(), (vec![], None));
        for token in ["", "1", "made up", "MSBudW1iZXJz", &long, &token.unwrap()] {
            let error = page("numbers", vec![1], Some(token), 1).unwrap_err();
            assert_eq!(error.code, "InvalidRequestException", "{token}");
        }
    }
}
