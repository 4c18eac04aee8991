//! The search box: words that must be in the title, and `name:value` for everything else; `!` before a term turns it
//! around. What is not understood is refused, never left out.

use thiserror::Error;

const TERMS_MAX: usize = 20;
const TEXT_CHARS_MAX: usize = 1_000;

/// What was typed, read. The default finds everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Whether a term is turned around, and the term.
    pub(crate) terms: Vec<(bool, Term)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Term {
    Title(String),
    Counter(i64),
    Fingerprint(String),
    CodeVersion(String),
    Ip(String),
    Group,
    Member,
    HasComments,
}

/// What cannot be searched for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SearchError(String);

impl Search {
    /// Reads what was typed.
    ///
    /// # Errors
    /// [`SearchError`] names the term.
    pub fn parse(text: &str) -> Result<Self, SearchError> {
        if text.chars().count() > TEXT_CHARS_MAX {
            return Err(SearchError("a search has at most 1000 characters".into()));
        }
        let mut terms = Vec::new();
        for word in words(text) {
            if terms.len() == TERMS_MAX {
                return Err(SearchError("a search has at most 20 terms".into()));
            }
            let (is_not, word) = match word.strip_prefix('!') {
                Some(rest) if !rest.is_empty() => (true, rest.to_owned()),
                _ => (false, word),
            };
            terms.push((is_not, term(&word)?));
        }
        Ok(Self { terms })
    }
}

/// Words between blanks; quotes hold some together, and are left out.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for one in text.chars() {
        match one {
            '"' => is_quoted = !is_quoted,
            one if one.is_whitespace() && !is_quoted => words.push(std::mem::take(&mut word)),
            one => word.push(one),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn term(word: &str) -> Result<Term, SearchError> {
    if let Some(counter) = word.strip_prefix('#').and_then(|digits| digits.parse().ok()) {
        return Ok(Term::Counter(counter));
    }
    let Some((name, value)) = word.split_once(':').filter(|(_, value)| !value.is_empty()) else {
        return Ok(Term::Title(word.to_owned()));
    };
    match (name, value) {
        ("title", value) => Ok(Term::Title(value.to_owned())),
        ("fingerprint", value) => Ok(Term::Fingerprint(value.to_owned())),
        ("code_version", value) => Ok(Term::CodeVersion(value.to_owned())),
        ("ip", value) => Ok(Term::Ip(value.to_owned())),
        ("is", "group") => Ok(Term::Group),
        ("is", "member") => Ok(Term::Member),
        ("has", "comments") => Ok(Term::HasComments),
        (
            "is" | "has" | "host" | "context" | "user_id" | "username" | "email" | "file" | "topfile"
            | "bottomfile" | "allfiles" | "nofiles" | "minfiles" | "maxfiles",
            _,
        ) => Err(SearchError(format!("{word} cannot be searched for yet"))),
        // A title has colons as well.
        _ => Ok(Term::Title(word.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_words_and_named_values() {
        let title = |text: &str| Term::Title(text.to_owned());
        for (text, wanted) in [
            ("", vec![]),
            ("  a  B ", vec![(false, title("a")), (false, title("B"))]),
            (r#""a b" !c"#, vec![(false, title("a b")), (true, title("c"))]),
            ("#12", vec![(false, Term::Counter(12))]),
            (
                "#x KeyError: 'a'",
                vec![(false, title("#x")), (false, title("KeyError:")), (false, title("'a'"))],
            ),
            ("!is:group has:comments", vec![(true, Term::Group), (false, Term::HasComments)]),
            (
                r#"code_version:"1 2" ip:::1"#,
                vec![(false, Term::CodeVersion("1 2".into())), (false, Term::Ip("::1".into()))],
            ),
            ("foo:bar", vec![(false, title("foo:bar"))]),
            ("!", vec![(false, title("!"))]),
        ] {
            assert_eq!(Search::parse(text).unwrap().terms, wanted, "{text}");
        }
        for text in ["host:a", "is:odd", "minfiles:3"] {
            assert_eq!(
                Search::parse(text).unwrap_err().to_string(),
                format!("{text} cannot be searched for yet")
            );
        }
        assert!(Search::parse(&"a ".repeat(21)).is_err() && Search::parse(&"a".repeat(1_001)).is_err());
    }
}
