//! Members of maps and lists: `m.key` of what `jsonParse` gave. The parser calls [`resolve`], because a discovered field may
//! have dots in its name just as well; expressions call [`member`].

use std::collections::HashSet;

use serde_json::Value as Json;

use super::ast::{AggregateFunction, Command, Expr, Function, Named, ParsePattern, Query, Step};
use super::value::Value;

/// The keys of a name with dots.
pub(super) fn keys(name: &str) -> impl Iterator<Item = Step> {
    name.split('.').map(|key| Step::Key(key.to_owned()))
}

/// Turns names that begin with a map that the query made into members of it.
pub(super) fn resolve(query: &mut Query) {
    let mut known: HashSet<String> = HashSet::new();
    for command in &mut query.commands {
        command.expressions_mut().into_iter().for_each(|expr| resolve_in(expr, &known));
        match command {
            Command::Fields(list) | Command::Display(list) => {
                for named in list {
                    match is_structure(&named.expr, &known) {
                        true => known.insert(named.name.clone()),
                        false => known.remove(&named.name),
                    };
                }
            }
            Command::Stats { results, by } => {
                let structures = results.iter().chain(by.iter());
                known = structures
                    .filter(|Named { expr, .. }| is_structure(expr, &known))
                    .map(|named| named.name.clone())
                    .collect();
            }
            Command::Parse { pattern, .. } => {
                let is_map = matches!(pattern, ParsePattern::Logfmt { .. });
                for name in pattern.names() {
                    match is_map {
                        true => known.insert(name.to_owned()),
                        false => known.remove(name),
                    };
                }
            }
            // What lies in a list may be one, too.
            Command::Unnest { name, .. } => {
                known.insert(name.clone());
            }
            Command::Pattern(_) => known.clear(),
            Command::Filter(_) | Command::Sort(_) | Command::Limit(_) | Command::Dedup(_) => {}
        }
    }
}

fn resolve_in(expr: &mut Expr, known: &HashSet<String>) {
    if let Expr::Field(name) = expr {
        if known.contains(name.as_str()) {
            return;
        }
        let found = name.match_indices('.').map(|(at, _)| name.split_at(at));
        if let Some((map, rest)) = found.into_iter().find(|(map, _)| known.contains(*map)) {
            let path = keys(&rest[1..]).collect();
            *expr = Expr::Member { value: Box::new(Expr::Field(map.to_owned())), path };
        }
        return;
    }
    expr.parts_mut().into_iter().for_each(|part| resolve_in(part, known));
    // `m.list[0]`: one member rather than a member of a member.
    if let Expr::Member { value, path } = expr
        && let Expr::Member { value: inner, path: before } = value.as_mut()
    {
        before.append(path);
        let (inner, path) = (inner.clone(), std::mem::take(before));
        *expr = Expr::Member { value: inner, path };
    }
}

/// Whether a value may be a map or a list.
fn is_structure(expr: &Expr, known: &HashSet<String>) -> bool {
    match expr {
        Expr::Field(name) => known.contains(name),
        Expr::Member { .. } => true,
        Expr::Call { function: Function::JsonParse | Function::Split, .. } => true,
        Expr::Call { function: Function::If | Function::Coalesce | Function::Case, arguments } => {
            arguments.iter().any(|argument| is_structure(argument, known))
        }
        Expr::Aggregate(aggregate) => {
            use AggregateFunction as F;
            let keeps = matches!(aggregate.function, F::Earliest | F::Latest | F::SortsFirst | F::SortsLast);
            keeps && aggregate.argument.as_ref().is_some_and(|argument| is_structure(argument, known))
        }
        _ => false,
    }
}

/// What lies at a place of a map or a list; nothing when there is nothing.
pub(super) fn member(value: Value, path: &[Step]) -> Value {
    let Value::Json(json) = value else { return Value::Null };
    let mut at = &json;
    let mut rest = path;
    while let Some((step, after)) = rest.split_first() {
        let (found, taken) = match (step, at) {
            (Step::Index(idx), Json::Array(items)) => (items.get(*idx), 1),
            (Step::Key(key), Json::Object(map)) => match map.get(key) {
                Some(found) => (Some(found), 1),
                None => with_dots(map, key, after),
            },
            _ => (None, 1),
        };
        let Some(found) = found else { return Value::Null };
        at = found;
        rest = &rest[taken..];
    }
    of_json(at)
}

/// A key that has dots in it, and how many steps it takes.
fn with_dots<'a>(
    map: &'a serde_json::Map<String, Json>,
    first: &str,
    rest: &[Step],
) -> (Option<&'a Json>, usize) {
    let mut key = first.to_owned();
    for (idx, step) in rest.iter().enumerate() {
        let Step::Key(next) = step else { break };
        key.push('.');
        key.push_str(next);
        if let Some(found) = map.get(&key) {
            return (Some(found), idx + 2);
        }
    }
    (None, 1)
}

/// A leaf of JSON as the discovered field of it would be.
pub(super) fn of_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(is) => Value::text(if *is { "true" } else { "false" }),
        Json::Number(number) => number.as_f64().map_or(Value::Null, Value::Number),
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(_) | Json::Object(_) => Value::Json(json.clone()),
    }
}
