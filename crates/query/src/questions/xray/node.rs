//! Which node of the service map a subsegment stands for. The X-Ray door asks it for every subsegment it writes, and
//! whoever infers segments asks it again: both get the same name and type. It is a pure function.

use std::borrow::Cow;

/// Services that clients spell in their own ways, as the map spells them.
const SERVICES: &[&str] = &[
    "DynamoDB",
    "SNS",
    "SQS",
    "S3",
    "Lambda",
    "Kinesis",
    "Firehose",
    "SecretsManager",
    "SSM",
    "STS",
    "KMS",
    "EventBridge",
    "StepFunctions",
    "CloudWatch",
    "EC2",
    "ECS",
    "RDS",
    "SES",
    "Bedrock",
];

/// Name and type of the node, or `None` for a subsegment that is work within its own service.
///
/// `aws` looks up a text of the `aws` block (`table_name`, `queue_url`, …). `sql_url` is the URL of the `sql` block,
/// empty where the block has none.
pub fn subsegment_node(
    name: &str,
    namespace: Option<&str>,
    aws: &dyn Fn(&str) -> Option<String>,
    sql_url: Option<&str>,
) -> Option<(String, Cow<'static, str>)> {
    if namespace == Some("aws") {
        return Some(aws_node(name, aws));
    }
    if let Some(url) = sql_url {
        let node = database_at_host(url).unwrap_or_else(|| name.to_owned());
        return Some((node, Cow::Borrowed("Database::SQL")));
    }
    (namespace == Some("remote")).then(|| (name.to_owned(), Cow::Borrowed("remote")))
}

fn aws_node(name: &str, aws: &dyn Fn(&str) -> Option<String>) -> (String, Cow<'static, str>) {
    let first = |keys: &[&str]| keys.iter().find_map(|key| aws(key).filter(|text| !text.is_empty()));
    let service = service_name(name);
    let (resource, kind) = match service {
        "DynamoDB" => (first(&["table_name"]), "AWS::DynamoDB::Table"),
        "SNS" => (None, "AWS::SNS"),
        "SQS" => (
            first(&["queue_url"]).and_then(|url| last_segment(&url)).or_else(|| first(&["queue_name"])),
            "AWS::SQS::Queue",
        ),
        "S3" => (first(&["bucket_name", "bucket"]), "AWS::S3::Bucket"),
        "Lambda" => (first(&["function_name"]).map(|name| function_name(&name)), "AWS::Lambda::Function"),
        other => return (other.to_owned(), Cow::Owned(format!("AWS::{other}"))),
    };
    (resource.unwrap_or_else(|| service.to_owned()), Cow::Borrowed(kind))
}

/// `dynamodb`, `DynamoDB`, `AmazonDynamoDB` and `Amazon DynamoDB` are one service.
fn service_name(name: &str) -> &str {
    let bare = ["Amazon", "AWS"]
        .iter()
        .find_map(|vendor| name.strip_prefix(vendor))
        .map(|rest| rest.trim_start_matches([' ', ':']))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(name);
    SERVICES.iter().find(|known| known.eq_ignore_ascii_case(bare)).copied().unwrap_or(bare)
}

fn last_segment(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    path.rsplit('/').next().filter(|segment| !segment.is_empty()).map(str::to_owned)
}

/// A function is called by its name, its ARN, or either with a qualifier behind it.
fn function_name(text: &str) -> String {
    let name = match text.split_once(":function:") {
        Some((_, name)) => name,
        None => text,
    };
    name.split(':').next().unwrap_or(name).to_owned()
}

/// `orders@db.example.com` of `jdbc:postgresql://user@db.example.com:5432/orders?ssl=true`.
fn database_at_host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let rest = rest.split(['?', ';', '#']).next().unwrap_or(rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    if host.is_empty() {
        return None;
    }
    match path.trim_end_matches('/') {
        "" => Some(host.to_owned()),
        database => Some(format!("{database}@{host}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subsegment_stands_for_the_node_that_the_map_shows() {
        type Case = (
            &'static str,
            Option<&'static str>,
            &'static [(&'static str, &'static str)],
            Option<&'static str>,
            Option<(&'static str, &'static str)>,
        );
        let cases: &[Case] = &[
            ("load_cart", Some("local"), &[], None, None),
            ("load_cart", None, &[], None, None),
            (
                "dynamodb",
                Some("aws"),
                &[("table_name", "orders")],
                None,
                Some(("orders", "AWS::DynamoDB::Table")),
            ),
            ("DynamoDB", Some("aws"), &[], None, Some(("DynamoDB", "AWS::DynamoDB::Table"))),
            ("AmazonDynamoDBv2", Some("aws"), &[], None, Some(("DynamoDBv2", "AWS::DynamoDBv2"))),
            ("sns", Some("aws"), &[("topic_arn", "arn:aws:sns:a:b:c")], None, Some(("SNS", "AWS::SNS"))),
            (
                "sqs",
                Some("aws"),
                &[("queue_url", "http://127.0.0.1:21003/123456789012/jobs")],
                None,
                Some(("jobs", "AWS::SQS::Queue")),
            ),
            ("sqs", Some("aws"), &[("queue_name", "jobs")], None, Some(("jobs", "AWS::SQS::Queue"))),
            ("SQS", Some("aws"), &[("queue_url", "///")], None, Some(("SQS", "AWS::SQS::Queue"))),
            ("S3", Some("aws"), &[("bucket_name", "photos")], None, Some(("photos", "AWS::S3::Bucket"))),
            (
                "lambda",
                Some("aws"),
                &[("function_name", "arn:aws:lambda:us-east-1:1:function:resize:live")],
                None,
                Some(("resize", "AWS::Lambda::Function")),
            ),
            ("secretsmanager", Some("aws"), &[], None, Some(("SecretsManager", "AWS::SecretsManager"))),
            ("pricing", Some("aws"), &[], None, Some(("pricing", "AWS::pricing"))),
            ("127.0.0.1", Some("remote"), &[], None, Some(("127.0.0.1", "remote"))),
            (
                "orders@db",
                Some("remote"),
                &[],
                Some("jdbc:postgresql://me@db.example.com:5432/orders?ssl=true"),
                Some(("orders@db.example.com", "Database::SQL")),
            ),
            ("x", None, &[], Some("postgres://db:5432"), Some(("db", "Database::SQL"))),
            (":memory:", Some("remote"), &[], Some(""), Some((":memory:", "Database::SQL"))),
        ];
        for (name, namespace, block, url, wanted) in cases {
            let aws = |key: &str| {
                block.iter().find(|(known, _)| *known == key).map(|(_, value)| (*value).to_owned())
            };
            let node = subsegment_node(name, *namespace, &aws, *url);
            let node = node.as_ref().map(|(name, kind)| (name.as_str(), kind.as_ref()));
            assert_eq!(node, *wanted, "{name}");
        }
    }
}
