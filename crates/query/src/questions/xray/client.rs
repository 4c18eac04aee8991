//! What an OpenTelemetry client span calls, as a node of the service map. Scans ask for each combination of the columns of
//! [`CLIENT`](crate::languages::xray::columns::CLIENT); X-Ray's own rows carry their node with them.

use super::names::Node;
use super::node::subsegment_node;

/// The node that the fields of `CLIENT`, in that order and empty where absent, name; `None` when they name nothing.
pub(super) fn client_node(fields: [&str; 16]) -> Option<Node> {
    let [db_system_new, db_system, db_namespace, db_name, server, peer_name, ..] = fields;
    let [.., messaging, destination, destination_old, peer_service, host, rpc, service, table, tables, queue] =
        fields;
    let node = |name: &str, r#type: &str| {
        let node = Node { name: name.to_owned(), r#type: r#type.to_owned(), account_id: String::new() };
        (!node.name.is_empty()).then_some(node)
    };
    let first =
        |choices: &[&str]| choices.iter().copied().find(|text| !text.is_empty()).unwrap_or("").to_owned();
    if rpc == "aws-api" {
        return aws_node(service, &first(&[table, first_of_list(tables)]), queue);
    }
    let db = first(&[db_system_new, db_system]);
    if !db.is_empty() {
        if db.eq_ignore_ascii_case("dynamodb") {
            return aws_node("DynamoDB", &first(&[table, first_of_list(tables)]), queue);
        }
        let (name, at) = (first(&[db_namespace, db_name]), first(&[server, peer_name]));
        return match (name.is_empty(), at.is_empty()) {
            (false, false) => node(&format!("{name}@{at}"), "Database::SQL"),
            _ => node(&db, "Database::SQL"),
        };
    }
    if !messaging.is_empty() {
        return node(&first(&[destination, destination_old, messaging]), messaging);
    }
    node(&first(&[peer_service, server, peer_name, host]), "remote")
}

fn aws_node(service: &str, table: &str, queue_url: &str) -> Option<Node> {
    if service.is_empty() {
        return None;
    }
    let of_block = |key: &str| match key {
        "table_name" => Some(table.to_owned()),
        "queue_url" => Some(queue_url.to_owned()),
        _ => None,
    };
    let (name, r#type) = subsegment_node(service, Some("aws"), &of_block, None)?;
    Some(Node { name, r#type: r#type.into_owned(), account_id: String::new() })
}

/// The first text of a JSON list of texts; the text itself when it is none.
fn first_of_list(text: &str) -> &str {
    match text.trim_start().strip_prefix('[') {
        Some(list) => list.split('"').nth(1).unwrap_or(""),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::xray::columns::CLIENT;

    #[test]
    fn a_client_calls_what_its_columns_say() {
        for (given, expected) in [
            (&[][..], None),
            (&[("peer.service", "pay"), ("server.address", "10.0.0.1")], Some(("pay", "remote"))),
            (&[("server.address", "10.0.0.1")], Some(("10.0.0.1", "remote"))),
            (&[("db.system", "postgresql")], Some(("postgresql", "Database::SQL"))),
            (
                &[("db.system.name", "postgresql"), ("db.namespace", "shop"), ("server.address", "db1")],
                Some(("shop@db1", "Database::SQL")),
            ),
            (
                &[("messaging.system", "kafka"), ("messaging.destination.name", "orders")],
                Some(("orders", "kafka")),
            ),
            (&[("messaging.system", "kafka")], Some(("kafka", "kafka"))),
            (
                &[
                    ("rpc.system", "aws-api"),
                    ("rpc.service", "DynamoDB"),
                    ("aws.dynamodb.table_names", "[\"t\",\"u\"]"),
                ],
                Some(("t", "AWS::DynamoDB::Table")),
            ),
            (
                &[("rpc.system", "aws-api"), ("rpc.service", "SQS"), ("aws.queue_url", "https://sqs/1/jobs")],
                Some(("jobs", "AWS::SQS::Queue")),
            ),
            (&[("rpc.system", "aws-api"), ("rpc.service", "Kinesis")], Some(("Kinesis", "AWS::Kinesis"))),
        ] {
            let mut fields = [""; 16];
            for (name, value) in given {
                fields[CLIENT.iter().position(|column| column == name).unwrap()] = value;
            }
            let found = client_node(fields).map(|node| (node.name, node.r#type));
            assert_eq!(
                found,
                expected.map(|(name, r#type)| (name.to_owned(), r#type.to_owned())),
                "{given:?}"
            );
        }
    }
}
