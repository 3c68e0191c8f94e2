//! When clients are reminded of the appointments of a service, and how.
//!
//! A rule is told by what it says: one that is changed is another one. What has been sent by a rule is not sent again because
//! another one has come or gone.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::time::{TimeOfDay, date_in, resolve_local};

/// Rules that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemindersError {
    #[error("a reminder has either before_minutes or before_days")]
    Neither,
    #[error("before_minutes has no time of day: that goes with before_days")]
    TimeWithoutDays,
    #[error("before_minutes is 1 to {max}, got {got}", max = Lead::MAX_MINUTES)]
    Minutes { got: u32 },
    #[error("before_days is 0 to {max}, got {got}", max = Lead::MAX_DAYS)]
    Days { got: u16 },
    #[error("on the day itself a reminder needs a time of day")]
    NoTime,
    #[error("the time of day is before 24:00")]
    EndOfDay,
    #[error("a service has at most {} reminders", ReminderRules::MAX)]
    TooMany,
    #[error("the same reminder is named twice")]
    Twice,
}

/// How a client is reminded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "ReminderChannel"))]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// By mail to their address.
    Email,
    /// By whoever follows the log: the tenant's webhooks are told that it is due.
    Webhook,
}

impl Channel {
    pub const ALL: [Self; 2] = [Self::Email, Self::Webhook];

    /// Its name on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }
}

crate::words!(Channel, "channel", UnknownChannel);

/// How long before the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lead {
    /// So many minutes, whatever the clocks do meanwhile.
    Minutes(u32),
    /// So many local days; at that time of day, or else at that of the appointment.
    Days { days: u16, at: Option<TimeOfDay> },
}

impl Lead {
    /// 60 days.
    pub const MAX_MINUTES: u32 = 86_400;
    pub const MAX_DAYS: u16 = 60;
}

/// One reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct ReminderRule {
    lead: Lead,
    channel: Channel,
}

/// How a rule is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "ReminderRule"))]
#[serde(deny_unknown_fields)]
struct Form {
    /// So many minutes before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before_minutes: Option<u32>,
    /// So many local days before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before_days: Option<u16>,
    /// At this local time of day; else at that of the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<TimeOfDay>,
    channel: Channel,
}

#[cfg(test)]
impl schemars::JsonSchema for ReminderRule {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Form::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Form::json_schema(generator)
    }
}

impl ReminderRule {
    /// # Errors
    /// When it is out of bounds.
    pub fn new(lead: Lead, channel: Channel) -> Result<Self, RemindersError> {
        match lead {
            Lead::Minutes(got) if !(1..=Lead::MAX_MINUTES).contains(&got) => {
                Err(RemindersError::Minutes { got })
            }
            Lead::Days { days: got, .. } if got > Lead::MAX_DAYS => {
                Err(RemindersError::Days { got })
            }
            Lead::Days { days: 0, at: None } => Err(RemindersError::NoTime),
            Lead::Days { at: Some(TimeOfDay::END_OF_DAY), .. } => Err(RemindersError::EndOfDay),
            lead => Ok(Self { lead, channel }),
        }
    }

    #[must_use]
    pub const fn channel(self) -> Channel {
        self.channel
    }

    #[must_use]
    pub const fn lead(self) -> Lead {
        self.lead
    }

    /// When it is due for an appointment that starts then, where the clocks are those of `zone` (RFC 5545 section 3.3.5 for
    /// local times that do not occur, or occur twice). `None`: it would not be before the start.
    #[must_use]
    pub fn due(self, start: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let due = match self.lead {
            Lead::Minutes(minutes) => start - TimeDelta::minutes(minutes.into()),
            Lead::Days { days, at } => {
                let date = date_in(zone, start).checked_sub_days(Days::new(days.into()))?;
                let local = at.map_or_else(
                    || date.and_time(start.with_timezone(&zone).time()),
                    |at| at.on(date),
                );
                resolve_local(zone, local)
            }
        };
        (due < start).then_some(due)
    }
}

impl TryFrom<Form> for ReminderRule {
    type Error = RemindersError;

    fn try_from(form: Form) -> Result<Self, RemindersError> {
        let lead = match (form.before_minutes, form.before_days, form.time) {
            (Some(minutes), None, None) => Lead::Minutes(minutes),
            (Some(_), None, Some(_)) => return Err(RemindersError::TimeWithoutDays),
            (None, Some(days), at) => Lead::Days { days, at },
            (Some(_), Some(_), _) | (None, None, _) => return Err(RemindersError::Neither),
        };
        Self::new(lead, form.channel)
    }
}

impl From<ReminderRule> for Form {
    fn from(ReminderRule { lead, channel }: ReminderRule) -> Self {
        let (before_minutes, before_days, time) = match lead {
            Lead::Minutes(minutes) => (Some(minutes), None, None),
            Lead::Days { days, at } => (None, Some(days), at),
        };
        Self { before_minutes, before_days, time, channel }
    }
}

/// What ids of reminders are made of: it never changes.
impl fmt::Display for ReminderRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channel = self.channel;
        match self.lead {
            Lead::Minutes(minutes) => write!(f, "{channel}-{minutes}m"),
            Lead::Days { days, at: None } => write!(f, "{channel}-{days}d"),
            Lead::Days { days, at: Some(at) } => write!(f, "{channel}-{days}d-{at}"),
        }
    }
}

/// A text that is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no rule of reminders: {0:?}")]
pub struct UnknownRule(String);

impl FromStr for ReminderRule {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        let parsed = || {
            let (channel, lead) = text.split_once('-')?;
            let lead = match lead.split_once('-') {
                Some((days, at)) => Lead::Days {
                    days: days.strip_suffix('d')?.parse().ok()?,
                    at: Some(at.parse().ok()?),
                },
                None => match lead.strip_suffix('m') {
                    Some(minutes) => Lead::Minutes(minutes.parse().ok()?),
                    None => Lead::Days { days: lead.strip_suffix('d')?.parse().ok()?, at: None },
                },
            };
            Self::new(lead, channel.parse().ok()?).ok()
        };
        parsed().ok_or_else(|| UnknownRule(text.chars().take(40).collect()))
    }
}

/// All reminders of a service; each is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Vec<ReminderRule>", into = "Vec<ReminderRule>")]
pub struct ReminderRules(Vec<ReminderRule>);

impl ReminderRules {
    /// How many a service can have.
    pub const MAX: usize = 5;

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn contains(&self, rule: ReminderRule) -> bool {
        self.0.contains(&rule)
    }

    pub fn iter(&self) -> impl Iterator<Item = ReminderRule> + '_ {
        self.0.iter().copied()
    }
}

impl TryFrom<Vec<ReminderRule>> for ReminderRules {
    type Error = RemindersError;

    fn try_from(rules: Vec<ReminderRule>) -> Result<Self, RemindersError> {
        if rules.len() > Self::MAX {
            return Err(RemindersError::TooMany);
        }
        let twice = |(at, rule): (usize, &ReminderRule)| rules[..at].contains(rule);
        if rules.iter().enumerate().any(twice) {
            return Err(RemindersError::Twice);
        }
        Ok(Self(rules))
    }
}

impl From<ReminderRules> for Vec<ReminderRule> {
    fn from(rules: ReminderRules) -> Self {
        rules.0
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn rule(text: &str) -> ReminderRule {
        serde_json::from_str(text).unwrap()
    }

    fn due(text: &str, zone: Tz, local: &str) -> String {
        let start = resolve_local(zone, local.parse().unwrap());
        let due = rule(text).due(start, zone).unwrap();
        due.with_timezone(&zone).to_rfc3339()
    }

    const DAY: &str = r#"{"before_minutes":1440,"channel":"email"}"#;
    const DAY_BEFORE: &str = r#"{"before_days":1,"channel":"email"}"#;

    #[test]
    fn a_day_before_is_no_24_hours_where_clocks_change() {
        let oslo = Tz::Europe__Oslo;
        assert_eq!(due(DAY, oslo, "2027-03-28T09:00:00"), "2027-03-27T08:00:00+01:00");
        assert_eq!(due(DAY_BEFORE, oslo, "2027-03-28T09:00:00"), "2027-03-27T09:00:00+01:00");
        let evening = r#"{"before_days":1,"time":"18:30","channel":"email"}"#;
        assert_eq!(due(evening, oslo, "2027-10-31T09:00:00"), "2027-10-30T18:30:00+02:00");
    }

    #[test]
    fn a_local_time_that_is_not_there_is_after_the_gap_and_one_of_two_is_the_first() {
        let night = r#"{"before_days":1,"time":"02:30","channel":"email"}"#;
        let oslo = Tz::Europe__Oslo;
        assert_eq!(due(night, oslo, "2027-03-29T09:00:00"), "2027-03-28T03:30:00+02:00");
        assert_eq!(due(night, oslo, "2027-11-01T09:00:00"), "2027-10-31T02:30:00+02:00");
        let midnight = r#"{"before_days":0,"time":"00:00","channel":"email"}"#;
        let cairo = due(midnight, Tz::Africa__Cairo, "2027-04-30T09:00:00");
        assert_eq!(cairo, "2027-04-30T01:00:00+03:00");
        let santiago = due(midnight, Tz::America__Santiago, "2027-09-05T09:00:00");
        assert_eq!(santiago, "2027-09-05T01:00:00-03:00");
        // Half an hour is what the clocks of Lord Howe change by.
        let lord_howe = due(night, Tz::Australia__Lord_Howe, "2027-10-04T09:00:00");
        assert_eq!(lord_howe, "2027-10-03T02:30:00+11:00");
        let gap = r#"{"before_days":1,"time":"02:15","channel":"email"}"#;
        let lord_howe = due(gap, Tz::Australia__Lord_Howe, "2027-10-04T09:00:00");
        assert_eq!(lord_howe, "2027-10-03T02:45:00+11:00");
    }

    #[test]
    fn a_reminder_is_before_the_start() {
        let noon = rule(r#"{"before_days":0,"time":"12:00","channel":"email"}"#);
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(noon.due(at("2027-01-05T12:00:00Z"), Tz::UTC), None);
        let due = noon.due(at("2027-01-05T12:00:01Z"), Tz::UTC);
        assert_eq!(due, Some(at("2027-01-05T12:00:00Z")));
    }

    #[test]
    fn a_rule_is_bounded_and_of_one_kind() {
        for (form, error) in [
            (r#"{"channel":"email"}"#, "either before_minutes or before_days"),
            (r#"{"before_minutes":5,"before_days":1,"channel":"email"}"#, "either"),
            (r#"{"before_minutes":0,"channel":"email"}"#, "1 to 86400"),
            (r#"{"before_minutes":86401,"channel":"email"}"#, "1 to 86400"),
            (r#"{"before_minutes":5,"time":"09:00","channel":"email"}"#, "goes with before_days"),
            (r#"{"before_days":61,"channel":"email"}"#, "0 to 60"),
            (r#"{"before_days":0,"channel":"email"}"#, "needs a time"),
            (r#"{"before_days":1,"time":"24:00","channel":"email"}"#, "before 24:00"),
            (r#"{"before_days":1,"channel":"pigeon"}"#, "unknown variant `pigeon`"),
        ] {
            let said = serde_json::from_str::<ReminderRule>(form).unwrap_err().to_string();
            assert!(said.contains(error), "{form}: {said}");
        }
        let rules = |texts: &[&str]| {
            ReminderRules::try_from(texts.iter().map(|text| rule(text)).collect::<Vec<_>>())
        };
        assert_eq!(rules(&[DAY, DAY_BEFORE, DAY]), Err(RemindersError::Twice));
        let six = (1..=6).map(|n| ReminderRule::new(Lead::Minutes(n), Channel::Email).unwrap());
        assert_eq!(ReminderRules::try_from(six.collect::<Vec<_>>()), Err(RemindersError::TooMany));
        assert!(rules(&[DAY, DAY_BEFORE]).is_ok());
    }

    #[test]
    fn a_rule_is_told_by_a_text_that_is_read_again() {
        for (form, text) in [
            (DAY, "email-1440m"),
            (DAY_BEFORE, "email-1d"),
            (r#"{"before_days":2,"time":"09:05","channel":"email"}"#, "email-2d-09:05"),
            (r#"{"before_minutes":90,"channel":"webhook"}"#, "webhook-90m"),
        ] {
            assert_eq!(rule(form).to_string(), text);
            assert_eq!(text.parse(), Ok(rule(form)));
        }
        for text in ["", "email", "email-0m", "email-61d", "email-1d-25:00", "sms-5m"] {
            assert!(text.parse::<ReminderRule>().is_err(), "{text}");
        }
    }
}
