//! `GetCallerIdentity` of AWS STS: clients ask it for their account before they write an ARN. The door calls it for forms;
//! it answers in the query protocol's XML, errors too.

use axum::body::Body;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use tracery_aws_wire::Error;

use crate::{CloudWatchLogs, caller, door};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const FORM: &str = "application/x-www-form-urlencoded";
const ACTION: &str = "GetCallerIdentity";

/// Whether a request is a form, as STS is asked.
pub(crate) fn is_asked(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM))
}

pub(crate) async fn answer(state: &CloudWatchLogs, parts: Parts, body: Body, request_id: &str) -> Response {
    match identity(state, parts, body).await {
        Ok(result) => {
            let body = format!(
                "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\"><GetCallerIdentityResult>{result}\
                 </GetCallerIdentityResult><ResponseMetadata><RequestId>{request_id}</RequestId>\
                 </ResponseMetadata></GetCallerIdentityResponse>"
            );
            xml(StatusCode::OK, body, request_id)
        }
        Err(error) => {
            let kind = if error.status < 500 { "Sender" } else { "Receiver" };
            let message = escape(error.message.as_deref().unwrap_or_default());
            let body = format!(
                "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{kind}</Type><Code>{}</Code>\
                 <Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
                escape(&error.code)
            );
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            xml(status, body, request_id)
        }
    }
}

async fn identity(state: &CloudWatchLogs, parts: Parts, body: Body) -> Result<String, Error> {
    let (sent, _permit) = door::read(&state.intake, &parts, body).await.map_err(door::unread)?;
    let caller = caller::find(&state.intake, caller::STS, &parts, &sent).await?;
    let action = url::form_urlencoded::parse(&sent).find(|(name, _)| name == "Action");
    let action = action.map(|(_, action)| action).unwrap_or_default();
    if action != ACTION {
        let message = format!("Could not find operation {action} for version 2011-06-15");
        return Err(Error::common("InvalidAction", 400, message));
    }
    let account = &caller.account_id;
    Ok(format!(
        "<Arn>arn:aws:iam::{account}:root</Arn><UserId>{account}</UserId><Account>{account}</Account>"
    ))
}

fn xml(status: StatusCode, body: String, request_id: &str) -> Response {
    let headers = [("content-type", "text/xml"), ("x-amzn-requestid", request_id)];
    (status, headers, body).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
