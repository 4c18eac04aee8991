//! What queries do to whole sets of rows besides what the engine has, as plain code over values. Languages call it and bring
//! the rows.

pub(crate) mod patterns;
