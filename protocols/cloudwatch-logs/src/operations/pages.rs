//! Lists in pages, by place or by name, and tokens of lists that say more. Tokens are opaque to clients; one that was made
//! up, belongs to another list or has another question is refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tracery_aws_wire::{Error, pages};

use super::invalid;
use super::kept::Kept;

/// A name of 512 characters of four bytes fits.
const TOKEN_BYTES_MAX: usize = 4_096;
const SEPARATOR: char = '\u{1f}';

/// What every operation answers to a token that is not its own.
pub(crate) fn bad_token() -> Error {
    invalid("The specified nextToken is invalid.")
}

/// The items of the page that `token` asks for, and the token of the next one. `list` names the list, without blanks.
pub(super) fn page<T>(
    list: &str,
    items: Vec<T>,
    token: Option<&str>,
    item_count_max: usize,
) -> Result<(Vec<T>, Option<String>), Error> {
    pages::page(list, items, token, item_count_max).map_err(|_| bad_token())
}

/// The same of what is kept by name, in the order of the names: a page goes on behind the last name that was seen, so
/// what is added and removed meanwhile moves nothing.
pub(super) fn page_by_name<T>(
    list: &str,
    mut items: Vec<Kept<T>>,
    token: Option<&str>,
    item_count_max: usize,
) -> Result<(Vec<Kept<T>>, Option<String>), Error> {
    if let Some(token) = token {
        let [after] = parts(list, token)?;
        items.retain(|kept| kept.name > after);
    }
    items.sort_by(|left, right| left.name.cmp(&right.name));
    let has_more = items.len() > item_count_max;
    items.truncate(item_count_max);
    let next_token = items.last().filter(|_| has_more).map(|last| self::token(list, &[&last.name]));
    Ok((items, next_token))
}

/// A token for the list `list`, which carries `parts`. No part holds a control character but maybe the last.
pub(crate) fn token(list: &str, parts: &[&str]) -> String {
    let mut text = format!("1{SEPARATOR}{list}");
    for part in parts {
        text.push(SEPARATOR);
        text.push_str(part);
    }
    URL_SAFE_NO_PAD.encode(text)
}

/// The parts of a token of `list`.
pub(crate) fn parts<const N: usize>(list: &str, token: &str) -> Result<[String; N], Error> {
    let read = || {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let mut parts = text.splitn(N + 2, SEPARATOR);
        if parts.next() != Some("1") || parts.next() != Some(list) {
            return None;
        }
        parts.map(str::to_owned).collect::<Vec<_>>().try_into().ok()
    };
    read().ok_or_else(bad_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_by_its_own_list_only() {
        let made = token("groups", &["7", "a/b\u{1f}c"]);
        assert_eq!(parts::<2>("groups", &made).unwrap(), ["7", "a/b\u{1f}c"]);
        for (list, token) in [
            ("streams", made.as_str()),
            ("groups", ""),
            ("groups", "made up"),
            ("groups", &made[1..]),
            ("groups", &"A".repeat(10_000)),
            ("groups", &token("groups", &["7"])),
        ] {
            let error = parts::<2>(list, token).unwrap_err();
            assert_eq!(error.message.unwrap(), "The specified nextToken is invalid.", "{token}");
        }
    }
}
