//! Checks durations: their bounds, and that lifetimes are whole seconds.

use rocket::time::Duration;

use super::findings::Findings;
use super::values::{OptionalSpan, Span};

/// A shorter wait ends before most stores answer, and each of those requests is refused with 503.
const LEAST_TIMEOUT: Duration = Duration::milliseconds(10);

/// Shorter intervals between polls, and between prunings, only load the store and the processor.
const LEAST_POLL: Duration = Duration::milliseconds(100);
const LEAST_PRUNE: Duration = Duration::SECOND;

/// A lifetime. The times in tokens are whole seconds, so a fraction would be cut off, and less than
/// a second would be none.
pub(super) fn lifetime(
    key: &str,
    OptionalSpan(span): OptionalSpan,
    findings: &mut Findings<'_>,
) -> Option<Duration> {
    let span = span?;
    if !span.is_positive() {
        findings.fault(key, ZERO_IS_FALSE);
    } else if span.subsec_nanoseconds() != 0 {
        findings.fault(
            key,
            "must be whole seconds, such as \"90s\", as the times in tokens have no fractions",
        );
    }
    Some(span)
}

const ZERO_IS_FALSE: &str = "must be greater than zero; `false` switches it off";

pub(super) fn implicit_refresh_within(
    OptionalSpan(span): OptionalSpan,
    findings: &mut Findings<'_>,
) -> Option<Duration> {
    const KEY: &str = "implicit_refresh_within";
    match span? {
        span if !span.is_positive() => findings.fault(KEY, ZERO_IS_FALSE),
        span => at_least(KEY, span, Duration::SECOND, findings),
    }
    span
}

pub(super) fn blocklist_replica(
    OptionalSpan(interval): OptionalSpan,
    findings: &mut Findings<'_>,
) -> Option<Duration> {
    const KEY: &str = "blocklist_replica";
    match interval? {
        interval if !interval.is_positive() => findings.fault(KEY, ZERO_IS_FALSE),
        interval if interval > Duration::HOUR => {
            findings.fault(KEY, "must not be longer than an hour");
        }
        interval => at_least(KEY, interval, LEAST_POLL, findings),
    }
    interval
}

pub(super) fn blocklist_timeout(Span(wait): Span, findings: &mut Findings<'_>) -> Duration {
    at_least("blocklist_timeout", wait, LEAST_TIMEOUT, findings);
    wait
}

pub(super) fn blocklist_prune_interval(
    Span(interval): Span,
    findings: &mut Findings<'_>,
) -> Duration {
    at_least("blocklist_prune_interval", interval, LEAST_PRUNE, findings);
    interval
}

fn at_least(key: &str, span: Duration, least: Duration, findings: &mut Findings<'_>) {
    if !span.is_positive() {
        findings.fault(key, "must be greater than zero");
    } else if span < least {
        let least = humantime::format_duration(least.unsigned_abs());
        findings.fault(key, format_args!("must not be shorter than \"{least}\""));
    }
}

pub(super) fn decode_leeway(Span(leeway): Span, findings: &mut Findings<'_>) -> Duration {
    if leeway > Duration::DAY {
        findings.fault("decode_leeway", "must not be longer than a day");
    }
    leeway
}

pub(super) fn rotation_grace(Span(grace): Span, findings: &mut Findings<'_>) -> Duration {
    if grace > Duration::HOUR {
        findings.fault(
            "rotation_grace",
            "must not be longer than an hour: a stolen token can be replayed for as long",
        );
    }
    grace
}
