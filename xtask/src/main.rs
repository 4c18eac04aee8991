//! Chores of the repository. `crate-graph` prints which crate of the workspace depends on which; a test compares it with
//! `docs/crate-graph.txt`, so that a new arrow shows in the diff. `aws-wire` writes the types of the AWS doors from the
//! pinned models; a test compares what is committed with what the models say.

mod aws_wire;

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, bail, ensure};

fn main() -> anyhow::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("crate-graph") => print!("{}", crate_graph()?),
        Some("aws-wire") => aws_wire::write()?,
        _ => bail!("say what to do: crate-graph, aws-wire"),
    }
    Ok(())
}

/// One line for each crate of ours: its name and the crates of ours it is built from (tests may use more).
fn crate_graph() -> anyhow::Result<String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("cannot run cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata failed");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("there are no packages")?;
    let names: BTreeSet<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let mut lines = BTreeSet::new();
    for package in packages {
        let dependencies: BTreeSet<&str> = package["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| names.contains(name))
            .map(|name| name.trim_start_matches("tracery-"))
            .collect();
        let name = package["name"].as_str().unwrap_or_default().trim_start_matches("tracery-");
        let dependencies: Vec<&str> = dependencies.into_iter().collect();
        lines.insert(format!("{name} -> {}\n", dependencies.join(" ")));
    }
    Ok(lines.into_iter().map(|line| line.replace(" \n", "\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_graph_is_the_committed_one() {
        let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/crate-graph.txt");
        let committed = std::fs::read_to_string(committed).unwrap();
        assert_eq!(
            crate_graph().unwrap(),
            committed,
            "cargo run -p xtask -- crate-graph > docs/crate-graph.txt"
        );
    }
}
