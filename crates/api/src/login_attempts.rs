//! How often somebody may guess a password. [`session`](crate::session) asks before it looks at one; what is counted
//! lives in memory and is bounded, so that a restart forgets guesses and no number of guesses takes memory.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use parking_lot::Mutex;

/// Guesses are counted over windows of this many seconds.
const WINDOW_S: i64 = 300;
/// For one name from one address: more than anybody mistypes.
const BY_NAME_AND_ADDRESS_MAX: u32 = 10;
/// From one address, whatever the names. A whole office may sit behind one. Of IPv6 a network counts as one address: a
/// household has 2^64 of its own.
const BY_ADDRESS_MAX: u32 = 30;
/// For one name, wherever from. High, because whoever wants can use it up and keep the owner out.
const BY_NAME_MAX: u32 = 100;
/// Counts kept at once. When all are of the current window, whoever is not among them has to wait.
const COUNTS_MAX: usize = 30_000;
/// Longer names are nobody's.
const NAME_BYTES_MAX: usize = 255;

/// Where a request came from, which the server tells by an extension of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Guesser {
    NameAndAddress(String, IpAddr),
    Address(IpAddr),
    Name(String),
}

/// Guesses of the current window.
#[derive(Debug, Default)]
pub(crate) struct LoginAttempts {
    counts: Mutex<HashMap<Guesser, (i64, u32)>>,
}

impl LoginAttempts {
    /// Counts a guess before it is looked at, so that guesses at the same moment count too. `Err` is after how many
    /// seconds to try again.
    pub(crate) fn begin(&self, name: &str, address: IpAddr, now_s: i64) -> Result<(), i64> {
        let address = counted(address);
        let window = now_s.div_euclid(WINDOW_S);
        let wait_s = (window + 1) * WINDOW_S - now_s;
        if name.len() > NAME_BYTES_MAX {
            return Err(wait_s);
        }
        let mut counts = self.counts.lock();
        if counts.len() + 3 > COUNTS_MAX {
            counts.retain(|_, (counted_in, _)| *counted_in == window);
            if counts.len() + 3 > COUNTS_MAX {
                return Err(wait_s);
            }
        }
        let name = name.trim().to_owned();
        let all = [
            (Guesser::NameAndAddress(name.clone(), address), BY_NAME_AND_ADDRESS_MAX),
            (Guesser::Address(address), BY_ADDRESS_MAX),
            (Guesser::Name(name), BY_NAME_MAX),
        ];
        let used = |guesser: &Guesser| match counts.get(guesser) {
            Some((counted_in, count)) if *counted_in == window => *count,
            _ => 0,
        };
        if all.iter().any(|(guesser, max)| used(guesser) >= *max) {
            return Err(wait_s);
        }
        for (guesser, _) in all {
            let count = used_of(&mut counts, guesser, window);
            *count += 1;
        }
        Ok(())
    }

    /// Takes back a guess that was right: people who know their password are not counted.
    pub(crate) fn succeeded(&self, name: &str, address: IpAddr) {
        let (name, address) = (name.trim().to_owned(), counted(address));
        let mut counts = self.counts.lock();
        counts.remove(&Guesser::NameAndAddress(name.clone(), address));
        for guesser in [Guesser::Address(address), Guesser::Name(name)] {
            if let Some((_, count)) = counts.get_mut(&guesser) {
                *count = count.saturating_sub(1);
            }
        }
    }
}

/// The address that guesses are counted by: the /64 of IPv6, and the IPv4 address that one of IPv6 stands for.
fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn used_of(counts: &mut HashMap<Guesser, (i64, u32)>, guesser: Guesser, window: i64) -> &mut u32 {
    let (counted_in, count) = counts.entry(guesser).or_insert((window, 0));
    if *counted_in != window {
        (*counted_in, *count) = (window, 0);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    /// Addresses of one household.
    fn in_network(number: u32) -> IpAddr {
        IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8_0000_0001_u128 << 64 | u128::from(number)))
    }

    /// IPv4 addresses as sockets of both kinds show them.
    fn mapped(number: u32) -> IpAddr {
        IpAddr::V6(std::net::Ipv4Addr::from(number).to_ipv6_mapped())
    }

    /// How many of many guesses are looked at.
    fn admitted(attempts: &LoginAttempts, guesses: impl Iterator<Item = (String, IpAddr)>) -> u32 {
        guesses.map(|(name, address)| u32::from(attempts.begin(&name, address, 1_000).is_ok())).sum()
    }

    #[test]
    fn guesses_are_bounded_by_name_and_address() {
        for (guesses, most) in [
            ((0..200).map(|_| ("ada".to_owned(), HERE)).collect::<Vec<_>>(), BY_NAME_AND_ADDRESS_MAX),
            ((0..200).map(|i| (format!("user {i}"), HERE)).collect(), BY_ADDRESS_MAX),
            ((0..200).map(|i| ("ada".to_owned(), address(i))).collect(), BY_NAME_MAX),
            ((0..200).map(|i| ("ada".to_owned(), in_network(i))).collect(), BY_NAME_AND_ADDRESS_MAX),
            ((0..200).map(|i| (format!("user {i}"), in_network(i))).collect(), BY_ADDRESS_MAX),
            ((0..200).map(|i| (format!("user {i}"), mapped(i))).collect(), 200),
            (vec![("x".repeat(256), HERE)], 0),
        ] {
            assert_eq!(admitted(&LoginAttempts::default(), guesses.into_iter()), most);
        }
        let everybody = (0..100_000).map(|i| (format!("user {i}"), address(i)));
        let attempts = LoginAttempts::default();
        admitted(&attempts, everybody);
        assert!(attempts.counts.lock().len() <= COUNTS_MAX);
    }

    #[test]
    fn the_next_window_and_the_right_password_forget() {
        let attempts = LoginAttempts::default();
        let mut last = Ok(());
        while last.is_ok() {
            last = attempts.begin("ada", HERE, 1_000);
        }
        assert_eq!(last, Err(200));
        assert_eq!(attempts.begin("ada", HERE, 1_200), Ok(()));
        for _ in 0..1_000 {
            assert_eq!(attempts.begin("bob", HERE, 1_200), Ok(()));
            attempts.succeeded("bob", HERE);
        }
    }
}
