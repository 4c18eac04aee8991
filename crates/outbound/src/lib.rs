//! Requests that the server makes because a user named an address: webhooks. [`Outbound`] is the one way out; those who
//! notify and deliver are handed it by `server`.
//!
//! **Invariant:** unless the operator allowed it, no request goes to an address that is not public, whatever the name, the
//! resolver or a redirect say; every request ends, and little of its answer is read.

mod public;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::HeaderMap;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use thiserror::Error;
use url::{Host, Url};

pub use public::is_public;

/// Addresses are kept in settings and shown in lists.
pub const URL_BYTES_MAX: usize = 2_048;
/// Of an answer: enough to say what went wrong.
const ANSWER_BYTES_MAX: usize = 1_024;

/// Why nothing was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OutboundError {
    /// The address will never do.
    #[error("{0}")]
    Refused(String),
    /// The other side could not be reached, or took too long.
    #[error("{0}")]
    Unreachable(String),
    /// It answered with something else than 2xx.
    #[error("the receiver answered {status}{}{text}", if text.is_empty() { "" } else { ": " })]
    Status { status: u16, text: String },
}

/// Sends what users asked to have sent. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: reqwest::Client,
    allow_private: bool,
}

impl Outbound {
    /// `allow_private` lets requests go to addresses within the operator's network, the server's own among them.
    ///
    /// # Errors
    /// When the machine has no roots of trust for TLS.
    pub fn new(allow_private: bool) -> Result<Self, OutboundError> {
        let client = reqwest::Client::builder()
            // Another address would be another target; a proxy would resolve names itself.
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(std::sync::Arc::new(Resolver { allow_private }))
            .connect_timeout(Duration::from_secs(5))
            .pool_max_idle_per_host(2)
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("tracery/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| OutboundError::Unreachable(text_of(&error)))?;
        Ok(Self { client, allow_private })
    }

    /// Reads an address that a user named. What its name resolves to is looked at when something is sent.
    ///
    /// # Errors
    /// [`OutboundError::Refused`] says what is wrong with it.
    pub fn target(&self, text: &str) -> Result<Url, OutboundError> {
        let refused = |reason: &str| Err(OutboundError::Refused(reason.to_owned()));
        if text.len() > URL_BYTES_MAX {
            return refused("the URL is longer than 2048 bytes");
        }
        let Ok(url) = Url::parse(text) else { return refused("that is not a URL") };
        if !matches!(url.scheme(), "http" | "https") {
            return refused("the URL must begin with http:// or https://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("the URL may have no name and no password");
        }
        let ip = match url.host() {
            None => return refused("the URL has no host"),
            Some(Host::Domain(_)) => return Ok(url),
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
        };
        if self.allow_private || is_public(ip) {
            return Ok(url);
        }
        refused(NOT_PUBLIC)
    }

    /// Posts a body and waits for the answer, `patience` at most for all of it.
    ///
    /// # Errors
    /// Anything but an answer of 2xx.
    pub async fn post(
        &self,
        target: &Url,
        headers: HeaderMap,
        body: Bytes,
        patience: Duration,
    ) -> Result<(), OutboundError> {
        // It may have been stored under another configuration.
        let target = self.target(target.as_str())?;
        let request = self.client.post(target).headers(headers).body(body).timeout(patience);
        let answer = request.send().await.map_err(|error| OutboundError::Unreachable(text_of(&error)))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let mut text = Vec::new();
        let mut body = answer.bytes_stream();
        while let Some(Ok(piece)) = body.next().await {
            text.extend_from_slice(&piece[..piece.len().min(ANSWER_BYTES_MAX - text.len())]);
            if text.len() >= ANSWER_BYTES_MAX {
                break;
            }
        }
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        Err(OutboundError::Status { status: status.as_u16(), text })
    }
}

const NOT_PUBLIC: &str = "the address is not public; the server's configuration decides whether such ones are allowed (--private-webhooks)";

/// The innermost reason, without the address: that may hold a secret.
fn text_of(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the receiver took too long".to_owned();
    }
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    if std::ptr::addr_eq(reason, std::ptr::from_ref(error)) {
        return "the request could not be sent".to_owned();
    }
    reason.to_string()
}

/// Names become addresses here, and the client connects to those: nothing changes in between.
struct Resolver {
    allow_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|address| allow_private || is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err(NOT_PUBLIC.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::extract::State;
    use axum::http::StatusCode;
    use axum::response::{IntoResponse, Redirect};
    use axum::routing::post;

    use super::*;

    type Seen = Arc<Mutex<Vec<String>>>;

    /// A receiver of one's own network.
    async fn receiver(seen: Seen) -> u16 {
        let take = async |State(seen): State<Seen>, headers: HeaderMap, body: String| {
            let header = headers.get("x-test").map_or("", |value| value.to_str().unwrap_or(""));
            seen.lock().unwrap().push(format!("{header} {body}"));
            StatusCode::ACCEPTED
        };
        let app = axum::Router::new()
            .route("/take", post(take))
            .route("/no", post(async || (StatusCode::BAD_GATEWAY, "x".repeat(5_000))))
            .route("/away", post(async || Redirect::temporary("/take").into_response()))
            .route("/never", post(async || std::future::pending::<()>().await))
            .with_state(seen);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, app).await });
        port
    }

    #[tokio::test]
    async fn what_was_sent_arrives_and_nothing_follows_a_redirect() {
        let seen = Seen::default();
        let port = receiver(Arc::clone(&seen)).await;
        let outbound = Outbound::new(true).unwrap();
        let send = async |path: &str, patience_ms| {
            let target = outbound.target(&format!("http://localhost:{port}{path}")).unwrap();
            let headers = HeaderMap::from_iter([("x-test".parse().unwrap(), "1".parse().unwrap())]);
            outbound.post(&target, headers, "hello".into(), Duration::from_millis(patience_ms)).await
        };
        send("/take", 5_000).await.unwrap();
        let Err(OutboundError::Status { status: 502, text }) = send("/no", 5_000).await else { panic!() };
        assert_eq!(text.len(), ANSWER_BYTES_MAX);
        assert!(matches!(send("/away", 5_000).await, Err(OutboundError::Status { status: 307, .. })));
        assert_eq!(
            send("/never", 50).await,
            Err(OutboundError::Unreachable("the receiver took too long".into()))
        );
        assert_eq!(*seen.lock().unwrap(), ["1 hello"]);
    }

    #[tokio::test]
    async fn without_leave_nothing_goes_to_an_address_that_is_not_public() {
        let seen = Seen::default();
        let port = receiver(Arc::clone(&seen)).await;
        let outbound = Outbound::new(false).unwrap();
        for host in
            ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254"]
        {
            let url = format!("http://{host}:{port}/take");
            assert_eq!(outbound.target(&url), Err(OutboundError::Refused(NOT_PUBLIC.into())), "{url}");
        }
        // A name says nothing until it is resolved.
        let target = outbound.target(&format!("http://localhost:{port}/take")).unwrap();
        let sent = outbound.post(&target, HeaderMap::new(), Bytes::new(), Duration::from_secs(5)).await;
        assert_eq!(sent, Err(OutboundError::Unreachable(NOT_PUBLIC.into())));
        assert!(seen.lock().unwrap().is_empty());
    }

    #[test]
    fn only_web_addresses_are_targets() {
        let outbound = Outbound::new(true).unwrap();
        for (text, is_target) in [
            ("https://example.com/hook?key=1", true),
            ("http://127.0.0.1:9/", true),
            ("file:///etc/passwd", false),
            ("ftp://example.com/", false),
            ("gopher://example.com/", false),
            ("https://name:secret@example.com/", false),
            ("https://", false),
            ("example.com", false),
            ("", false),
            (&format!("https://example.com/{}", "x".repeat(URL_BYTES_MAX)), false),
        ] {
            assert_eq!(outbound.target(text).is_ok(), is_target, "{text}");
        }
    }
}
