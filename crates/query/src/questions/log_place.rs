//! Where a log event stands that came through CloudWatch Logs: names that its door writes and that questions read. They are
//! attributes of the resource, read as such, so that no message can change them.

/// `Fixed::Source` of such rows.
pub const SOURCE_CLOUDWATCH_LOGS: u8 = 3;
pub const LOG_GROUP_NAME: &str = "aws.log.group.name";
pub const LOG_STREAM_NAME: &str = "aws.log.stream.name";
/// Groups of one name in two regions are two groups.
pub const LOG_REGION: &str = "cloud.region";
