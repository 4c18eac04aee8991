//! The store through its public door, on every catalog and object store there is.

mod bed;
mod catalog;
mod faults;
mod faulty;
mod oracle;
mod store;
mod wide;
