//! A statement that is put together piece by piece, with numbered parameters, as both databases take them.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyPool};

/// Text and parameters of a statement.
pub(crate) struct Statement {
    text: String,
    values: Vec<Parameter>,
}

pub(crate) enum Parameter {
    Number(i64),
    Text(String),
}

impl From<i64> for Parameter {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<String> for Parameter {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Statement {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// SQL as it is; never what a user wrote.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// The place of a value.
    pub(crate) fn value(&mut self, value: impl Into<Parameter>) -> &mut Self {
        self.values.push(value.into());
        self.text.push_str(&format!("${}", self.values.len()));
        self
    }

    /// ` AND column IN (…)`, where any are wanted.
    pub(crate) fn and_one_of<P: Into<Parameter>>(
        &mut self,
        column: &str,
        wanted: impl IntoIterator<Item = P>,
    ) {
        let mut wanted = wanted.into_iter().peekable();
        if wanted.peek().is_none() {
            return;
        }
        self.push(&format!(" AND {column} IN ("));
        for (number, value) in wanted.enumerate() {
            if number > 0 {
                self.push(", ");
            }
            self.value(value);
        }
        self.push(")");
    }

    fn query(&self) -> Query<'_, Any, AnyArguments<'_>> {
        self.values.iter().fold(sqlx::query(&self.text), |query, value| match value {
            Parameter::Number(number) => query.bind(*number),
            Parameter::Text(text) => query.bind(text.as_str()),
        })
    }

    pub(crate) async fn all(&self, pool: &AnyPool) -> Result<Vec<AnyRow>, sqlx::Error> {
        self.query().fetch_all(pool).await
    }

    pub(crate) async fn one(&self, pool: &AnyPool) -> Result<AnyRow, sqlx::Error> {
        self.query().fetch_one(pool).await
    }
}
