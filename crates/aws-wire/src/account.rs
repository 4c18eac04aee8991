//! What stands for an account and a region where there are neither: every environment is an account of its own, and a
//! request that names no region is in the oldest one. Doors put both into ARNs and answers.

/// The region of requests that name none.
pub const REGION_DEFAULT: &str = "us-east-1";

const REGION_BYTES_MAX: usize = 32;
const FIRST: i64 = 100_000_000_000;
const COUNT: i64 = 900_000_000_000;

/// The 12 digits of an environment's account; the same number gives the same account for ever.
pub fn account_id(environment: i64) -> String {
    (FIRST + environment.rem_euclid(COUNT)).to_string()
}

/// The region as a client named it, or the default for what does not look like one.
pub fn region_or_default(region: &str) -> &str {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match !region.is_empty() && region.len() <= REGION_BYTES_MAX && region.bytes().all(letter) {
        true => region,
        false => REGION_DEFAULT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_twelve_digits_whatever_the_number() {
        assert_eq!(account_id(1), "100000000001");
        for number in [0, 42, -1, i64::MAX, i64::MIN] {
            assert_eq!(account_id(number).len(), 12, "{number}");
        }
        for (named, region) in [("eu-west-1", "eu-west-1"), ("", REGION_DEFAULT), ("EU west", REGION_DEFAULT)]
        {
            assert_eq!(region_or_default(named), region);
        }
    }
}
