//! Tags of groups and sampling rules. They are stored with what they are on and go with it.

use std::collections::BTreeMap;

use tracery_aws_wire::xray::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, Tag, TagResourceRequest, TagResourceResponse,
    UntagResourceRequest, UntagResourceResponse, errors,
};
use tracery_aws_wire::{Error, ErrorSpec};

use super::groups::{self, KeptGroup};
use super::invalid;
use super::kept::Kept;
use super::pages::page;
use super::sampling::{self, KeptRule};
use crate::{Caller, XRay};

/// Tags of one resource.
const TAGS_MAX: usize = 50;
const TAGS_PER_PAGE: usize = 200;
/// Keys that begin with it are the vendor's own, in any case of letters.
const RESERVED: &str = "aws:";

/// What can have tags.
enum Tagged {
    Group(Kept<KeptGroup>),
    Rule(Kept<KeptRule>),
}

impl Tagged {
    fn tags(&mut self) -> &mut BTreeMap<String, String> {
        match self {
            Self::Group(kept) => &mut kept.value.tags,
            Self::Rule(kept) => &mut kept.value.tags,
        }
    }

    async fn save(&self, state: &XRay, caller: &Caller) -> Result<(), Error> {
        match self {
            Self::Group(kept) => groups::save(state, caller, kept).await,
            Self::Rule(kept) => sampling::save(state, caller, kept).await,
        }
    }
}

pub(super) async fn tag_resource(
    state: &XRay,
    caller: &Caller,
    call: TagResourceRequest,
) -> Result<TagResourceResponse, Error> {
    let added = read(call.tags)?;
    let _changing = state.changes.lock().await;
    let mut tagged = find(state, caller, &call.resource_arn).await?;
    tagged.tags().extend(added);
    if tagged.tags().len() > TAGS_MAX {
        let message = format!("A resource can have {TAGS_MAX} tags.");
        return Err(of_resource(&errors::TOO_MANY_TAGS_EXCEPTION, message, &call.resource_arn));
    }
    tagged.save(state, caller).await?;
    Ok(TagResourceResponse {})
}

/// Keys that it does not have are fine.
pub(super) async fn untag_resource(
    state: &XRay,
    caller: &Caller,
    call: UntagResourceRequest,
) -> Result<UntagResourceResponse, Error> {
    let _changing = state.changes.lock().await;
    let mut tagged = find(state, caller, &call.resource_arn).await?;
    for key in &call.tag_keys {
        tagged.tags().remove(key);
    }
    tagged.save(state, caller).await?;
    Ok(UntagResourceResponse {})
}

pub(super) async fn list_tags_for_resource(
    state: &XRay,
    caller: &Caller,
    call: ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse, Error> {
    let mut tagged = find(state, caller, &call.resource_arn).await?;
    let tags = std::mem::take(tagged.tags()).into_iter().map(|(key, value)| Tag { key, value }).collect();
    let (tags, next_token) = page("tags", tags, call.next_token.as_deref(), TAGS_PER_PAGE)?;
    Ok(ListTagsForResourceResponse { tags: Some(tags), next_token })
}

/// The tags of a resource that is being made.
pub(super) fn of_new(tags: Option<Vec<Tag>>) -> Result<BTreeMap<String, String>, Error> {
    let tags = read(tags.unwrap_or_default())?;
    match tags.len() > TAGS_MAX {
        true => Err(invalid(format!("A resource can have {TAGS_MAX} tags."))),
        false => Ok(tags),
    }
}

fn read(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, Error> {
    let mut read = BTreeMap::new();
    for tag in tags {
        let start = tag.key.get(..RESERVED.len());
        if start.is_some_and(|start| start.eq_ignore_ascii_case(RESERVED)) {
            return Err(invalid(format!(
                "The tag key {} is reserved, as all that begin with aws:.",
                tag.key
            )));
        }
        if read.contains_key(&tag.key) {
            return Err(invalid(format!("The tag key {} is there twice.", tag.key)));
        }
        read.insert(tag.key, tag.value);
    }
    Ok(read)
}

async fn find(state: &XRay, caller: &Caller, arn: &str) -> Result<Tagged, Error> {
    if !arn.starts_with("arn:") {
        return Err(invalid(format!("{arn} is not an ARN.")));
    }
    if let Some(group) = groups::of_arn(state, caller, arn).await? {
        return Ok(Tagged::Group(group));
    }
    if let Some(rule) = sampling::of_arn(state, caller, arn).await? {
        return Ok(Tagged::Rule(rule));
    }
    let message = "There is no group and no sampling rule with this ARN.";
    Err(of_resource(&errors::RESOURCE_NOT_FOUND_EXCEPTION, message, arn))
}

fn of_resource(spec: &'static ErrorSpec, message: impl Into<String>, arn: &str) -> Error {
    Error::new(spec, message).with("ResourceName", arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_refused_for_their_keys_and_their_number() {
        let tag = |key: &str| Tag { key: key.to_owned(), value: "v".to_owned() };
        let many = |count: usize| (0..count).map(|idx| tag(&idx.to_string())).collect::<Vec<_>>();
        for (tags, fine) in [
            (vec![], true),
            (vec![tag("team"), tag("Team")], true),
            (vec![tag("awsome"), tag("é")], true),
            (vec![tag("AWS:team")], false),
            (vec![tag("a"), tag("a")], false),
            (many(50), true),
            (many(51), false),
        ] {
            assert_eq!(of_new(Some(tags.clone())).is_ok(), fine, "{} {:?}", tags.len(), tags.first());
        }
    }
}
