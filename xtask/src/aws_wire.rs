//! Writes `crates/aws-wire/src/{xray,logs}` from the vendor's models below `models/aws`: types, constraints and routes.
//! Run by `cargo run -p xtask -- aws-wire`. The output depends on the models and on the lists below alone, so that a
//! test can compare it with what is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// A service to generate: where its model lies, and how its doors speak.
struct Service {
    module: &'static str,
    title: &'static str,
    model: &'static str,
    /// The error of a broken constraint, where an operation declares it; `ValidationException` elsewhere.
    invalid: &'static str,
    /// The operations to build; empty for all. The others are only named.
    operations: &'static [&'static str],
}

const SERVICES: &[Service] = &[
    Service {
        module: "xray",
        title: "AWS X-Ray",
        model: "xray-2016-04-12.json",
        invalid: "InvalidRequestException",
        operations: &[],
    },
    Service {
        module: "logs",
        title: "Amazon CloudWatch Logs",
        model: "logs-2014-03-28.json",
        invalid: "InvalidParameterException",
        operations: &[
            "CreateLogGroup",
            "CreateLogStream",
            "CreateLookupTable",
            "CreateScheduledQuery",
            "DeleteDestination",
            "DeleteLogGroup",
            "DeleteLogStream",
            "DeleteLookupTable",
            "DeleteMetricFilter",
            "DeleteQueryDefinition",
            "DeleteRetentionPolicy",
            "DeleteScheduledQuery",
            "DeleteSubscriptionFilter",
            "DescribeDestinations",
            "DescribeLogGroups",
            "DescribeLogStreams",
            "DescribeLookupTables",
            "DescribeMetricFilters",
            "DescribeQueries",
            "DescribeQueryDefinitions",
            "DescribeSubscriptionFilters",
            "FilterLogEvents",
            "GetLogEvents",
            "GetLogGroupFields",
            "GetLogRecord",
            "GetLookupTable",
            "GetQueryResults",
            "GetScheduledQuery",
            "GetScheduledQueryHistory",
            "ListLogGroups",
            "ListLogGroupsForQuery",
            "ListScheduledQueries",
            "ListTagsForResource",
            "ListTagsLogGroup",
            "PutDestination",
            "PutDestinationPolicy",
            "PutLogEvents",
            "PutLogGroupDeletionProtection",
            "PutMetricFilter",
            "PutQueryDefinition",
            "PutRetentionPolicy",
            "PutSubscriptionFilter",
            "StartLiveTail",
            "StartQuery",
            "StopQuery",
            "TagLogGroup",
            "TagResource",
            "TestMetricFilter",
            "UntagLogGroup",
            "UntagResource",
            "UpdateLookupTable",
            "UpdateScheduledQuery",
        ],
    },
];

/// Structure, member, and the name under which a real client sends it: ADOT's sampler says `SampleCount`.
const ALIASES: &[(&str, &str, &str)] = &[("SamplingStatisticsDocument", "SampledCount", "SampleCount")];

/// Shapes of which a longer text has an error of its own, recorded from the vendor's service.
const TOO_LONG: &[(&str, &str)] =
    &[("LogGroupName", LOGS_NAME_TOO_LONG), ("LogStreamName", LOGS_NAME_TOO_LONG)];
const LOGS_NAME_TOO_LONG: &str =
    "Invalid LogGroup or LogStream, both must have length less than or equal to 512.";

/// Generates and writes all files.
pub(crate) fn write() -> anyhow::Result<()> {
    for (path, text) in generate()? {
        std::fs::create_dir_all(path.parent().context("a file without a folder")?)?;
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn generate() -> anyhow::Result<Vec<(PathBuf, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent")?;
    let mut files = Vec::new();
    for service in SERVICES {
        let model = std::fs::read(root.join("models/aws").join(service.model))?;
        let model: Value = serde_json::from_slice(&model)?;
        let model = Model::new(service, &model)?;
        let folder = root.join("crates/aws-wire/src").join(service.module);
        let head = |what: &str| {
            format!(
                "//! {}: {what}. Written by `cargo run -p xtask -- aws-wire` from\n\
                 //! `models/aws/{}`; a test of xtask fails when it differs from what the model says.\n\n",
                service.title, service.model
            )
        };
        let modules = "mod constraints;\nmod enums;\nmod operations;\nmod shapes;\n\n\
                       pub use enums::*;\npub use operations::*;\npub use shapes::*;\n";
        for (name, text) in [
            ("mod.rs", head("what its API says and takes") + modules),
            ("shapes.rs", head("requests, answers and what they hold") + &model.shapes()?),
            ("enums.rs", head("words of which one must be used") + &model.enums()?),
            ("constraints.rs", head("what a request must keep to") + &model.constraints()?),
            ("operations.rs", head("operations, routes and errors") + &model.operations()?),
        ] {
            files.push((folder.join(name), rustfmt(root, &text)?));
        }
    }
    Ok(files)
}

fn rustfmt(root: &Path, text: &str) -> anyhow::Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root.join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run rustfmt")?;
    let mut stdin = child.stdin.take().context("rustfmt takes no input")?;
    let text = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "rustfmt refused what was generated");
    writer.join().map_err(|_| anyhow::anyhow!("the writer to rustfmt died"))??;
    Ok(String::from_utf8(output.stdout)?)
}

struct Model<'a> {
    service: &'a Service,
    all: &'a Value,
    /// The operations that are built, in the model's order.
    built: Vec<&'a Value>,
    not_built: Vec<&'a str>,
    /// Shapes that a request, and that an answer, can reach.
    taken: BTreeSet<&'a str>,
    given: BTreeSet<&'a str>,
}

impl<'a> Model<'a> {
    fn new(service: &'a Service, all: &'a Value) -> anyhow::Result<Self> {
        let operations = all["operations"].as_object().context("there are no operations")?;
        for name in service.operations {
            ensure!(operations.contains_key(*name), "{name} is not in the model");
        }
        let mut model = Self {
            service,
            all,
            built: Vec::new(),
            not_built: Vec::new(),
            taken: BTreeSet::new(),
            given: BTreeSet::new(),
        };
        let (mut taken, mut given) = (BTreeSet::new(), BTreeSet::new());
        for (name, operation) in operations {
            if !service.operations.is_empty() && !service.operations.contains(&name.as_str()) {
                model.not_built.push(name);
                continue;
            }
            model.built.push(operation);
            model.reach(
                operation["input"]["shape"].as_str().context("an operation without input")?,
                &mut taken,
            )?;
            if let Some(output) = operation["output"]["shape"].as_str() {
                model.reach(output, &mut given)?;
            }
        }
        model.taken = taken;
        model.given = given;
        Ok(model)
    }

    fn shape(&self, name: &str) -> anyhow::Result<&'a Value> {
        self.all["shapes"].get(name).with_context(|| format!("there is no shape {name}"))
    }

    fn reach(&self, name: &'a str, found: &mut BTreeSet<&'a str>) -> anyhow::Result<()> {
        if !found.insert(name) {
            return Ok(());
        }
        let shape = self.shape(name)?;
        let members = shape["members"].as_object().into_iter().flat_map(|members| members.values());
        for part in members.chain([&shape["member"], &shape["key"], &shape["value"]]) {
            if let Some(name) = part["shape"].as_str() {
                self.reach(name, found)?;
            }
        }
        Ok(())
    }

    fn reached(&self) -> BTreeSet<&'a str> {
        self.taken.union(&self.given).copied().collect()
    }

    /// The Rust type of a shape.
    fn rust_type(&self, name: &str) -> anyhow::Result<String> {
        let shape = self.shape(name)?;
        let inner = |part: &str| -> anyhow::Result<String> {
            self.rust_type(shape[part]["shape"].as_str().context("a part without shape")?)
        };
        Ok(match shape["type"].as_str().unwrap_or_default() {
            "string" if shape.get("enum").is_some() => name.to_owned(),
            "string" => "String".to_owned(),
            "integer" => "i32".to_owned(),
            "long" => "i64".to_owned(),
            "double" => "f64".to_owned(),
            "boolean" => "bool".to_owned(),
            "timestamp" => "EpochSeconds".to_owned(),
            "list" => format!("Vec<{}>", inner("member")?),
            "map" => format!("BTreeMap<String, {}>", inner("value")?),
            "structure" => name.to_owned(),
            other => bail!("no Rust type for the {other} {name}"),
        })
    }

    fn shapes(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        for name in self.reached() {
            let shape = self.shape(name)?;
            if shape["type"] != "structure" || self.streams(name)?.is_some() {
                continue;
            }
            match shape.get("eventstream") {
                Some(_) => self.event_stream(name, shape, &mut text)?,
                None => self.structure(name, shape, &mut text)?,
            }
        }
        let mut uses = String::new();
        if text.contains("BTreeMap<") {
            uses.push_str("use std::collections::BTreeMap;\n\n");
        }
        uses.push_str("use serde::{Deserialize, Serialize};\n\nuse super::enums::*;\n");
        if text.contains("EpochSeconds") {
            uses.push_str("use crate::epoch::EpochSeconds;\n");
        }
        Ok(format!("{uses}\n{text}"))
    }

    fn structure(&self, name: &str, shape: &Value, text: &mut String) -> anyhow::Result<()> {
        let members = shape["members"].as_object().context("a structure without members")?;
        let required: BTreeSet<&str> =
            shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let default = if required.is_empty() { " Default," } else { "" };
        let style = if members.keys().any(|member| member.starts_with(char::is_lowercase)) {
            ("camelCase", camel as fn(&str) -> String)
        } else {
            ("PascalCase", pascal as fn(&str) -> String)
        };
        writeln!(text, "/// The vendor's `{name}`.")?;
        writeln!(text, "#[derive(Clone, Debug,{default} PartialEq, Serialize, Deserialize)]")?;
        if !members.is_empty() {
            writeln!(text, "#[serde(rename_all = \"{}\")]", style.0)?;
        }
        writeln!(text, "pub struct {name} {{")?;
        for (wire, member) in members {
            let field = snake(wire);
            let mut options = Vec::new();
            if style.1(&field) != *wire {
                options.push(format!("rename = \"{wire}\""));
            }
            let mut rust = self.rust_type(member["shape"].as_str().context("a member without shape")?)?;
            if !required.contains(wire.as_str()) {
                options.push("skip_serializing_if = \"Option::is_none\"".to_owned());
                rust = format!("Option<{rust}>");
            }
            if !options.is_empty() {
                writeln!(text, "#[serde({})]", options.join(", "))?;
            }
            let field = if field == "type" { "r#type" } else { &field };
            writeln!(text, "pub {field}: {rust},")?;
        }
        writeln!(text, "}}\n")?;
        Ok(())
    }

    fn event_stream(&self, name: &str, shape: &Value, text: &mut String) -> anyhow::Result<()> {
        let members = shape["members"].as_object().context("an event stream without events")?;
        let (mut variants, mut names) = (String::new(), String::new());
        for (wire, member) in members {
            let inner = member["shape"].as_str().context("an event without shape")?;
            let kind = if self.shape(inner)?["exception"] == true { "Exception" } else { "Event" };
            let variant = pascal(&snake(wire));
            writeln!(variants, "{variant}({inner}),")?;
            writeln!(names, "Self::{variant}(_) => (crate::event_stream::MessageType::{kind}, \"{wire}\"),")?;
        }
        write!(
            text,
            "/// One message of the vendor's event stream `{name}`; it serialises as its payload.\n\
             #[derive(Clone, Debug, PartialEq, Serialize)]\n#[serde(untagged)]\n\
             pub enum {name} {{ {variants} }}\n\n\
             impl {name} {{\n\
             /// What the message's headers say: the kind and the name of the event.\n\
             pub fn message(&self) -> (crate::event_stream::MessageType, &'static str) {{\n\
             match self {{ {names} }} }} }}\n\n"
        )?;
        Ok(())
    }

    /// The event stream that an answer consists of, if it does.
    fn streams(&self, name: &str) -> anyhow::Result<Option<&'a str>> {
        let members = self.shape(name)?["members"].as_object();
        for member in members.into_iter().flat_map(|members| members.values()) {
            let inner = member["shape"].as_str().context("a member without shape")?;
            if self.shape(inner)?.get("eventstream").is_some() {
                return Ok(Some(inner));
            }
        }
        Ok(None)
    }

    fn enums(&self) -> anyhow::Result<String> {
        let mut text = "use serde::{Deserialize, Serialize};\n\n".to_owned();
        for name in self.reached() {
            let Some(words) = self.shape(name)?.get("enum").and_then(Value::as_array) else { continue };
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            let (mut variants, mut arms) = (String::new(), String::new());
            for word in words {
                let variant = variant(word);
                if variant != word {
                    writeln!(variants, "#[serde(rename = \"{word}\")]")?;
                }
                writeln!(variants, "{variant},")?;
                writeln!(arms, "Self::{variant} => \"{word}\",")?;
            }
            write!(
                text,
                "/// The vendor's `{name}`.\n\
                 #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]\n\
                 pub enum {name} {{ {variants} }}\n\n\
                 impl {name} {{\n/// The word on the wire.\n\
                 pub fn as_str(self) -> &'static str {{ match self {{ {arms} }} }} }}\n\n"
            )?;
        }
        Ok(text)
    }

    /// How a constraint names a shape: a static of its own where it has limits.
    fn constraint(&self, name: &str) -> anyhow::Result<String> {
        let shape = self.shape(name)?;
        let (min, max) = (&shape["min"], &shape["max"]);
        let limit =
            |value: &Value| if value.is_null() { "None".to_owned() } else { format!("Some({value})") };
        let limit_double =
            |value: &Value| value.as_f64().map_or("None".to_owned(), |v| format!("Some({v:?})"));
        let upper = snake(name).to_uppercase();
        Ok(match shape["type"].as_str().unwrap_or_default() {
            "string" if self.is_free(shape) => "Shape::Text(&ANY_TEXT)".to_owned(),
            "string" => format!("Shape::Text(&{upper})"),
            "integer" => format!("Shape::Integer {{ min: {}, max: {} }}", limit(min), limit(max)),
            "long" => format!("Shape::Long {{ min: {}, max: {} }}", limit(min), limit(max)),
            "double" => {
                format!("Shape::Double {{ min: {}, max: {} }}", limit_double(min), limit_double(max))
            }
            "boolean" => "Shape::Boolean".to_owned(),
            "timestamp" => "Shape::Timestamp".to_owned(),
            "list" => format!("Shape::List(&{upper})"),
            "map" => format!("Shape::Map(&{upper})"),
            "structure" => format!("Shape::Structure(&{upper})"),
            other => bail!("no constraint for the {other} {name}"),
        })
    }

    fn is_free(&self, shape: &Value) -> bool {
        ["min", "max", "pattern", "enum"].iter().all(|limit| shape.get(limit).is_none())
    }

    fn constraints(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        for name in &self.taken {
            let shape = self.shape(name)?;
            let upper = snake(name).to_uppercase();
            let limit =
                |key: &str| shape.get(key).map_or("None".to_owned(), |value| format!("Some({value})"));
            let limits = format!("min: {}, max: {}", limit("min"), limit("max"));
            let inner = |part: &str| -> anyhow::Result<String> {
                self.constraint(shape[part]["shape"].as_str().context("a part without shape")?)
            };
            match shape["type"].as_str().unwrap_or_default() {
                "string" if !self.is_free(shape) => {
                    let pattern = match shape["pattern"].as_str() {
                        Some(pattern) => format!("Some(Pattern::new(r##\"{pattern}\"##))"),
                        None => "None".to_owned(),
                    };
                    let too_long = TOO_LONG.iter().find(|(shape, _)| shape == name);
                    let too_long = too_long.map_or("None".to_owned(), |(_, text)| format!("Some({text:?})"));
                    let words = shape.get("enum").map_or("[]".to_owned(), Value::to_string);
                    writeln!(
                        text,
                        "static {upper}: Text = Text {{ {limits}, pattern: {pattern}, one_of: &{words}, too_long: {too_long} }};"
                    )?;
                }
                "list" => {
                    writeln!(
                        text,
                        "static {upper}: List = List {{ {limits}, member: {} }};",
                        inner("member")?
                    )?;
                }
                "map" => {
                    writeln!(
                        text,
                        "static {upper}: Map = Map {{ {limits}, key: {}, value: {} }};",
                        inner("key")?,
                        inner("value")?
                    )?;
                }
                "structure" => self.structure_constraint(name, shape, &mut text)?,
                _ => {}
            }
        }
        let kinds: Vec<&str> = ["ANY_TEXT", "List", "Map", "Member", "Pattern", "Shape", "Structure", "Text"]
            .into_iter()
            .filter(|kind| {
                let used =
                    [format!(": {kind} "), format!("{kind}::"), format!("&{kind})"), format!("{kind} {{")];
                used.iter().any(|used| text.contains(used))
            })
            .collect();
        Ok(format!("use crate::shape::{{{}}};\n\n{text}", kinds.join(", ")))
    }

    fn structure_constraint(&self, name: &str, shape: &Value, text: &mut String) -> anyhow::Result<()> {
        let upper = snake(name).to_uppercase();
        let required: Vec<&str> =
            shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        writeln!(text, "pub(super) static {upper}: Structure = Structure {{ name: \"{name}\", members: &[")?;
        for (wire, member) in shape["members"].as_object().context("a structure without members")? {
            let alias = ALIASES.iter().find(|(structure, member, _)| structure == &name && member == wire);
            let alias = alias.map_or("None".to_owned(), |(_, _, alias)| format!("Some(\"{alias}\")"));
            writeln!(
                text,
                "Member {{ name: \"{wire}\", alias: {alias}, required: {}, shape: {} }},",
                required.contains(&wire.as_str()),
                self.constraint(member["shape"].as_str().context("a member without shape")?)?
            )?;
        }
        writeln!(text, "] }};\n")?;
        Ok(())
    }

    fn operations(&self) -> anyhow::Result<String> {
        let (mut variants, mut specs, mut calls) = (String::new(), String::new(), String::new());
        let mut faults: BTreeMap<&str, u64> = BTreeMap::new();
        for operation in &self.built {
            let name = operation["name"].as_str().context("an operation without name")?;
            let input = operation["input"]["shape"].as_str().context("an operation without input")?;
            let output = match operation["output"]["shape"].as_str() {
                Some(output) => self.streams(output)?.unwrap_or(output),
                None => "()",
            };
            let mut errors = Vec::new();
            for error in operation["errors"].as_array().into_iter().flatten() {
                let error = error["shape"].as_str().context("an error without shape")?;
                let shape = self.shape(error)?;
                let usual = if shape["fault"] == true { 500 } else { 400 };
                faults.insert(error, shape["error"]["httpStatusCode"].as_u64().unwrap_or(usual));
                errors.push(error);
            }
            let invalid = if errors.contains(&self.service.invalid) {
                self.service.invalid
            } else {
                "ValidationException"
            };
            let path = operation["http"]["requestUri"].as_str().context("an operation without path")?;
            ensure!(operation["http"]["method"] == "POST", "{name} is not a POST");
            let errors: Vec<String> =
                errors.iter().map(|error| format!("&errors::{}", screaming(error))).collect();
            writeln!(variants, "{name},")?;
            writeln!(
                specs,
                "Spec {{ name: \"{name}\", path: \"{path}\", input: &constraints::{}, invalid: \"{invalid}\", \
                 errors: &[{}] }},",
                screaming(input),
                errors.join(", ")
            )?;
            writeln!(
                calls,
                "impl Call for {input} {{ type Output = {output}; const SPEC: &'static Spec = \
                 &SPECS[Operation::{name} as usize]; }}\n"
            )?;
        }
        let mut text = format!(
            "use super::constraints;\nuse super::shapes::*;\nuse crate::operation::{{Call, Spec}};\n\n\
             /// The operations that are built.\n\
             #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]\n\
             pub enum Operation {{ {variants} }}\n\n"
        );
        text.push_str("impl Operation {\n/// Every operation that is built.\n");
        let all: Vec<String> = variants.lines().map(|line| format!("Self::{line}")).collect();
        writeln!(text, "pub const ALL: &[Self] = &[{}];\n", all.concat())?;
        text.push_str("/// The operation's name, path, constraints and errors.\n");
        text.push_str("pub fn spec(self) -> &'static Spec { &SPECS[self as usize] }\n\n");
        match self.all["metadata"]["targetPrefix"].as_str() {
            Some(prefix) => write!(
                text,
                "/// The operation that `X-Amz-Target` names.\n\
                 pub fn route(target: &str) -> Option<Self> {{\n\
                 let name = target.strip_prefix(\"{prefix}.\")?;\n\
                 Self::ALL.iter().copied().find(|operation| operation.spec().name == name) }} }}\n\n"
            )?,
            None => write!(
                text,
                "/// The operation at a path; each is a `POST`.\n\
                 pub fn route(method: &http::Method, path: &str) -> Option<Self> {{\n\
                 if method != http::Method::POST {{ return None; }}\n\
                 Self::ALL.iter().copied().find(|operation| operation.spec().path == path) }} }}\n\n"
            )?,
        }
        writeln!(
            text,
            "/// Operations of the model that are not built: the vendor's unknown-operation error answers them.\n\
             pub const NOT_BUILT: &[&str] = &{};\n",
            serde_json::to_string(&self.not_built)?
        )?;
        writeln!(text, "static SPECS: [Spec; {}] = [{specs}];\n", self.built.len())?;
        text.push_str(&calls);
        text.push_str("/// The errors that the operations declare.\npub mod errors {\nuse crate::answer::ErrorSpec;\n\n");
        for (error, status) in faults {
            writeln!(
                text,
                "/// `{error}`, HTTP {status}.\npub static {}: ErrorSpec = \
                 ErrorSpec {{ code: \"{error}\", status: {status} }};",
                screaming(error)
            )?;
        }
        text.push_str("}\n");
        Ok(text)
    }
}

fn screaming(name: &str) -> String {
    snake(name).to_uppercase()
}

/// `GroupARN` → `group_arn`, `EC2InstanceId` → `ec2_instance_id`, `HTTPCode4XXCount` → `http_code4xx_count`.
fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (idx, &letter) in letters.iter().enumerate() {
        let before = idx.checked_sub(1).map(|idx| letters[idx]);
        let word_starts = before.is_some_and(|before| {
            before.is_lowercase() || letters.get(idx + 1).is_some_and(|after| after.is_lowercase())
        });
        if letter.is_uppercase() && word_starts {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

fn pascal(snake: &str) -> String {
    snake.split('_').map(capitalised).collect()
}

fn camel(snake: &str) -> String {
    let pascal = pascal(snake);
    let mut letters = pascal.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// `INFREQUENT_ACCESS` → `InfrequentAccess`, `Kilobytes/Second` → `KilobytesSecond`, `XRay` → `XRay`.
fn variant(word: &str) -> String {
    let parts = word.split(|letter: char| !letter.is_ascii_alphanumeric());
    parts
        .map(|part| {
            if part.chars().any(char::is_lowercase) {
                capitalised(part)
            } else {
                capitalised(&part.to_lowercase())
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_wire_types_are_what_the_models_say() {
        for (path, text) in generate().unwrap() {
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(committed == text, "cargo run -p xtask -- aws-wire: {} differs", path.display());
        }
    }

    #[test]
    fn names_become_fields_and_variants() {
        for (name, field) in
            [("GroupARN", "group_arn"), ("EC2InstanceId", "ec2_instance_id"), ("URLPath", "url_path")]
        {
            assert_eq!(snake(name), field);
        }
        for (word, name) in
            [("INFREQUENT_ACCESS", "InfrequentAccess"), ("Bytes/Second", "BytesSecond"), ("XRay", "XRay")]
        {
            assert_eq!(variant(word), name);
        }
    }
}
