//! Filter pattern to text: what parses to the same pattern again.

use std::fmt::{self, Display, Formatter, Write as _};

use super::ast::{Comparison, Condition, Pattern, Selector, Slot, Slots, Step, Term, Terms, Test};

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::Terms(terms) => terms.fmt(f),
            Self::Json(condition) => {
                f.write_str("{ ")?;
                print(f, condition, false, &|f, selector: &Selector| selector.fmt(f))?;
                f.write_str(" }")
            }
            Self::Fields(slots) => slots.fmt(f),
        }
    }
}

impl Display for Terms {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut blank = "";
        for (sign, terms) in [("", &self.required), ("?", &self.optional), ("-", &self.excluded)] {
            for term in terms {
                write!(f, "{blank}{sign}{term}")?;
                blank = " ";
            }
        }
        Ok(())
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Regex(expression) => write!(f, "%{}%", expression.text),
            Self::Text(text) => {
                let is_word = |sign: char| sign.is_alphanumeric() || sign == '_';
                match !text.is_empty() && text.chars().all(is_word) {
                    true => f.write_str(text),
                    false => quoted(f, text),
                }
            }
        }
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for sign in text.chars() {
        if matches!(sign, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(sign)?;
    }
    f.write_char('"')
}

impl Display for Selector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('$')?;
        for step in &self.0 {
            let is_plain = |key: &str| {
                !key.is_empty() && key.chars().all(|next| next.is_alphanumeric() || "_-@#:/".contains(next))
            };
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if is_plain(key) => write!(f, ".{key}")?,
                Step::Key(key) => {
                    f.write_char('[')?;
                    quoted(f, key)?;
                    f.write_char(']')?;
                }
            }
        }
        Ok(())
    }
}

impl Display for Slots {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let before = self.before.iter().map(Slot::to_string);
        let dots = self.after.iter().map(|_| "...".to_owned());
        let after = self.after.iter().flatten().map(Slot::to_string);
        let all: Vec<String> = before.chain(dots).chain(after).collect();
        write!(f, "[{}]", all.join(", "))
    }
}

impl Display for Slot {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.condition {
            None => f.write_str(&self.name),
            Some(condition) => print(f, condition, false, &|f, (): &()| f.write_str(&self.name)),
        }
    }
}

fn print<S>(
    f: &mut Formatter<'_>,
    condition: &Condition<S>,
    is_inner: bool,
    subject: &dyn Fn(&mut Formatter<'_>, &S) -> fmt::Result,
) -> fmt::Result {
    let (parts, sign) = match condition {
        Condition::Test { subject: of, test } => {
            subject(f, of)?;
            return test.fmt(f);
        }
        Condition::All(parts) => (parts, " && "),
        Condition::Any(parts) => (parts, " || "),
    };
    if is_inner {
        f.write_char('(')?;
    }
    for (idx, part) in parts.iter().enumerate() {
        if idx > 0 {
            f.write_str(sign)?;
        }
        print(f, part, true, subject)?;
    }
    if is_inner {
        f.write_char(')')?;
    }
    Ok(())
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sign = |negated: &bool| if *negated { "!=" } else { "=" };
        match self {
            Self::Text { negated, glob, is_quoted: true } => {
                write!(f, " {} ", sign(negated))?;
                quoted(f, glob)
            }
            Self::Text { negated, glob, is_quoted: false } => write!(f, " {} {glob}", sign(negated)),
            Self::Regex { negated, expression } => write!(f, " {} %{}%", sign(negated), expression.text),
            Self::Number { comparison, text, .. } => write!(f, " {comparison} {text}"),
            Self::IsNull => f.write_str(" IS NULL"),
            Self::IsTrue => f.write_str(" IS TRUE"),
            Self::IsFalse => f.write_str(" IS FALSE"),
            Self::NotExists => f.write_str(" NOT EXISTS"),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sign = Self::ALL.iter().find(|(_, known)| known == self).map_or("=", |(sign, _)| sign);
        f.write_str(sign)
    }
}
