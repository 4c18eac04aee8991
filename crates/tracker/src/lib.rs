//! Items and what people do with them: counting occurrences, states, assignment, comments, people, versions, deploys,
//! notifications. Everything small and transactional about errors; the occurrences themselves are in the store.
//!
//! **Invariant:** an occurrence that was noted is counted once, whatever crashes; an item changes its state only as
//! `lifecycle` says.
