//! What a request says: parameters of its address, and a body that is JSON, a form or several parts, whatever its type
//! header claims. Clients of this API send any of them under any name.

use axum::body::Body;
use axum::extract::FromRequest;
use axum::http::request::Parts;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use tracery_intake::{BodyError, Intake, Permit, Vouched};

use crate::Rollbar;
use crate::reply::Refusal;
use crate::token::Caller;

/// Bodies of everything but items.
const SMALL_BYTES_MAX: usize = 1 << 20;
const FIELDS_MAX: usize = 200;

/// Parameters in their order; a name may come again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn of(query: Option<&str>) -> Self {
        let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).take(FIELDS_MAX);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Every value of a name, also where several stand between commas.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.0.iter().filter(move |(own, _)| own == name || own.strip_suffix("[]") == Some(name));
        own.flat_map(|(_, value)| value.split(',')).map(str::trim).filter(|value| !value.is_empty())
    }

    /// A number within bounds; what is none is told by its name.
    pub(crate) fn number(&self, name: &str, default: i64, max: i64) -> Result<i64, Refusal> {
        let Some(text) = self.get(name) else { return Ok(default) };
        match text.parse::<i64>() {
            Ok(number) if number >= 0 => Ok(number.min(max)),
            _ => Err(Refusal::invalid(format!("{name} must be a number that is not negative"))),
        }
    }
}

/// A request to the API whose token was looked at.
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    pub(crate) parameters: Parameters,
    /// Empty where there was no body.
    pub(crate) fields: Map<String, Value>,
}

impl Asked {
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.fields.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            _ => None,
        }
    }

    /// The number of a member; `Some(None)` where it is null.
    pub(crate) fn number(&self, name: &str) -> Result<Option<Option<i64>>, Refusal> {
        match self.fields.get(name) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(Value::Number(number)) if number.is_i64() => Ok(Some(number.as_i64())),
            Some(Value::String(text)) if text.parse::<i64>().is_ok() => Ok(Some(text.parse().ok())),
            Some(_) => Err(Refusal::invalid(format!("{name} must be a number"))),
        }
    }
}

impl FromRequest<Rollbar> for Asked {
    type Rejection = Refusal;

    async fn from_request(request: axum::extract::Request, state: &Rollbar) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let parameters = Parameters::of(parts.uri.query());
        let (sent, mut permit) = read(&state.intake, &parts.headers, body, SMALL_BYTES_MAX).await?;
        let fields = fields(&parts, sent, &mut permit).await?;
        let token = token(&parts.headers, &parameters, fields.get("access_token"));
        let caller = match parts.extensions.get::<Vouched>() {
            Some(vouched) => Caller::vouched(vouched),
            None => state.caller(token.as_deref()).await?,
        };
        Ok(Self { caller, parameters, fields })
    }
}

/// The token, wherever it stands.
pub(crate) fn token(headers: &HeaderMap, parameters: &Parameters, body: Option<&Value>) -> Option<String> {
    let header = headers.get("x-rollbar-access-token").and_then(|value| value.to_str().ok());
    let header = header.map(str::trim).filter(|token| !token.is_empty()).map(str::to_owned);
    let of_body = || body.and_then(Value::as_str).map(str::to_owned);
    header.or_else(|| parameters.get("access_token").map(str::to_owned)).or_else(of_body)
}

/// A body, inflated.
pub(crate) async fn read(
    intake: &Intake,
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
) -> Result<(Bytes, Permit), Refusal> {
    let (body, permit) = intake.read_body(headers, body, bytes_max).await.map_err(unread)?;
    if body.len() > bytes_max {
        return Err(too_large());
    }
    Ok((body, permit))
}

pub(crate) fn unread(error: BodyError) -> Refusal {
    match error {
        BodyError::Busy(busy) => Refusal::new(StatusCode::TOO_MANY_REQUESTS, busy.to_string()),
        BodyError::TooLarge { .. } | BodyError::TooManyValues { .. } => too_large(),
        error => Refusal::new(StatusCode::BAD_REQUEST, error.to_string()),
    }
}

fn too_large() -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large")
}

/// JSON of a body, or of the field `payload` of a form.
pub(crate) fn json(body: &[u8], permit: &mut Permit) -> Result<Value, Refusal> {
    let bad = || Refusal::new(StatusCode::BAD_REQUEST, "the body is no JSON");
    let text = body.trim_ascii();
    let text = match text.first() {
        None => return Err(Refusal::new(StatusCode::BAD_REQUEST, "the body is empty")),
        Some(b'{' | b'[') => std::borrow::Cow::Borrowed(text),
        Some(_) => {
            let mut pairs = url::form_urlencoded::parse(text);
            let payload = pairs.find(|(name, _)| name == "payload").ok_or_else(bad)?;
            std::borrow::Cow::Owned(payload.1.into_owned().into_bytes())
        }
    };
    Intake::admit_json(&text, permit).map_err(unread)?;
    serde_json::from_slice(&text)
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, format!("the body is no JSON: {error}")))
}

/// The members of a body, whatever its form.
async fn fields(parts: &Parts, body: Bytes, permit: &mut Permit) -> Result<Map<String, Value>, Refusal> {
    let text = body.trim_ascii();
    if text.is_empty() {
        return Ok(Map::new());
    }
    if text[0] == b'{' {
        return match json(text, permit)? {
            Value::Object(members) => Ok(members),
            _ => Ok(Map::new()),
        };
    }
    if text[0] == b'[' {
        // Lists of rules: the only bodies that are no objects.
        return Ok(Map::from_iter([("rules".to_owned(), json(text, permit)?)]));
    }
    let content_type =
        parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if let Ok(boundary) = multer::parse_boundary(content_type) {
        let bad = |_| Refusal::new(StatusCode::BAD_REQUEST, "the parts of the body cannot be read");
        let stream = futures::stream::once(async move { Ok::<_, std::convert::Infallible>(body) });
        let mut several = multer::Multipart::new(stream, boundary);
        let mut members = Map::new();
        while let Some(field) = several.next_field().await.map_err(bad)? {
            let Some(name) = field.name().map(str::to_owned) else { continue };
            if members.len() < FIELDS_MAX {
                members.insert(name, field.text().await.map_err(bad)?.into());
            }
        }
        return Ok(members);
    }
    let pairs = url::form_urlencoded::parse(text).take(FIELDS_MAX);
    Ok(pairs.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))).collect())
}
