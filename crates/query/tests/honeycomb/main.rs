//! Honeycomb's query language against events in memory.

mod damaged;
mod examples;
mod memory;
mod oracle;
mod over_time;
