//! The allocator, and what it keeps. It holds freed pages back for a while, which makes the next request cheaper and
//! is memory all the same: a server with a small budget gives them back at once.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Below this budget freed pages count: held back, they were 140 MiB beyond what the shares add up to. Giving them
/// back at once costs a tenth to a quarter of the ingest rate (`bench/runs/2026-11-23.md`).
const SMALL_BUDGET_BYTES: usize = 1 << 30;

/// `mi_option_purge_delay` of mimalloc's `mi_option_t`, in milliseconds; the same place in its versions 2 and 3.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Makes the allocator keep to a budget of `memory_bytes`. Call it once, before the work begins.
pub(crate) fn keep_within(memory_bytes: usize) {
    if memory_bytes < SMALL_BUDGET_BYTES {
        // SAFETY: the option exists, and writes one aligned integer that nothing else in this process writes.
        unsafe {
            libmimalloc_sys::mi_option_set(PURGE_DELAY, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_the_delay_of_purges() {
        let delay = || {
            // SAFETY: reads one integer.
            unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) }
        };
        assert!(delay() > 0, "the default is some milliseconds");
        keep_within(SMALL_BUDGET_BYTES);
        assert!(delay() > 0);
        keep_within(SMALL_BUDGET_BYTES - 1);
        assert_eq!(delay(), 0);
    }
}
