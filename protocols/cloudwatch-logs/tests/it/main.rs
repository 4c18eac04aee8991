//! The door from outside, through its router.

mod bed;
mod captured;
mod door;
mod events;
mod groups;
mod live;
mod queries;
mod scheduled;
mod signatures;
