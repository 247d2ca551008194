//! The contract suite names the case that a faulty store does not pass.
#![cfg(feature = "test-util")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use rocket::time::{Duration, OffsetDateTime};
use rocket_jwt_extended::blocklist::{
    Blocklist, Exchange, Exchanged, LastExchange, Revocation, RevocationKind, SessionRow, Standing,
    StoreError, TokenIds,
};
use rocket_jwt_extended::testing::blocklist_contract;
use uuid::Uuid;

use Fault::*;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Faultless,
    Unreachable,
    NotShared,
    SessionsForgotten,
    SubjectsForgotten,
    EverythingForgotten,
    EverythingExchanged,
    KindsMixed,
    CutOffInSeconds,
    CutOffReplaced,
    CutOffSparesUnknown,
    CaseFolded,
    IdsTrimmed,
    IdsShortened,
    UntilReplaced,
    NeverLoses,
    NeverPruned,
    PrunedUnasked,
    PruneMiscounted,
    TimerReplaced,
    RevocationAlwaysChanges,
    RevocationNeverChanges,
    EndOfALiveSessionChangesNothing,
    RevocationRaces,
    EveryExchangeFirst,
    FirstExchangeUnwritten,
    LaterExchangesUnwritten,
    OneExchangePerSession,
    OtherTokensJudged,
    GraceIgnored,
    GraceWithoutEnd,
    GraceOfZero,
    GraceForOlderTokens,
    ClockBehindIsReuse,
    SeedLost,
    NextOfTheLastCall,
    TimeOfTheLastCall,
    ReuseEndsNothing,
    ReuseIsEnded,
    RepeatedCallUnknown,
    RepeatedEndUnknown,
    NewerIsReuse,
    NewerIsReplaced,
    NewerNeedsNoRow,
    NewerExchanged,
    NewerIsOnlyReused,
    RevokedTokenExchanged,
    RevokedSubjectExchanged,
    EndedSessionExchanged,
    RevokedExchangeWritten,
    EndHiddenByTheRow,
    RevocationHiddenByTheRow,
    RowBegunUnasked,
    RowBegunSilently,
    RowNeededUnasked,
    MissingRowIsLive,
    SessionsOfLoneTokensShared,
    LoneTokensWithoutSession,
    NamelessExchanged,
    ExchangeRaces,
    EndLostToAnExchange,
    ExchangeReplacesUntil,
    EndReplacesUntil,
}

#[derive(Default)]
struct Entry {
    revoked: bool,
    cut_off: Option<OffsetDateTime>,
    session: Option<SessionRow>,
    until: Option<OffsetDateTime>,
    timer: Option<OffsetDateTime>,
}

type Key = (Option<RevocationKind>, String);
type Entries = HashMap<Key, Entry>;

struct Store {
    fault: Fault,
    entries: Mutex<Entries>,
}

impl Store {
    fn new(fault: Fault) -> Self {
        Self { fault, entries: Mutex::default() }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn lock(&self) -> Result<MutexGuard<'_, Entries>, StoreError> {
        if self.has(Unreachable) {
            return Err(StoreError::new("no route to the store"));
        }
        let mut entries = self.entries.lock().map_err(|_| StoreError::new("poisoned"))?;
        entries.retain(|_, entry| entry.timer.is_none_or(|at| at > OffsetDateTime::now_utc()));
        Ok(entries)
    }

    fn key(&self, kind: RevocationKind, id: &str) -> Key {
        let id = match self.fault {
            CaseFolded => id.to_lowercase(),
            IdsTrimmed => id.trim_end().into(),
            IdsShortened => id.chars().take(255).collect(),
            _ => id.into(),
        };
        ((!self.has(KindsMixed)).then_some(kind), id)
    }

    fn token_key(&self, ids: &TokenIds<'_>) -> Option<Key> {
        ids.jti().map(|id| self.key(RevocationKind::Token, id))
    }

    fn subject_key(&self, ids: &TokenIds<'_>) -> Option<Key> {
        let subject = ids.subject().filter(|_| !self.has(SubjectsForgotten));
        subject.map(|id| self.key(RevocationKind::Subject, id))
    }

    fn everything_key(&self) -> Option<Key> {
        (!self.has(EverythingForgotten)).then(|| self.key(RevocationKind::Everything, ""))
    }

    fn session_key(&self, ids: &TokenIds<'_>) -> Option<Key> {
        let derived = || {
            let [_, id @ ..] = ids.session_key().filter(|_| !self.has(LoneTokensWithoutSession))?;
            Some(Uuid::from_bytes(id).to_string())
        };
        let id = ids.sid().map(String::from).or_else(derived)?;
        Some(self.key(RevocationKind::Session, &id))
    }

    /// Where the row of the session is.
    fn row_key(&self, ids: &TokenIds<'_>) -> Option<Key> {
        match ids.sid() {
            None if self.has(SessionsOfLoneTokensShared) => {
                Some(self.key(RevocationKind::Session, "of lone tokens"))
            }
            _ => self.session_key(ids),
        }
    }

    fn is_revoked(&self, entries: &Entries, ids: &TokenIds<'_>, key: Option<Key>) -> bool {
        let spared = self.has(CutOffSparesUnknown) && ids.issued_millis().is_none();
        key.and_then(|key| entries.get(&key)).is_some_and(|entry| {
            entry.revoked
                || entry.session.is_some_and(|row| row.ended)
                || entry.cut_off.is_some_and(|at| !spared && ids.is_cut_off_by(at))
        })
    }

    fn row(&self, entries: &Entries, ids: &TokenIds<'_>) -> Option<SessionRow> {
        entries.get(&self.row_key(ids)?)?.session
    }

    /// What the exchange does to the row: the decision that all stores share, and the faults of this one.
    fn decide(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
        row: Option<SessionRow>,
    ) -> (Exchanged, Option<SessionRow>) {
        let other = Exchange::new(
            Uuid::now_v7(),
            [0; 16],
            exchange.now(),
            Duration::days(1),
            exchange.until(),
        );
        let next = exchange.next().into_bytes();
        let ended = |row| SessionRow { ended: true, ended_by: Some(next), ..row };
        let reused = Exchanged::Reused { ended_now: true };
        let (outcome, written) = exchange.decide(ids, row.as_ref());
        let is_repeated = matches!(outcome, Exchanged::Repeated { .. });
        match (self.fault, row) {
            (EveryExchangeFirst, _) => exchange.decide(ids, None),
            (OneExchangePerSession, Some(row)) if !row.ended && outcome == Exchanged::First => {
                match row.current == Some(next) {
                    true => (outcome, written),
                    false => (reused, Some(ended(row))),
                }
            }
            (GraceIgnored, Some(row)) if is_repeated => (reused, Some(ended(row))),
            (ClockBehindIsReuse, Some(row)) => match outcome {
                Exchanged::Repeated { at, .. } if exchange.now() < at => (reused, Some(ended(row))),
                _ => (outcome, written),
            },
            (GraceWithoutEnd, Some(row)) if outcome == reused && !row.ended => {
                match Standing::of(ids, Some(&row)) {
                    Standing::Exchanged { .. } => other.decide(ids, Some(&row)),
                    _ => (outcome, written),
                }
            }
            (GraceOfZero, Some(row)) if outcome == reused && !row.ended => {
                match Standing::of(ids, Some(&row)) {
                    Standing::Exchanged { at } if millis(at) == millis(exchange.now()) => {
                        other.decide(ids, Some(&row))
                    }
                    _ => (outcome, written),
                }
            }
            (GraceForOlderTokens, Some(row)) if outcome == reused && !row.ended => {
                match (Standing::of(ids, Some(&row)), row.current, row.last) {
                    (Standing::Replaced, Some(current), Some(last)) => {
                        let next = Uuid::from_bytes(current);
                        let (seed, at) = (last.seed, exchange.now());
                        (Exchanged::Repeated { next, seed, at }, None)
                    }
                    _ => (outcome, written),
                }
            }
            (SeedLost | NextOfTheLastCall | TimeOfTheLastCall, _) => match outcome {
                Exchanged::Repeated { next, seed, at } => {
                    let outcome = match self.fault {
                        SeedLost => Exchanged::Repeated { next, seed: [0; 16], at },
                        NextOfTheLastCall => {
                            Exchanged::Repeated { next: exchange.next(), seed, at }
                        }
                        _ => Exchanged::Repeated { next, seed, at: exchange.now() },
                    };
                    (outcome, None)
                }
                _ => (outcome, written),
            },
            (ReuseEndsNothing, _) if outcome == reused => (outcome, None),
            (ReuseIsEnded, _) if outcome == reused => (Exchanged::Ended, written),
            (RepeatedCallUnknown, Some(row)) if !row.ended && written.is_none() => {
                other.decide(ids, Some(&row))
            }
            (RepeatedEndUnknown, _) => {
                (outcome, written.map(|row| SessionRow { ended_by: None, ..row }))
            }
            (NewerIsReuse, Some(row)) if is_newer(ids, &row) => (reused, Some(ended(row))),
            (NewerExchanged, Some(row)) if matches!(outcome, Exchanged::Newer { .. }) => {
                other.decide(ids, Some(&SessionRow { ended: false, ..row }))
            }
            (NewerIsOnlyReused, Some(_)) if matches!(outcome, Exchanged::Newer { .. }) => {
                (reused, written)
            }
            (EndedSessionExchanged, Some(row)) if row.ended => {
                exchange.decide(ids, Some(row).filter(|row| row.current.is_some()).as_ref())
            }
            (RowBegunUnasked | RowBegunSilently, None) if outcome == Exchanged::Ended => {
                let Some(token) = ids.jti_key() else { return (outcome, written) };
                let last = LastExchange { token, at: millis(exchange.now()), seed: [0; 16] };
                let row =
                    SessionRow { current: Some(next), last: Some(last), ..SessionRow::default() };
                match self.fault {
                    RowBegunUnasked => (Exchanged::First, Some(row)),
                    _ => (outcome, Some(row)),
                }
            }
            (RowNeededUnasked, Some(_))
                if outcome == Exchanged::First
                    && exchange.decide(ids, None).0 == Exchanged::Ended =>
            {
                (Exchanged::Ended, None)
            }
            (FirstExchangeUnwritten, None) | (LaterExchangesUnwritten, Some(_))
                if outcome == Exchanged::First =>
            {
                (outcome, None)
            }
            _ => (outcome, written),
        }
    }
}

fn millis(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1_000_000) as i64
}

/// Whether the row's current token is older than this one.
fn is_newer(ids: &TokenIds<'_>, row: &SessionRow) -> bool {
    let is_known = row.current.is_none() || row.current == ids.jti_key();
    let ids = TokenIds::new(ids.jti(), ids.sid(), ids.subject(), None).exchangeable();
    !row.ended && !is_known && Standing::of(&ids, Some(row)) == Standing::Live
}

/// The later of two times; `None` is never.
fn later(one: Option<OffsetDateTime>, other: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
    one.zip(other).map(|(one, other)| one.max(other))
}

/// As long as a round trip, so that calls overlap.
async fn round_trip() {
    rocket::tokio::time::sleep(std::time::Duration::from_millis(2)).await;
}

#[rocket::async_trait]
impl Blocklist for Store {
    async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError> {
        let key = self.key(entry.kind(), entry.id());
        let is_session = entry.kind() == RevocationKind::Session;
        let mut was_live = None;
        if self.has(RevocationRaces) && is_session {
            let row = self.lock()?.get(&key).and_then(|entry| entry.session);
            was_live = Some(row.is_none_or(|row| !row.ended));
        }
        if matches!(self.fault, RevocationRaces | EndLostToAnExchange) {
            round_trip().await;
        }
        let mut entries = self.lock()?;
        let is_new = !entries.contains_key(&key);
        let old = entries.entry(key).or_default();
        let replaces = self.has(UntilReplaced)
            || self.has(EndReplacesUntil) && old.session.is_some_and(|row| row.current.is_some());
        old.until = match (old.until, entry.until()) {
            (_, new) if is_new || replaces => new,
            (old, new) if self.has(NeverLoses) => later(old, new).or(old).or(new),
            (old, new) => later(old, new),
        };
        old.timer = entry.until().filter(|_| self.has(TimerReplaced));
        let is_change = match entry.cut_off() {
            Some(at) => {
                let second = at - Duration::nanoseconds(at.nanosecond().into());
                let before = old.cut_off;
                old.cut_off = match self.fault {
                    CutOffReplaced => Some(at),
                    CutOffInSeconds => before.max(Some(second)),
                    _ => before.max(Some(at)),
                };
                Some(at) > before
            }
            None if is_session => {
                let row = old.session.get_or_insert_default();
                let (is_begun, was_ended) = (row.current.is_some(), row.ended);
                row.ended = true;
                let is_hidden = is_begun && self.has(EndOfALiveSessionChangesNothing);
                !was_ended && !is_hidden
            }
            None => !std::mem::replace(&mut old.revoked, true),
        };
        Ok(match self.fault {
            RevocationAlwaysChanges => true,
            RevocationNeverChanges => false,
            _ => was_live.unwrap_or(is_change),
        })
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        let entries = self.lock()?;
        let mut row = self.row(&entries, ids).filter(|_| !self.has(SessionsForgotten));
        if self.has(EndHiddenByTheRow) && ids.is_exchangeable() {
            let is_seen = |row: &SessionRow| row.current.is_none() || row.ended_by.is_some();
            row = row.map(|row| SessionRow { ended: row.ended && is_seen(&row), ..row });
        }
        let own = self.is_revoked(&entries, ids, self.token_key(ids))
            || self.is_revoked(&entries, ids, self.subject_key(ids))
            || self.is_revoked(&entries, ids, self.everything_key());
        let is_lone_end = self.has(SessionsOfLoneTokensShared)
            && self.is_revoked(&entries, ids, self.session_key(ids));
        let ids = match self.fault {
            OtherTokensJudged => ids.exchangeable(),
            _ => *ids,
        };
        let of_row = match self.fault {
            MissingRowIsLive if row.is_none() => Standing::Live,
            NewerNeedsNoRow if row.is_some_and(|row| is_newer(&ids, &row)) => Standing::Live,
            _ => Standing::of(&ids, row.as_ref()),
        };
        Ok(match of_row {
            Standing::Exchanged { .. } if self.has(RevocationHiddenByTheRow) => of_row,
            _ if own || is_lone_end => Standing::Revoked,
            Standing::Live
                if self.has(NewerIsReplaced)
                    && ids.is_exchangeable()
                    && row.is_some_and(|row| is_newer(&ids, &row)) =>
            {
                Standing::Replaced
            }
            _ => of_row,
        })
    }

    async fn exchange(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
    ) -> Result<Exchanged, StoreError> {
        if ids.jti().is_none() {
            return match self.has(NamelessExchanged) {
                true => Ok(Exchanged::First),
                false => Err(StoreError::new("a token without `jti`")),
            };
        }
        let key = self.row_key(ids).ok_or_else(|| StoreError::new("a token without session"))?;
        loop {
            let seen = self.row(&*self.lock()?, ids);
            if matches!(self.fault, ExchangeRaces | EndLostToAnExchange) {
                round_trip().await;
                round_trip().await;
            }
            let mut entries = self.lock()?;
            let (mut outcome, mut written) = self.decide(ids, exchange, seen);
            let is_token = self.is_revoked(&entries, ids, self.token_key(ids));
            let is_subject = self.is_revoked(&entries, ids, self.subject_key(ids));
            let is_everything = self.is_revoked(&entries, ids, self.everything_key());
            if is_everything && !self.has(EverythingExchanged)
                || is_token && !self.has(RevokedTokenExchanged)
                || is_subject && !self.has(RevokedSubjectExchanged)
            {
                if !self.has(RevokedExchangeWritten) {
                    written = None;
                }
                outcome = Exchanged::Ended;
            }
            let row = self.row(&entries, ids);
            let same = |row: Option<SessionRow>| row.and_then(|row| row.current);
            let is_unchanged = match self.fault {
                ExchangeRaces => true,
                EndLostToAnExchange if outcome == Exchanged::First => same(row) == same(seen),
                _ => row == seen,
            };
            if !is_unchanged {
                continue;
            }
            if let Some(row) = written {
                let is_new = !entries.contains_key(&key);
                let entry = entries.entry(key).or_default();
                entry.session = Some(row);
                entry.until = match is_new || self.has(ExchangeReplacesUntil) {
                    true => exchange.until(),
                    false => later(entry.until, exchange.until()),
                };
            }
            return Ok(outcome);
        }
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        let mut entries = self.lock()?;
        let before = entries.len();
        entries.retain(|_, entry| match entry.until {
            _ if self.has(NeverPruned) => true,
            _ if self.has(PrunedUnasked) => false,
            until => until.is_none_or(|until| until > now),
        });
        Ok((before - entries.len()) as u64 + u64::from(self.has(PruneMiscounted)))
    }
}

async fn run(fault: Fault) {
    let store = Arc::new(Store::new(fault));
    blocklist_contract(async || match fault {
        NotShared => Arc::new(Store::new(fault)),
        _ => store.clone(),
    })
    .await;
}

#[rocket::async_test]
async fn a_store_without_fault_passes() {
    run(Faultless).await;
}

macro_rules! caught {
    ($($fault:ident: $test:ident by $case:literal,)*) => {$(
        #[rocket::async_test]
        #[should_panic(expected = $case)]
        async fn $test() {
            run($fault).await;
        }
    )*}
}

caught! {
    Unreachable: an_error_is_caught by "a_new_token_is_live: `standing` failed: no route to the store",
    NotShared: separate_stores_are_caught by "a_token_is_revoked_alone:",
    SessionsForgotten: forgotten_sessions_are_caught by "a_session_ends_with_all_its_tokens:",
    SubjectsForgotten: forgotten_subjects_are_caught by "a_subject_is_cut_off_to_the_millisecond:",
    EverythingForgotten: a_forgotten_cut_off_of_everything_is_caught
        by "everything_is_cut_off_to_the_millisecond: issued in the cut-off's millisecond",
    EverythingExchanged: an_exchange_after_the_cut_off_of_everything_is_caught
        by "everything_is_cut_off_to_the_millisecond: issued before",
    KindsMixed: mixed_kinds_are_caught by "kinds_are_distinct:",
    CutOffInSeconds: coarse_cut_offs_are_caught by "a_subject_is_cut_off_to_the_millisecond:",
    CutOffReplaced: a_cut_off_set_back_is_caught by "a_cut_off_never_goes_back:",
    CutOffSparesUnknown: a_spared_token_is_caught by "a_token_of_unknown_age_is_cut_off:",
    CaseFolded: folded_case_is_caught by "an_id_may_be_any_text:",
    IdsTrimmed: trimmed_ids_are_caught by "an_id_may_be_any_text:",
    IdsShortened: shortened_ids_are_caught by "an_id_may_be_any_text:",
    UntilReplaced: a_shortened_until_is_caught by "an_until_is_never_shortened:",
    NeverLoses: a_limit_to_never_is_caught by "a_missing_until_is_later_than_any:",
    NeverPruned: entries_that_never_leave_are_caught by "expired_entries_are_pruned:",
    PrunedUnasked: entries_that_leave_early_are_caught
        by "an_expiry_is_not_shortened_by_an_exchange: the row expires in two hours",
    PruneMiscounted: a_wrong_count_is_caught by "expired_entries_are_pruned:",
    TimerReplaced: a_shortened_timer_is_caught by "an_until_is_never_shortened_in_real_time:",
    RevocationAlwaysChanges: a_repeated_revocation_that_changes_is_caught
        by "a_revocation_tells_whether_it_changed_anything: it was",
    RevocationNeverChanges: a_first_revocation_that_changes_nothing_is_caught
        by "a_revocation_tells_whether_it_changed_anything: the token was not revoked",
    EndOfALiveSessionChangesNothing: an_end_of_a_live_session_that_changes_nothing_is_caught
        by "a_revocation_tells_whether_it_changed_anything: the session was live",
    RevocationRaces: racing_revocations_are_caught by "exactly_one_of_many_revocations_changes_anything:",
    FirstExchangeUnwritten: an_exchange_that_is_not_written_is_caught
        by "the_first_exchange_begins_a_session: it was exchanged",
    OtherTokensJudged: a_foreign_token_that_is_judged_is_caught
        by "the_first_exchange_begins_a_session: a token that may not be exchanged",
    OneExchangePerSession: a_second_exchange_that_is_refused_is_caught
        by "each_token_of_a_session_is_exchanged_for_the_next: the current token",
    EveryExchangeFirst: a_second_first_is_caught
        by "a_repeat_within_the_grace_gets_the_same_pair: within the grace",
    GraceIgnored: an_ignored_grace_is_caught
        by "a_repeat_within_the_grace_gets_the_same_pair: within the grace",
    SeedLost: a_lost_seed_is_caught by "a_repeat_within_the_grace_gets_the_same_pair: within the grace",
    NextOfTheLastCall: a_new_next_is_caught
        by "a_repeat_within_the_grace_gets_the_same_pair: within the grace",
    TimeOfTheLastCall: the_time_of_the_last_call_is_caught
        by "a_repeat_within_the_grace_gets_the_same_pair: within the grace",
    ClockBehindIsReuse: a_clock_that_is_behind_is_caught
        by "a_repeat_within_the_grace_gets_the_same_pair: within the grace",
    GraceWithoutEnd: a_grace_without_end_is_caught
        by "a_repeat_after_the_grace_ends_the_session: after the grace",
    GraceOfZero: a_grace_of_zero_is_caught
        by "a_repeat_after_the_grace_ends_the_session: after the grace",
    ReuseEndsNothing: a_reuse_that_ends_nothing_is_caught
        by "a_repeat_after_the_grace_ends_the_session: its session has ended",
    ReuseIsEnded: an_unreported_reuse_is_caught
        by "a_repeat_after_the_grace_ends_the_session: after the grace",
    GraceForOlderTokens: a_grace_for_older_tokens_is_caught
        by "a_token_before_the_last_ends_the_session: its successor was exchanged",
    LaterExchangesUnwritten: a_later_exchange_that_is_not_written_is_caught
        by "a_token_before_the_last_ends_the_session: its successor was exchanged",
    RepeatedCallUnknown: a_repeated_call_that_is_not_known_is_caught
        by "a_call_that_is_repeated_gets_the_same_answer: the same call",
    RepeatedEndUnknown: a_repeated_end_that_is_not_known_is_caught
        by "a_call_that_is_repeated_gets_the_same_answer: the same call",
    NewerIsReuse: a_newer_token_called_reuse_is_caught
        by "a_token_that_is_newer_than_the_row_counts_as_first:",
    NewerIsReplaced: a_newer_token_that_is_refused_is_caught
        by "a_token_that_is_newer_than_the_row_counts_as_first:",
    NewerNeedsNoRow: a_newer_token_that_needs_no_row_is_caught
        by "a_newer_token_ends_a_session_that_must_have_a_row: it is newer than the current token",
    NewerExchanged: a_newer_token_that_is_exchanged_is_caught
        by "a_newer_token_ends_a_session_that_must_have_a_row: it is newer than the current token",
    NewerIsOnlyReused: a_lost_write_that_is_called_theft_is_caught
        by "a_newer_token_ends_a_session_that_must_have_a_row: it is newer than the current token",
    RevokedTokenExchanged: the_exchange_of_a_revoked_token_is_caught
        by "a_revoked_token_is_not_exchanged: it is revoked",
    RevokedSubjectExchanged: the_exchange_for_a_revoked_subject_is_caught
        by "a_revoked_token_is_not_exchanged: it is revoked",
    EndedSessionExchanged: an_exchange_that_does_not_see_the_end_is_caught
        by "a_revoked_token_is_not_exchanged: it is revoked",
    RevokedExchangeWritten: a_row_of_a_revoked_token_is_caught
        by "a_revoked_token_is_not_exchanged: nothing was written",
    EndHiddenByTheRow: an_end_that_the_row_hides_is_caught
        by "a_session_ends_after_its_exchanges: exchanged, then revoked",
    RevocationHiddenByTheRow: a_revocation_that_the_row_hides_is_caught
        by "a_session_ends_after_its_exchanges: exchanged, then revoked",
    RowBegunUnasked: a_row_that_may_not_be_begun_is_caught
        by "a_session_without_a_row_is_not_begun_unless_it_may: there is no row",
    RowBegunSilently: a_row_begun_silently_is_caught
        by "a_session_without_a_row_is_not_begun_unless_it_may: there is no row",
    MissingRowIsLive: a_missing_row_that_is_no_reason_is_caught
        by "a_session_without_a_row_is_not_begun_unless_it_may: there is no row",
    RowNeededUnasked: a_row_that_is_overlooked_is_caught
        by "a_session_without_a_row_is_not_begun_unless_it_may: there is a row",
    SessionsOfLoneTokensShared: a_session_shared_by_two_tokens_is_caught
        by "a_token_without_sid_has_a_session_of_its_own: another token has another session",
    LoneTokensWithoutSession: a_token_without_session_is_caught
        by "a_token_without_sid_has_a_session_of_its_own: `exchange` failed",
    NamelessExchanged: the_exchange_of_a_nameless_token_is_caught by "a_token_without_jti_is_an_error:",
    ExchangeRaces: racing_exchanges_are_caught by "exactly_one_of_many_calls_is_first:",
    EndLostToAnExchange: an_end_lost_to_an_exchange_is_caught
        by "a_revocation_is_not_lost_to_an_exchange: its session has ended",
    ExchangeReplacesUntil: an_exchange_that_shortens_the_until_is_caught
        by "an_expiry_is_not_shortened_by_an_exchange: the row expires in two hours",
    EndReplacesUntil: an_end_that_shortens_the_until_is_caught
        by "an_ended_session_is_kept_for_the_longer_until:",
}

/// A store whose changes are a log, from which something is missing.
mod replicable {
    use rocket_jwt_extended::MemoryBlocklist;
    use rocket_jwt_extended::blocklist::{Changes, Cursor, Entry, EntryKey, ReplicableBlocklist};
    use rocket_jwt_extended::testing::replicable_blocklist_contract;

    use super::*;

    #[derive(Clone, Copy, PartialEq)]
    enum Omitted {
        Nothing,
        EarlierEntries,
        LaterEntries,
        EndsByExchanges,
        EntriesWithoutEnd,
    }

    use Omitted::*;

    struct Logged {
        omitted: Omitted,
        memory: MemoryBlocklist,
        log: Mutex<Vec<Entry>>,
        untils: Mutex<HashMap<EntryKey, Option<OffsetDateTime>>>,
    }

    impl Logged {
        /// When the entry expires, now that it was recorded with this `until`.
        fn until(
            &self,
            key: EntryKey,
            new: Option<OffsetDateTime>,
        ) -> Result<Option<OffsetDateTime>, StoreError> {
            let mut untils = self.untils.lock().map_err(|_| StoreError::new("poisoned"))?;
            let until = untils.entry(key).or_insert(new);
            *until = later(*until, new);
            Ok(*until)
        }

        fn append(&self, entry: Entry) -> Result<(), StoreError> {
            let is_omitted = self.omitted == EntriesWithoutEnd && entry.until.is_none();
            if !is_omitted {
                self.log.lock().map_err(|_| StoreError::new("poisoned"))?.push(entry);
            }
            Ok(())
        }
    }

    #[rocket::async_trait]
    impl Blocklist for Logged {
        async fn revoke(&self, revocation: &Revocation) -> Result<bool, StoreError> {
            let is_change = self.memory.revoke(revocation).await?;
            let until = self.until(revocation.key(), revocation.until())?.map(millis);
            self.append(Entry { until, ..Entry::of(revocation) })?;
            Ok(is_change)
        }

        async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
            self.memory.standing(ids).await
        }

        async fn exchange(
            &self,
            ids: &TokenIds<'_>,
            exchange: &Exchange,
        ) -> Result<Exchanged, StoreError> {
            let outcome = self.memory.exchange(ids, exchange).await?;
            let Some(key) = ids.session_key() else { return Ok(outcome) };
            let until = self.until(key, exchange.until())?.map(millis);
            let is_end = matches!(outcome, Exchanged::Reused { .. } | Exchanged::Newer { .. });
            if is_end && self.omitted != EndsByExchanges {
                self.append(Entry { key, revoked: true, cut_off: None, until })?;
            }
            Ok(outcome)
        }

        async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
            self.memory.prune(now).await
        }
    }

    #[rocket::async_trait]
    impl ReplicableBlocklist for Logged {
        async fn changes(&self, after: Option<&Cursor>) -> Result<Changes, StoreError> {
            let log = self.log.lock().map_err(|_| StoreError::new("poisoned"))?;
            let seen = after.and_then(Cursor::get::<usize>).copied();
            let entries = match (self.omitted, seen) {
                (EarlierEntries, None) | (LaterEntries, Some(_)) => vec![],
                _ => log.get(seen.unwrap_or(0)..).unwrap_or(&log).to_vec(),
            };
            Ok(Changes { entries, cursor: Cursor::new(log.len()), more: false })
        }
    }

    async fn run(omitted: Omitted) {
        let (log, untils) = (Mutex::default(), Mutex::default());
        let store = Logged { omitted, memory: MemoryBlocklist::new(), log, untils };
        let store = Arc::new(store);
        replicable_blocklist_contract(async || store.clone()).await;
    }

    #[rocket::async_test]
    async fn a_store_without_fault_passes() {
        run(Nothing).await;
    }

    caught! {
        LaterEntries: omitted_later_entries_are_caught by "a_token_is_revoked_alone:",
        EntriesWithoutEnd: omitted_entries_without_end_are_caught
            by "unexpired_entries_are_kept:",
        EarlierEntries: omitted_earlier_entries_are_caught by "a_pass_returns_all_entries:",
        EndsByExchanges: omitted_ends_are_caught
            by "a_repeat_after_the_grace_ends_the_session: its session has ended",
    }
}
