//! Rates of tokens: a window opens with the first call and takes so many. The server has a limit of its own for each token,
//! far above what a sane application sends.

use std::collections::HashMap;

use ahash::RandomState;
use parking_lot::Mutex;
use tracery_tracker::TokenSettings;

/// Calls a minute that a token without a limit of its own may make.
const SYSTEM_LIMIT: i64 = 1_000_000;
const SYSTEM_WINDOW_S: i64 = 60;
/// Tokens that are counted at the same time.
const TOKENS_MAX: usize = 20_000;

/// What is left of a window; all zero for a caller whom nobody counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) limit: i64,
    pub(crate) remaining: i64,
    /// Until the window closes.
    pub(crate) seconds: i64,
    pub(crate) reset_s: i64,
}

/// Open windows by token.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    open: Mutex<HashMap<String, (i64, i64), RandomState>>,
}

impl Windows {
    /// Counts a call; what is left, and whether the call may go on.
    pub(crate) fn call(&self, token: &str, settings: TokenSettings, now_s: i64) -> (Left, bool) {
        let (limit, window_s) = match settings {
            TokenSettings { window_count, window_s, .. } if window_count > 0 && window_s > 0 => {
                (window_count, window_s)
            }
            _ => (SYSTEM_LIMIT, SYSTEM_WINDOW_S),
        };
        let mut open = self.open.lock();
        if open.len() >= TOKENS_MAX && !open.contains_key(token) {
            open.retain(|_, (start_s, _)| now_s - *start_s < SYSTEM_WINDOW_S);
            if open.len() >= TOKENS_MAX {
                open.clear();
            }
        }
        let (start_s, count) = open.entry(token.to_owned()).or_insert((now_s, 0));
        if now_s - *start_s >= window_s || now_s < *start_s {
            (*start_s, *count) = (now_s, 0);
        }
        let may = *count < limit;
        if may {
            *count += 1;
        }
        let reset_s = *start_s + window_s;
        (Left { limit, remaining: limit - *count, seconds: reset_s - now_s, reset_s }, may)
    }

    /// Calls of this window, and when it opened; for a list of tokens.
    pub(crate) fn current(&self, token: &str) -> (i64, i64) {
        self.open.lock().get(token).map_or((0, 0), |(start_s, count)| (*count, *start_s))
    }

    /// What an answer says where nobody's calls were counted.
    pub(crate) fn unknown(&self) -> Left {
        Left { limit: SYSTEM_LIMIT, remaining: SYSTEM_LIMIT, seconds: SYSTEM_WINDOW_S, reset_s: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_opens_with_the_first_call() {
        let windows = Windows::default();
        let settings = TokenSettings { window_count: 2, window_s: 10, ..TokenSettings::default() };
        let at = |now_s| {
            let (left, may) = windows.call("t", settings, now_s);
            (left.remaining, left.seconds, may)
        };
        let seen = [100, 105, 109, 110, 90].map(at);
        assert_eq!(seen, [(1, 10, true), (0, 5, true), (0, 1, false), (1, 10, true), (1, 10, true)]);
        let (left, may) = windows.call("other", TokenSettings::default(), 5);
        assert_eq!((left.limit, left.reset_s, may), (SYSTEM_LIMIT, 65, true));
    }
}
