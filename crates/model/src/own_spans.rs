//! How the server names what it does itself, for `tracery serve --self-trace`. Crates open `tracing` spans with this
//! target; nobody listens to them unless asked, and they are in no log.

/// Target of `tracing` spans that are the server's own telemetry. A span about stored rows of one environment says
/// `environment.id`, so that writing the server's own spans makes no more of them.
pub const OWN_SPANS: &str = "tracery::own";
