//! A caller that a door of our own looked at already. The page speaks the products' protocols with a session in place of
//! their credentials: `api` finds out who asks, puts this beside the request and hands it to the product's door.

use tracery_settings::Environment;

/// Lies in a request's extensions, where nothing that comes over the network can put it.
#[derive(Debug, Clone)]
pub struct Vouched {
    /// What the caller may read and change.
    pub environment: Environment,
    /// The region of an AWS protocol; `None` is the default one.
    pub region: Option<String>,
}
