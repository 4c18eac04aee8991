//! A query as the service shows it afterwards: where and when it looked, and then what was asked. DescribeQueries prints it.

/// `SOURCE "group" START=… END=… | …`; the times are given in seconds and shown in milliseconds, the last one whole.
pub(crate) fn rewritten(groups: &[String], start_s: i64, end_s: i64, query: &str) -> String {
    let quoted: Vec<String> = groups.iter().map(|group| format!("\"{group}\"")).collect();
    format!("SOURCE {} START={start_s}000 END={end_s}999 | {}", quoted.join(", "), query.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_its_groups_and_its_time() {
        let groups = ["/aws/lambda/a".to_owned()];
        let text = rewritten(&groups, 1_700_000_000, 1_700_003_600, "fields @message\n");
        assert_eq!(text, "SOURCE \"/aws/lambda/a\" START=1700000000000 END=1700003600999 | fields @message");
        assert!(rewritten(&["a".into(), "b".into()], 0, 0, "x").starts_with("SOURCE \"a\", \"b\" START="));
    }
}
