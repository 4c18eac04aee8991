//! The UDP socket and what the system says of it: its receive buffer, raised as far as the system allows, and how many
//! datagrams it dropped because that was full.

use std::io::{Error, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// The largest payload of a datagram is 65,507 bytes.
pub(super) const DATAGRAM_BYTES_MAX: usize = 65_536;
/// How long the thread waits before it looks whether it should stop.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);
/// Asked of the system, which grants at most `net.core.rmem_max`: a quarter of a second of 20,000 small datagrams.
const RECEIVE_BUFFER_BYTES: usize = 16 << 20;

/// A socket on `address` with as large a receive buffer as the system grants.
pub fn bind_udp(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // Less is granted silently; where the system refuses, its default stays.
    drop(socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES));
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// What was granted. Linux counts its own overhead, too, and says twice what was asked for.
pub(super) fn receive_buffer_bytes(socket: &UdpSocket) -> std::io::Result<usize> {
    SockRef::from(socket).recv_buffer_size()
}

pub(super) fn is_timeout(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Datagrams that found the receive buffer full, since the socket was made.
pub(super) fn kernel_drops(socket: &UdpSocket) -> Option<u64> {
    let inode = inode(socket)?;
    ["/proc/net/udp", "/proc/net/udp6"]
        .into_iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .find_map(|table| drops_of(&table, &inode))
}

#[cfg(unix)]
fn inode(socket: &UdpSocket) -> Option<String> {
    use std::os::fd::AsRawFd as _;

    let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok()?;
    let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
    Some(inode.to_owned())
}

#[cfg(not(unix))]
fn inode(_: &UdpSocket) -> Option<String> {
    None
}

/// Column 10 is the inode, the last one the drops.
fn drops_of(table: &str, inode: &str) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        (columns.get(9) == Some(&inode)).then(|| columns.last()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_found_by_inode() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n  \
                     461: 0100007F:07D0 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 41 2 0000000000000000 7\n  \
                     462: 0100007F:07D1 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 42 2 0000000000000000 1234\n";
        assert_eq!(drops_of(table, "42"), Some(1234));
        assert_eq!(drops_of(table, "4"), None);
        assert_eq!(drops_of("", "4"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_tells_of_a_bound_socket() {
        let socket = bind_udp(([127, 0, 0, 1], 0).into()).unwrap();
        assert_eq!(kernel_drops(&socket), Some(0));
        assert!(receive_buffer_bytes(&socket).unwrap() > 0);
    }
}
