//! Lists in pages (see `tracery_aws_wire::pages`), with this product's words for a token that is not of the list.

use tracery_aws_wire::{Error, pages};

use super::invalid;

/// The items of the page that `token` asks for, and the token of the next one. `list` names the list, in a few letters.
pub(crate) fn page<T>(
    list: &str,
    items: Vec<T>,
    token: Option<&str>,
    item_count_max: usize,
) -> Result<(Vec<T>, Option<String>), Error> {
    pages::page(list, items, token, item_count_max)
        .map_err(|_| invalid("The NextToken is not valid for this list."))
}
