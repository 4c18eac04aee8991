//! The prefixes of relational fields: `root.`, `parent.`, `child.`, `any.`, `any2.`, `any3.` and `none.` before a column
//! name. The specification asks here what a name means; `relational.rs` turns it into joins.

/// Which other span of the trace a prefix means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Relation {
    Root,
    Parent,
    Child,
    Any,
    Any2,
    Any3,
    None,
}

const PREFIXES: [(&str, Relation); 7] = [
    ("root.", Relation::Root),
    ("parent.", Relation::Parent),
    ("child.", Relation::Child),
    ("any.", Relation::Any),
    ("any2.", Relation::Any2),
    ("any3.", Relation::Any3),
    ("none.", Relation::None),
];

/// The relation and the column of a relational field.
pub(crate) fn split(name: &str) -> Option<(Relation, &str)> {
    PREFIXES.iter().find_map(|(prefix, relation)| {
        let column = name.strip_prefix(prefix)?;
        (!column.is_empty()).then_some((*relation, column))
    })
}
