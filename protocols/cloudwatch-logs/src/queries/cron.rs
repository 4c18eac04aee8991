//! When a scheduled query runs: `cron(minutes hours day-of-month month day-of-week year)` in a time zone, or `rate(5
//! minutes)`. The operations parse it when a query is scheduled; the schedule asks it for the next time.

use std::str::FromStr;

use chrono::{DateTime, Datelike, Duration, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;

const YEAR_MIN: i32 = 1970;
const YEAR_MAX: i32 = 2199;
/// How far ahead a time is looked for: the 29th of February on a given day of the week comes every 40 years at worst.
const DAYS_AHEAD_MAX: i64 = 366 * 42;
/// The longest rate: a year.
const RATE_MINUTES_MAX: i64 = 366 * 24 * 60;

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Schedule {
    Rate { minutes: i64 },
    Cron(Box<Cron>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cron {
    minutes: u64,
    hours: u64,
    days: Days,
    months: u64,
    /// One for each year from [`YEAR_MIN`].
    years: Vec<bool>,
    zone: Tz,
}

#[derive(Clone, Debug, PartialEq)]
enum Days {
    OfMonth(u64),
    LastOfMonth,
    /// The weekday nearest to a day.
    NearWeekday(u32),
    /// Sunday is 1.
    OfWeek(u64),
    /// The last such day of the month.
    LastOfWeek(u32),
    /// The nth such day of the month.
    NthOfWeek(u32, u32),
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Schedule {
    /// What is wrong with an expression or a time zone is said for the person who wrote it.
    pub(crate) fn parse(expression: &str, zone: Option<&str>) -> Result<Self, String> {
        let zone = zone.unwrap_or("UTC");
        let zone = Tz::from_str(zone).map_err(|_| format!("unknown time zone: {zone}"))?;
        let expression = expression.trim();
        let inside = |word: &str| expression.strip_prefix(word)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(inside) = inside("rate") {
            return rate(inside).ok_or_else(|| format!("invalid rate expression: {expression}"));
        }
        let fields = inside("cron").ok_or("an expression is cron(...) or rate(...)")?;
        let cron = cron(fields, zone).ok_or_else(|| format!("invalid cron expression: {expression}"))?;
        Ok(Self::Cron(Box::new(cron)))
    }

    /// The first time after `after_ms`, in milliseconds. A rate counts from `anchor_ms`, when the query was made.
    pub(crate) fn next(&self, after_ms: i64, anchor_ms: i64) -> Option<i64> {
        match self {
            Self::Rate { minutes } => {
                let step = minutes * 60_000;
                let passed = after_ms.saturating_sub(anchor_ms).max(0) / step;
                anchor_ms.checked_add((passed + 1).checked_mul(step)?)
            }
            Self::Cron(cron) => cron.next(after_ms),
        }
    }
}

fn rate(inside: &str) -> Option<Schedule> {
    let (number, unit) = inside.trim().split_once(char::is_whitespace)?;
    let number: i64 = number.parse().ok().filter(|number| *number > 0)?;
    let minutes = match (unit.trim(), number) {
        ("minute", 1) => 1,
        ("minutes", _) if number > 1 => number,
        ("hour", 1) => 60,
        ("hours", _) if number > 1 => number.checked_mul(60)?,
        ("day", 1) => 24 * 60,
        ("days", _) if number > 1 => number.checked_mul(24 * 60)?,
        _ => return None,
    };
    (minutes <= RATE_MINUTES_MAX).then_some(Schedule::Rate { minutes })
}

fn cron(fields: &str, zone: Tz) -> Option<Cron> {
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let [minutes, hours, of_month, months, of_week, years] = fields.as_slice() else { return None };
    let days = match (*of_month, *of_week) {
        ("?", "?") => return None,
        (day, "?") => days_of_month(day)?,
        ("?", day) => days_of_week(day)?,
        // One of the two is to be left open; everything in one of them is taken as that.
        (day, "*") => days_of_month(day)?,
        ("*", day) => days_of_week(day)?,
        _ => return None,
    };
    let mut years_set = vec![false; (YEAR_MAX - YEAR_MIN + 1) as usize];
    for range in ranges(years, YEAR_MIN as u32, YEAR_MAX as u32, &[])? {
        range.for_each(|year| years_set[(year as i32 - YEAR_MIN) as usize] = true);
    }
    Some(Cron {
        minutes: set(minutes, 0, 59, &[])?,
        hours: set(hours, 0, 23, &[])?,
        days,
        months: set(months, 1, 12, &MONTHS)?,
        years: years_set,
        zone,
    })
}

fn days_of_month(text: &str) -> Option<Days> {
    if text == "L" {
        return Some(Days::LastOfMonth);
    }
    if let Some(day) = text.strip_suffix('W') {
        return day.parse().ok().filter(|day| (1..=31).contains(day)).map(Days::NearWeekday);
    }
    Some(Days::OfMonth(set(text, 1, 31, &[])?))
}

fn days_of_week(text: &str) -> Option<Days> {
    if text == "L" {
        return Some(Days::OfWeek(1 << 7));
    }
    if let Some((day, nth)) = text.split_once('#') {
        let nth = nth.parse().ok().filter(|nth| (1..=5).contains(nth))?;
        return Some(Days::NthOfWeek(number(day, 1, 7, &WEEKDAYS)?, nth));
    }
    if let Some(day) = text.strip_suffix('L') {
        return number(day, 1, 7, &WEEKDAYS).map(Days::LastOfWeek);
    }
    Some(Days::OfWeek(set(text, 1, 7, &WEEKDAYS)?))
}

/// A list of numbers, ranges and steps as bits.
fn set(text: &str, min: u32, max: u32, names: &[&str]) -> Option<u64> {
    let mut bits = 0_u64;
    for range in ranges(text, min, max, names)? {
        range.for_each(|number| bits |= 1 << number);
    }
    Some(bits)
}

type Stepped = std::iter::StepBy<std::ops::RangeInclusive<u32>>;

fn ranges(text: &str, min: u32, max: u32, names: &[&str]) -> Option<Vec<Stepped>> {
    text.split(',').map(|part| range(part, min, max, names)).collect()
}

fn range(text: &str, min: u32, max: u32, names: &[&str]) -> Option<Stepped> {
    let (range, step) = match text.split_once('/') {
        Some((range, step)) => (range, Some(step.parse::<usize>().ok().filter(|step| *step > 0)?)),
        None => (text, None),
    };
    let (first, last) = match range.split_once('-') {
        _ if range == "*" => (min, max),
        Some((first, last)) => (number(first, min, max, names)?, number(last, min, max, names)?),
        None => {
            let first = number(range, min, max, names)?;
            (first, if step.is_some() { max } else { first })
        }
    };
    (first <= last).then(|| (first..=last).step_by(step.unwrap_or(1)))
}

fn number(text: &str, min: u32, max: u32, names: &[&str]) -> Option<u32> {
    if let Some(idx) = names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
        return Some(idx as u32 + 1);
    }
    text.parse().ok().filter(|number| (min..=max).contains(number))
}

impl Cron {
    fn next(&self, after_ms: i64) -> Option<i64> {
        let after = DateTime::<Utc>::from_timestamp_millis(after_ms)?.with_timezone(&self.zone);
        let mut day = after.date_naive();
        for _ in 0..DAYS_AHEAD_MAX {
            if day.year() > YEAR_MAX {
                return None;
            }
            if self.has_day(day)
                && let Some(found) = self.next_on(day, after_ms)
            {
                return Some(found);
            }
            day = day.checked_add_signed(Duration::days(1))?;
        }
        None
    }

    fn next_on(&self, day: NaiveDate, after_ms: i64) -> Option<i64> {
        let hours = (0..24).filter(|hour| self.hours & (1 << hour) != 0);
        let mut times = hours.flat_map(|hour| {
            (0..60)
                .filter(|minute| self.minutes & (1 << minute) != 0)
                .filter_map(move |minute| day.and_hms_opt(hour, minute, 0))
        });
        // A time that a change of the clocks leaves out does not come; one that comes twice counts once.
        times.find_map(|time| {
            let at_ms = self.zone.from_local_datetime(&time).earliest()?.timestamp_millis();
            (at_ms > after_ms).then_some(at_ms)
        })
    }

    fn has_day(&self, day: NaiveDate) -> bool {
        let year = day.year() - YEAR_MIN;
        let in_year = usize::try_from(year).ok().and_then(|year| self.years.get(year)).copied();
        if in_year != Some(true) || self.months & (1 << day.month()) == 0 {
            return false;
        }
        let of_week = day.weekday().num_days_from_sunday() + 1;
        let last = last_of_month(day);
        match &self.days {
            Days::OfMonth(days) => days & (1 << day.day()) != 0,
            Days::LastOfMonth => day.day() == last,
            Days::NearWeekday(wanted) => near_weekday(day, *wanted, last) == Some(day.day()),
            Days::OfWeek(days) => days & (1 << of_week) != 0,
            Days::LastOfWeek(wanted) => of_week == *wanted && day.day() + 7 > last,
            Days::NthOfWeek(wanted, nth) => of_week == *wanted && (day.day() - 1) / 7 + 1 == *nth,
        }
    }
}

fn last_of_month(day: NaiveDate) -> u32 {
    (28..=31).rev().find(|number| day.with_day(*number).is_some()).unwrap_or(28)
}

/// The day of this month that is the weekday nearest to `wanted`.
fn near_weekday(day: NaiveDate, wanted: u32, last: u32) -> Option<u32> {
    let date = day.with_day(wanted)?;
    Some(match date.weekday() {
        chrono::Weekday::Sat if wanted > 1 => wanted - 1,
        chrono::Weekday::Sat => wanted + 2,
        chrono::Weekday::Sun if wanted < last => wanted + 1,
        chrono::Weekday::Sun => wanted - 2,
        _ => wanted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    #[test]
    fn the_next_time_of_an_expression() {
        let after = "2026-11-23T03:00:00Z"; // A Monday.
        for (expression, zone, expected) in [
            ("cron(0/5 * * * ? *)", None, "2026-11-23T03:05:00Z"),
            ("cron(15 10 ? * * *)", None, "2026-11-23T10:15:00Z"),
            ("cron(0 3 * * ? *)", None, "2026-11-24T03:00:00Z"),
            ("cron(0 18 ? * MON-FRI *)", None, "2026-11-23T18:00:00Z"),
            ("cron(0 8 1 * ? *)", None, "2026-12-01T08:00:00Z"),
            ("cron(0 8 L * ? *)", None, "2026-11-30T08:00:00Z"),
            ("cron(0 8 ? * 6L *)", None, "2026-11-27T08:00:00Z"),
            ("cron(0 8 ? * 2#2 *)", None, "2026-12-14T08:00:00Z"),
            ("cron(0 8 29W * ? *)", None, "2026-11-30T08:00:00Z"),
            ("cron(0 0 29 2 ? *)", None, "2028-02-29T00:00:00Z"),
            ("cron(0 9 * * ? *)", Some("Asia/Tokyo"), "2026-11-24T00:00:00Z"),
            ("cron(0 9 1,15 JAN,jul ? 2027-2030)", None, "2027-01-01T09:00:00Z"),
            // 02:30 does not exist on the day the clocks go forward.
            ("cron(30 2 28-29 3 ? 2027)", Some("Europe/Berlin"), "2027-03-29T00:30:00Z"),
            ("rate(5 minutes)", None, "2026-11-23T03:03:00Z"),
            ("rate(1 day)", None, "2026-11-23T23:58:00Z"),
        ] {
            let schedule = Schedule::parse(expression, zone).unwrap();
            let found = schedule.next(ms(after), ms("2026-11-22T23:58:00Z")).unwrap();
            assert_eq!(found, ms(expected), "{expression}");
        }
    }

    #[test]
    fn what_never_comes_and_what_is_no_expression() {
        let never = Schedule::parse("cron(0 0 31 2 ? *)", None).unwrap();
        assert_eq!(never.next(0, 0), None);
        let past = Schedule::parse("cron(0 0 1 1 ? 1999)", None).unwrap();
        assert_eq!(past.next(ms("2026-01-01T00:00:00Z"), 0), None);
        for wrong in [
            "",
            "* * * * *",
            "cron(* * * * *)",
            "cron(* * ? * ? *)",
            "cron(* * 1 * 2 *)",
            "cron(60 * * * ? *)",
            "cron(0/0 * * * ? *)",
            "cron(5-1 * * * ? *)",
            "cron(0 0 32 * ? *)",
            "cron(0 0 ? * 2#6 *)",
            "rate(0 minutes)",
            "rate(1 minutes)",
            "rate(5 minute)",
            "rate(5 weeks)",
            "rate(99999999999999999 days)",
            "rate(5)",
        ] {
            assert!(Schedule::parse(wrong, None).is_err(), "{wrong}");
        }
        assert!(Schedule::parse("rate(1 hour)", Some("Mars/Base")).is_err());
    }
}
