//! A message as fields between blanks. What stands in square brackets or double quotes is one field, without them.

/// The fields of a message, at most `fields_max` and one more.
pub(super) fn split(message: &str, fields_max: usize) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = message.trim_start();
    while !rest.is_empty() && fields.len() <= fields_max {
        let closing = match rest.as_bytes()[0] {
            b'[' => Some(']'),
            b'"' => Some('"'),
            _ => None,
        };
        let enclosed = closing.and_then(|closing| {
            let end = 1 + rest[1..].find(closing)?;
            let behind = &rest[end + 1..];
            // A sign in the middle of a word encloses nothing.
            behind.chars().next().is_none_or(char::is_whitespace).then(|| (&rest[1..end], behind))
        });
        let (field, behind) = enclosed.unwrap_or_else(|| {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            rest.split_at(end)
        });
        fields.push(field);
        rest = behind.trim_start();
    }
    fields
}
