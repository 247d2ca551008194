//! The contract suite names the case that a faulty store does not pass.
#![cfg(feature = "test-util")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use rocket::time::{Duration, OffsetDateTime};
use rocket_jwt_extended::blocklist::{
    Blocklist, Revocation, RevocationKind, Standing, StoreError, TokenIds, UseUp,
};
use rocket_jwt_extended::testing::blocklist_contract;

use Fault::*;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Faultless,
    Unreachable,
    NotShared,
    SessionsForgotten,
    SubjectsForgotten,
    KindsMixed,
    CutOffInSeconds,
    CutOffReplaced,
    CutOffSparesUnknown,
    CaseFolded,
    IdsTrimmed,
    IdsShortened,
    UntilReplaced,
    ForGoodLoses,
    NeverPruned,
    PrunedUnasked,
    PruneMiscounted,
    TimerReplaced,
    EveryUseFirst,
    UseRaces,
    UseTellsTheLast,
    UseIgnoresRevocation,
    RevocationLostToUse,
    UseWinsOverSession,
    UseMarksTheSession,
    NamelessUsed,
}

#[derive(Default)]
struct Entry {
    revoked: bool,
    cut_off: Option<OffsetDateTime>,
    used: Option<OffsetDateTime>,
    until: Option<OffsetDateTime>,
    timer: Option<OffsetDateTime>,
}

type Key = (Option<RevocationKind>, String);

struct Store {
    fault: Fault,
    entries: Mutex<HashMap<Key, Entry>>,
}

impl Store {
    fn new(fault: Fault) -> Self {
        Self { fault, entries: Mutex::default() }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn lock(&self) -> Result<MutexGuard<'_, HashMap<Key, Entry>>, StoreError> {
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

    fn is_dead(&self, entries: &HashMap<Key, Entry>, ids: &TokenIds<'_>) -> bool {
        let session = ids.sid().filter(|_| !self.has(SessionsForgotten));
        let subject = ids.subject().filter(|_| !self.has(SubjectsForgotten));
        let keys = [
            self.token_key(ids),
            session.map(|id| self.key(RevocationKind::Session, id)),
            subject.map(|id| self.key(RevocationKind::Subject, id)),
        ];
        let spared = self.has(CutOffSparesUnknown) && ids.issued_millis().is_none();
        keys.into_iter().flatten().filter_map(|key| entries.get(&key)).any(|entry| {
            entry.revoked || entry.cut_off.is_some_and(|at| !spared && ids.is_cut_off_by(at))
        })
    }
}

#[rocket::async_trait]
impl Blocklist for Store {
    async fn revoke(&self, entry: &Revocation) -> Result<(), StoreError> {
        let mut entries = self.lock()?;
        let key = self.key(entry.kind(), entry.id());
        if self.has(RevocationLostToUse) && entries.get(&key).is_some_and(|old| old.used.is_some())
        {
            return Ok(());
        }
        let is_new = !entries.contains_key(&key);
        let old = entries.entry(key).or_default();
        old.until = match (old.until, entry.until()) {
            (_, new) if is_new || self.has(UntilReplaced) => new,
            (Some(old), Some(new)) => Some(old.max(new)),
            (old, new) if self.has(ForGoodLoses) => old.or(new),
            _ => None,
        };
        old.timer = entry.until().filter(|_| self.has(TimerReplaced));
        match entry.cut_off() {
            Some(at) if self.has(CutOffReplaced) => old.cut_off = Some(at),
            Some(at) if self.has(CutOffInSeconds) => {
                let second = at - Duration::nanoseconds(at.nanosecond().into());
                old.cut_off = old.cut_off.max(Some(second));
            }
            Some(at) => old.cut_off = old.cut_off.max(Some(at)),
            None => old.revoked = true,
        }
        Ok(())
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        let entries = self.lock()?;
        let used = self.token_key(ids).and_then(|key| entries.get(&key)?.used);
        let own = TokenIds::new(ids.jti(), None, None, None);
        let own_dead = self.is_dead(&entries, &own);
        Ok(match used {
            Some(first) if self.has(UseWinsOverSession) && !own_dead => Standing::Used { first },
            _ if self.is_dead(&entries, ids) => Standing::Revoked,
            Some(first) => Standing::Used { first },
            None => Standing::Live,
        })
    }

    async fn use_up(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<UseUp, StoreError> {
        let key = match self.token_key(ids) {
            Some(key) => key,
            None if self.has(NamelessUsed) => return Ok(UseUp::First),
            None => return Err(StoreError::new("a token without `jti`")),
        };
        if self.has(UseRaces) && !self.is_dead(&*self.lock()?, ids) {
            let is_used = self.lock()?.get(&key).is_some_and(|entry| entry.used.is_some());
            rocket::tokio::task::yield_now().await;
            if !is_used {
                self.lock()?.entry(key).or_default().used = Some(now);
                return Ok(UseUp::First);
            }
        }
        let mut entries = self.lock()?;
        if !self.has(UseIgnoresRevocation) && self.is_dead(&entries, ids) {
            return Ok(UseUp::Revoked);
        }
        if let (true, Some(sid)) = (self.has(UseMarksTheSession), ids.sid()) {
            let mark = Entry { revoked: true, ..Entry::default() };
            entries.insert(self.key(RevocationKind::Session, sid), mark);
        }
        let entry = entries.entry(key).or_default();
        match entry.used {
            Some(_) if self.has(EveryUseFirst) => Ok(UseUp::First),
            Some(_) if self.has(UseTellsTheLast) => Ok(UseUp::Again { first: now }),
            Some(first) => Ok(UseUp::Again { first }),
            None => {
                (entry.used, entry.until) = (Some(now), Some(until));
                Ok(UseUp::First)
            }
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
    NotShared: separate_stores_are_caught by "a_token_is_revoked_alone",
    SessionsForgotten: forgotten_sessions_are_caught by "a_session_ends_with_all_its_tokens",
    SubjectsForgotten: forgotten_subjects_are_caught by "a_subject_is_cut_off_to_the_millisecond",
    KindsMixed: mixed_kinds_are_caught by "kinds_are_distinct",
    CutOffInSeconds: coarse_cut_offs_are_caught by "a_subject_is_cut_off_to_the_millisecond",
    CutOffReplaced: a_cut_off_set_back_is_caught by "a_cut_off_never_goes_back",
    CutOffSparesUnknown: a_spared_token_is_caught by "a_token_of_unknown_age_is_cut_off",
    CaseFolded: folded_case_is_caught by "an_id_may_be_any_text",
    IdsTrimmed: trimmed_ids_are_caught by "an_id_may_be_any_text",
    IdsShortened: shortened_ids_are_caught by "an_id_may_be_any_text",
    UntilReplaced: a_shortened_until_is_caught by "an_until_is_never_shortened",
    ForGoodLoses: a_limit_to_for_good_is_caught by "a_missing_until_is_later_than_any",
    NeverPruned: entries_that_never_leave_are_caught by "expired_entries_are_pruned",
    PrunedUnasked: entries_that_leave_early_are_caught by "unexpired_entries_are_kept",
    PruneMiscounted: a_wrong_count_is_caught by "expired_entries_are_pruned",
    TimerReplaced: a_shortened_timer_is_caught by "an_until_is_never_shortened_in_real_time",
    EveryUseFirst: a_second_first_is_caught by "the_first_use_is_first_and_the_next_is_again",
    UseRaces: a_race_is_caught by "exactly_one_of_many_calls_is_first",
    UseTellsTheLast: a_wrong_first_is_caught by "the_first_use_is_first_and_the_next_is_again",
    UseIgnoresRevocation: the_use_of_a_revoked_token_is_caught by "a_revoked_token_is_not_used_up",
    RevocationLostToUse: a_revocation_lost_to_a_use_is_caught by "a_used_token_can_be_revoked",
    UseWinsOverSession: a_use_that_outlives_its_session_is_caught
        by "an_ended_session_takes_precedence_over_a_use",
    UseMarksTheSession: a_use_that_ends_its_session_is_caught
        by "the_first_use_is_first_and_the_next_is_again",
    NamelessUsed: the_use_of_a_nameless_token_is_caught by "a_token_without_jti_is_an_error",
}
