//! Reservoirs: the requests a second that a rule takes before its rate counts, shared between the clients that were seen
//! lately. `GetSamplingTargets` asks for each client's share. What is leased to all clients together is never more than
//! the reservoir, as far as one process knows: each process of several shares it out on its own, and a restart forgets
//! the leases of the last two minutes.

use std::collections::{BTreeMap, HashMap};

use super::RuleKey;

/// How long a client may use its share without asking again. Clients ask every ten seconds while they have requests; one
/// that is silent for longer borrows again, and its share goes to the others.
pub(crate) const LEASE_MS: i64 = 120_000;
/// Clients of all rules and accounts together: about 20 MB.
const CLIENTS_MAX: usize = 100_000;
/// How often room is looked for when there is none, because it takes a walk over all clients.
const FULL_SWEEP_MS: i64 = 1_000;

/// Who holds which share.
#[derive(Debug, Default)]
pub(crate) struct Reservoirs {
    /// By rule and client.
    leases: HashMap<RuleKey, BTreeMap<String, Lease>>,
    client_count: usize,
    swept_ms: i64,
}

/// What a client may take of a rule's reservoir.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    /// Requests a second.
    pub(crate) quota: i32,
    pub(crate) until_ms: i64,
}

impl Reservoirs {
    /// The client's share from now on. `None` when others still hold all of it, or when there are too many clients to
    /// remember: such a client borrows one request a second, as one does before its first answer.
    pub(crate) fn lease(
        &mut self,
        rule: &RuleKey,
        client: &str,
        reservoir_size: i32,
        now_ms: i64,
    ) -> Option<Lease> {
        let is_full = self.client_count >= CLIENTS_MAX;
        let unswept_ms = now_ms.saturating_sub(self.swept_ms);
        if unswept_ms >= LEASE_MS || is_full && unswept_ms >= FULL_SWEEP_MS {
            self.sweep(now_ms);
        }
        let until_ms = now_ms.saturating_add(LEASE_MS);
        let known = self.leases.get(rule).is_some_and(|clients| clients.contains_key(client));
        if !known && self.client_count >= CLIENTS_MAX {
            return None;
        }
        let clients = self.leases.entry(rule.clone()).or_default();
        if !known {
            clients.insert(client.to_owned(), Lease { quota: 0, until_ms });
            self.client_count += 1;
        }
        let size = reservoir_size.max(0);
        let (mut live_count, mut rank, mut leased) = (0_i32, 0, 0_i32);
        for (other, lease) in clients.iter() {
            if other == client {
                rank = live_count;
            } else if lease.until_ms <= now_ms {
                continue;
            } else {
                leased = leased.saturating_add(lease.quota);
            }
            live_count += 1;
        }
        // What does not divide goes to the first ones.
        let share = size / live_count + i32::from(rank < size % live_count);
        let quota = share.min(size.saturating_sub(leased).max(0));
        let lease = Lease { quota, until_ms };
        clients.insert(client.to_owned(), lease);
        // Nothing to be had although there is a share: the others give theirs up within ten seconds.
        (quota > 0 || share == 0).then_some(lease)
    }

    pub(crate) fn forget(&mut self, rule: &RuleKey) {
        if let Some(clients) = self.leases.remove(rule) {
            self.client_count -= clients.len();
        }
    }

    fn sweep(&mut self, now_ms: i64) {
        self.swept_ms = now_ms;
        for clients in self.leases.values_mut() {
            clients.retain(|_, lease| lease.until_ms > now_ms);
        }
        self.leases.retain(|_, clients| !clients.is_empty());
        self.client_count = self.leases.values().map(BTreeMap::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use tracery_model::EnvironmentId;

    use super::*;

    fn rule(environment: i64) -> RuleKey {
        (EnvironmentId(environment), "checkout".to_owned())
    }

    /// Clients that ask every ten seconds, one after another; what each holds after each round.
    fn simulate(
        size: i32,
        seconds: i64,
        present: impl Fn(usize, i64) -> bool,
        clients: usize,
    ) -> Vec<Vec<Option<i32>>> {
        let mut reservoirs = Reservoirs::default();
        let mut held: Vec<Option<Lease>> = vec![None; clients];
        let mut rounds = Vec::new();
        for second in (0..seconds).step_by(10) {
            for (idx, lease) in held.iter_mut().enumerate() {
                let now_ms = 1_000_000 + second * 1_000 + idx as i64;
                if present(idx, second) {
                    *lease = reservoirs.lease(&rule(1), &format!("client-{idx}"), size, now_ms);
                }
            }
            let now_ms = 1_000_000 + second * 1_000 + 9_999;
            let live = |lease: &Option<Lease>| {
                lease.filter(|lease| lease.until_ms > now_ms).map(|lease| lease.quota)
            };
            let shares: Vec<_> = held.iter().map(live).collect();
            let sum: i32 = shares.iter().flatten().sum();
            assert!(sum <= size, "{shares:?} at {second}");
            rounds.push(shares);
        }
        rounds
    }

    #[test]
    fn clients_share_a_reservoir_and_never_hold_more() {
        for (size, clients, last) in [
            (10, 1, vec![Some(10)]),
            (10, 3, vec![Some(4), Some(3), Some(3)]),
            (2, 4, vec![Some(1), Some(1), Some(0), Some(0)]),
            (0, 2, vec![Some(0), Some(0)]),
        ] {
            let rounds = simulate(size, 60, |_, _| true, clients);
            assert_eq!(rounds.last(), Some(&last), "{size} for {clients}");
        }
    }

    #[test]
    fn a_client_that_comes_later_gets_its_share_in_the_next_round() {
        let rounds = simulate(10, 40, |idx, second| idx == 0 || second >= 10, 2);
        assert_eq!(rounds[0], [Some(10), None]);
        assert_eq!(rounds[3], [Some(5), Some(5)]);
    }

    #[test]
    fn the_share_of_a_client_that_went_goes_to_the_others() {
        let rounds = simulate(10, 200, |idx, second| idx == 0 || second < 30, 2);
        assert_eq!(rounds[2], [Some(5), Some(5)]);
        assert_eq!(rounds.last().unwrap(), &[Some(10), None]);
    }

    #[test]
    fn rules_and_accounts_have_reservoirs_of_their_own() {
        let mut reservoirs = Reservoirs::default();
        for environment in [1, 2] {
            assert_eq!(reservoirs.lease(&rule(environment), "a", 7, 0).map(|lease| lease.quota), Some(7));
        }
        reservoirs.forget(&rule(1));
        assert_eq!(reservoirs.lease(&rule(1), "b", 7, 0).map(|lease| lease.quota), Some(7));
        assert_eq!(reservoirs.lease(&rule(2), "b", 7, 0), None);
    }

    #[test]
    fn clients_are_bounded_and_forgotten() {
        let mut reservoirs = Reservoirs::default();
        for idx in 0..CLIENTS_MAX {
            // Ten thousand rules, because a share looks at all clients of its rule.
            let key = (EnvironmentId(1), format!("rule-{}", idx % 10_000));
            reservoirs.lease(&key, &format!("client-{idx}"), 1, 0);
        }
        assert_eq!(reservoirs.client_count, CLIENTS_MAX);
        assert_eq!(reservoirs.lease(&rule(1), "one more", 5, 1), None);
        assert_eq!(reservoirs.lease(&rule(1), "one more", 5, LEASE_MS).map(|lease| lease.quota), Some(5));
        assert_eq!(reservoirs.client_count, 1);
    }
}
