//! The door from outside, through its router.

mod bed;
mod door;
