//! What Cruddur knows: users, and the activities they posted. The data is made up from a number, so that every run
//! shows the same people; `app` asks for it as it would ask a database.

use serde::Serialize;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// A person who can be signed in.
pub(crate) struct User {
    pub(crate) handle: &'static str,
    pub(crate) display_name: &'static str,
}

pub(crate) const USERS: &[User] = &[
    User { handle: "andrewbrown", display_name: "Andrew Brown" },
    User { handle: "worf", display_name: "Worf" },
    User { handle: "garek", display_name: "Garek" },
    User { handle: "bayko", display_name: "Andrew Bayko" },
    User { handle: "londo", display_name: "Londo Mollari" },
    User { handle: "delenn", display_name: "Delenn" },
    User { handle: "ivanova", display_name: "Susan Ivanova" },
    User { handle: "kira", display_name: "Kira Nerys" },
    User { handle: "odo", display_name: "Odo" },
    User { handle: "quark", display_name: "Quark" },
    User { handle: "jadzia", display_name: "Jadzia Dax" },
    User { handle: "miles", display_name: "Miles O'Brien" },
];

/// The id of the user at `user_idx`; beyond [`USERS`] there are nameless readers.
pub(crate) fn user_id(user_idx: usize) -> Uuid {
    Uuid::from_u64_pair(0x6372_7564_6475_4000, 0x8000_0000_0000_0000 | user_idx as u64)
}

/// The id of the `number`-th activity.
pub(crate) fn activity_id(number: usize) -> Uuid {
    Uuid::from_u64_pair(0x6163_7469_7669_4000, 0x8000_0000_0000_0000 | number as u64)
}

/// How many activities exist.
pub(crate) const ACTIVITY_COUNT: usize = 48;

const MESSAGES: &[&str] = &[
    "Cloud is fun!",
    "I am out of prune juice",
    "My dear doctor, I am just simple tailor",
    "Today I traced my first request",
    "Who turned the lights off in the cargo bay?",
    "The bar is open",
    "Looking for a quiet place to read",
    "One more deploy and then I sleep",
];

/// A post as the front end shows it.
#[derive(Serialize)]
pub(crate) struct Activity {
    pub(crate) uuid: String,
    pub(crate) handle: &'static str,
    pub(crate) display_name: &'static str,
    pub(crate) message: &'static str,
    pub(crate) created_at: String,
    pub(crate) expires_at: String,
    pub(crate) likes_count: usize,
    pub(crate) replies_count: usize,
    pub(crate) reposts_count: usize,
}

fn activity(number: usize, now: OffsetDateTime) -> Activity {
    let author = &USERS[number * 7 % USERS.len()];
    let created_at = now - Duration::hours(1 + number as i64 * 5);
    Activity {
        uuid: activity_id(number).to_string(),
        handle: author.handle,
        display_name: author.display_name,
        message: MESSAGES[number % MESSAGES.len()],
        created_at: spelled(created_at),
        expires_at: spelled(created_at + Duration::days(30)),
        likes_count: number * 13 % 37,
        replies_count: number % 4,
        reposts_count: number % 3,
    }
}

/// RFC 3339; the instants made here are all within the years that it can spell.
pub(crate) fn spelled(instant: OffsetDateTime) -> String {
    instant.format(&Rfc3339).unwrap_or_default()
}

/// What the home page shows: a signed-in reader sees more than a guest.
pub(crate) fn home(now: OffsetDateTime, signed_in: bool) -> Vec<Activity> {
    (0..if signed_in { 12 } else { 3 }).map(|number| activity(number, now)).collect()
}

/// The posts of one person; `None` when nobody has that handle.
pub(crate) fn of_user(handle: &str, now: OffsetDateTime) -> Option<Vec<Activity>> {
    USERS.iter().find(|user| user.handle == handle)?;
    let all = (0..ACTIVITY_COUNT).map(|number| activity(number, now));
    Some(all.filter(|activity| activity.handle == handle).collect())
}

/// One post.
pub(crate) fn by_id(id: Uuid, now: OffsetDateTime) -> Option<Activity> {
    (0..ACTIVITY_COUNT).find(|number| activity_id(*number) == id).map(|number| activity(number, now))
}
