//! The X-Ray door from outside: requests and datagrams in, rows in a recording sink.

mod bed;
mod segments;
mod signatures;
mod udp;
