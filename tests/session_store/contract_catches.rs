//! The contract suite names the case that a faulty store does not pass.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use rocket::time::OffsetDateTime;
use rocket_jwt_extended::blocklist::{
    Begun, Blocklist, EVERYTHING, EntryKey, Exchange, Exchanged, IdKey, Limit, MAX_LISTED,
    NewSession, Owner, Recorded, Renewal, Revocation, RevocationKind, SessionRow, SessionStore,
    Standing, StoreError, TokenIds,
};
use rocket_jwt_extended::testing::session_store_contract;
use uuid::Uuid;

use Fault::*;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Faultless,
    ListsNothing,
    NotShared,
    LabelTrimmed,
    LabelEndsAtZero,
    EmptyLabelLost,
    LabelKept,
    OldestFirst,
    LongList,
    ExpiredListed,
    CutOffListed,
    EverythingForgotten,
    EndedListed,
    EndsOfOthers,
    EndsUnknown,
    EndsTwice,
    EndsItself,
    OthersNotEnded,
    UntilShortened,
    BeginRevives,
    LimitIgnored,
    NewestMakeRoom,
    DeadHoldPlaces,
    RefusedIsWritten,
    LimitRaces,
    NotMoved,
    EndOnlyLater,
    SubjectTaken,
    NeverAdopted,
    OwnerErased,
    BegunUnasked,
    NewerPasses,
    RenewalNotMoved,
    RenewalShortens,
    RenewalKeepsUntil,
    RenewalBegins,
    RenewalNeedsNoRow,
    RenewalRevives,
    RenewalTakesSubject,
}

#[derive(Clone, Default)]
struct Session {
    row: SessionRow,
    until: Option<OffsetDateTime>,
}

impl Session {
    fn extend(&mut self, until: Option<OffsetDateTime>) {
        self.until = self.until.zip(until).map(|(old, new)| old.max(new));
    }
}

#[derive(Default)]
struct State {
    sessions: BTreeMap<IdKey, Session>,
    notes: BTreeMap<IdKey, [Option<String>; 2]>,
    tokens: HashSet<EntryKey>,
    cut_offs: HashMap<EntryKey, OffsetDateTime>,
}

struct Store {
    fault: Fault,
    state: Mutex<State>,
}

fn millis(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1_000_000) as i64
}

fn key(id: &Uuid) -> IdKey {
    *id.as_bytes()
}

fn subject(ids: &TokenIds<'_>) -> Option<IdKey> {
    ids.subject_key().map(|[_, id @ ..]| id)
}

fn session(ids: &TokenIds<'_>) -> Option<IdKey> {
    ids.session_key().map(|[_, id @ ..]| id)
}

impl Store {
    fn new(fault: Fault) -> Self {
        Self { fault, state: Mutex::default() }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no call panics")
    }

    fn is_revoked(&self, state: &State, ids: &TokenIds<'_>) -> bool {
        let token = ids.token_key().is_some_and(|key| state.tokens.contains(&key));
        let everything = (!self.has(EverythingForgotten)).then_some(EVERYTHING);
        let mut keys = ids.subject_key().into_iter().chain(everything);
        token || keys.any(|key| state.cut_offs.get(&key).is_some_and(|at| ids.is_cut_off_by(*at)))
    }

    fn standing_in(&self, state: &State, ids: &TokenIds<'_>) -> Standing {
        let row = session(ids).and_then(|id| state.sessions.get(&id));
        match self.is_revoked(state, ids) {
            true => Standing::Revoked,
            false => Standing::of(ids, row.map(|session| &session.row)),
        }
    }

    /// The subject's sessions that have not ended, newest first.
    fn live(&self, state: &State, ids: &TokenIds<'_>, now: OffsetDateTime) -> Vec<Recorded> {
        let keys = [ids.subject_key(), Some(EVERYTHING).filter(|_| !self.has(EverythingForgotten))];
        let cut_offs = keys.into_iter().flatten().filter_map(|key| state.cut_offs.get(&key));
        let cut_off = cut_offs.max().filter(|_| !self.has(CutOffListed)).copied().map(millis);
        let one = |(id, Session { row, .. }): (&IdKey, &Session)| {
            let is_live = !row.ended || self.has(EndedListed);
            let owner = row.owner.filter(|_| is_live)?;
            let [label, details] = state.notes.get(id).cloned().unwrap_or_default();
            (Some(owner.subject) == subject(ids)).then_some(Recorded {
                id: Uuid::from_bytes(*id),
                current: row.current?,
                seen: owner.seen,
                ends: owner.ends,
                label,
                details,
            })
        };
        let all = state.sessions.iter().rev().filter_map(one);
        let now = if self.has(ExpiredListed) { OffsetDateTime::UNIX_EPOCH } else { now };
        let mut live: Vec<_> = all.filter(|one| one.is_live(now, cut_off)).collect();
        if self.has(OldestFirst) {
            live.reverse();
        }
        live
    }

    fn end_in(
        &self,
        state: &mut State,
        ids: &TokenIds<'_>,
        id: IdKey,
        until: Option<OffsetDateTime>,
    ) -> bool {
        if self.has(EndsUnknown) {
            let row = SessionRow { ended: true, ..SessionRow::default() };
            state.sessions.entry(id).or_insert(Session { row, until });
        }
        let Some(session) = state.sessions.get_mut(&id) else { return false };
        let owner = session.row.owner.map(|owner| owner.subject);
        if !self.has(EndsOfOthers) && owner != subject(ids) {
            return false;
        }
        match self.has(UntilShortened) {
            true => session.until = until,
            false => session.extend(until),
        }
        !std::mem::replace(&mut session.row.ended, true) || self.has(EndsTwice)
    }

    fn note(&self, text: Option<&str>) -> Option<String> {
        let text = text?;
        Some(match self.fault {
            LabelTrimmed => text.trim().into(),
            LabelEndsAtZero => text.split('\0').next()?.into(),
            EmptyLabelLost if text.is_empty() => return None,
            _ => text.into(),
        })
    }
}

#[rocket::async_trait]
impl Blocklist for Store {
    async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError> {
        let mut state = self.lock();
        Ok(match (entry.kind(), entry.cut_off()) {
            (RevocationKind::Session, _) => {
                let [_, id @ ..] = entry.key();
                let new = Session { until: entry.until(), ..Session::default() };
                let session = state.sessions.entry(id).or_insert(new);
                session.extend(entry.until());
                !std::mem::replace(&mut session.row.ended, true)
            }
            (_, None) => state.tokens.insert(entry.key()),
            (_, Some(at)) => state.cut_offs.insert(entry.key(), at) != Some(at),
        })
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        Ok(self.standing_in(&self.lock(), ids))
    }

    async fn exchange(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
    ) -> Result<Exchanged, StoreError> {
        let mut state = self.lock();
        if self.is_revoked(&state, ids) {
            return Ok(Exchanged::Ended);
        }
        let id = session(ids).ok_or_else(|| StoreError::new("a token without a session"))?;
        let old = state.sessions.get(&id).map(|session| session.row);
        let (mut outcome, mut written) = exchange.decide(ids, old.as_ref());
        let begins = self.has(BegunUnasked) && old.is_none();
        if begins || (self.has(NewerPasses) && matches!(outcome, Exchanged::Newer { .. })) {
            let current = Some(*exchange.next().as_bytes());
            let owner = exchange.owner().copied();
            written = Some(SessionRow { current, owner, ..SessionRow::default() });
            outcome = Exchanged::First;
        }
        if let Some(mut row) = written {
            let [before, asked] = [old.and_then(|old| old.owner), exchange.owner().copied()];
            let later = |one: &Owner, other: &Owner| Some(one.ends?.max(other.ends?));
            row.owner = match (self.fault, before, asked) {
                (NotMoved, Some(before), _) => Some(before),
                (EndOnlyLater, Some(before), Some(asked)) => {
                    Some(Owner { ends: later(&before, &asked), ..asked })
                }
                (SubjectTaken, _, Some(asked)) => Some(asked),
                (NeverAdopted, None, _) if old.is_some() => None,
                (OwnerErased, _, None) => None,
                _ => row.owner,
            };
            let new = Session { row, until: exchange.until() };
            let session = state.sessions.entry(id).or_insert(new);
            session.row = row;
            session.extend(exchange.until());
        }
        Ok(outcome)
    }

    fn session_store(&self) -> Option<&dyn SessionStore> {
        (!self.has(ListsNothing)).then_some(self)
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        let mut state = self.lock();
        let before = state.sessions.len();
        state.sessions.retain(|_, session| session.until.is_none_or(|until| until > now));
        let State { sessions, notes, .. } = &mut *state;
        notes.retain(|id, _| sessions.contains_key(id) || self.has(LabelKept));
        Ok((before - state.sessions.len()) as u64)
    }
}

#[rocket::async_trait]
impl SessionStore for Store {
    async fn begin(
        &self,
        ids: &TokenIds<'_>,
        new: &NewSession<'_>,
        limit: Option<Limit>,
    ) -> Result<Begun, StoreError> {
        let id = key(&new.id);
        let mut ended = vec![];
        let is_repeated = self.lock().sessions.contains_key(&id);
        if is_repeated && !self.has(BeginRevives) {
            return Ok(Begun::Begun { ended });
        }
        let row = Session { row: new.row(), until: new.until };
        if let Some(limit) = limit.filter(|_| !self.has(LimitIgnored) && !is_repeated) {
            let now =
                OffsetDateTime::from_unix_timestamp_nanos(i128::from(new.owner.seen) * 1_000_000)
                    .expect("a time");
            let now = if self.has(DeadHoldPlaces) { OffsetDateTime::UNIX_EPOCH } else { now };
            let mut live = self.live(&self.lock(), ids, now);
            if self.has(NewestMakeRoom) {
                live.reverse();
            }
            if self.has(LimitRaces) {
                rocket::tokio::task::yield_now().await;
            }
            let Some(to_end) = limit.to_end(&live) else {
                if self.has(RefusedIsWritten) {
                    self.lock().sessions.insert(id, row);
                }
                return Ok(Begun::TooMany);
            };
            for Recorded { id, .. } in to_end {
                if self.end_in(&mut self.lock(), ids, key(id), new.until) {
                    ended.push(*id);
                }
            }
        }
        let mut state = self.lock();
        state.sessions.insert(id, row);
        let notes = [new.label, new.details].map(|text| self.note(text));
        state.notes.entry(id).or_insert(notes);
        Ok(Begun::Begun { ended })
    }

    async fn sessions(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
    ) -> Result<Vec<Recorded>, StoreError> {
        let mut live = self.live(&self.lock(), ids, now);
        if !self.has(LongList) {
            live.truncate(MAX_LISTED);
        }
        Ok(live)
    }

    async fn end_session(
        &self,
        ids: &TokenIds<'_>,
        session: Uuid,
        until: Option<OffsetDateTime>,
    ) -> Result<bool, StoreError> {
        Ok(self.end_in(&mut self.lock(), ids, key(&session), until))
    }

    async fn end_other_sessions(
        &self,
        ids: &TokenIds<'_>,
        until: Option<OffsetDateTime>,
    ) -> Result<Vec<Uuid>, StoreError> {
        let mut state = self.lock();
        let live = self.live(&state, ids, OffsetDateTime::UNIX_EPOCH);
        let is_other = |one: &&Recorded| self.has(EndsItself) || Some(key(&one.id)) != session(ids);
        let mut others = vec![];
        for Recorded { id, .. } in live.iter().filter(is_other) {
            if self.has(OthersNotEnded) || self.end_in(&mut state, ids, key(id), until) {
                others.push(*id);
            }
        }
        Ok(others)
    }

    async fn renew(&self, ids: &TokenIds<'_>, renewal: &Renewal) -> Result<Standing, StoreError> {
        let mut state = self.lock();
        let standing = self.standing_in(&state, ids);
        if standing != Standing::Live && !self.has(RenewalRevives) {
            return Ok(standing);
        }
        let is_refused = ids.needs_row() && !self.has(RenewalNeedsNoRow);
        let Some(id) = session(ids) else {
            return Ok(if is_refused { Standing::Revoked } else { standing });
        };
        if self.has(RenewalBegins) {
            let owner = Owner::new(ids, renewal.now, renewal.ends);
            let row = SessionRow { current: Some([0; 16]), owner, ..SessionRow::default() };
            state.sessions.entry(id).or_insert(Session { row, until: renewal.until });
        }
        let Some(session) = state.sessions.get_mut(&id) else {
            return Ok(if is_refused { Standing::Revoked } else { standing });
        };
        if self.has(RenewalNotMoved) {
            return Ok(Standing::Live);
        }
        let ends = renewal.ends.map(millis);
        let seen = millis(renewal.now);
        session.row.owner = match (session.row.owner, Owner::new(ids, renewal.now, None)) {
            (Some(old), new) => {
                let later = old.ends.zip(ends).map(|(old, new)| old.max(new));
                let ends = if self.has(RenewalShortens) { ends } else { later };
                let taken = new.filter(|_| self.has(RenewalTakesSubject));
                Some(Owner { seen, ends, ..taken.unwrap_or(old) })
            }
            (None, new) => new,
        };
        if !self.has(RenewalKeepsUntil) {
            session.extend(renewal.until);
        }
        Ok(Standing::Live)
    }
}

async fn run(fault: Fault) {
    let store = Arc::new(Store::new(fault));
    session_store_contract(async || match fault {
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
    ListsNothing: a_store_without_lists_is_caught by "no `session_store()`",
    NotShared: separate_stores_are_caught by "a_session_is_listed_as_it_began",
    LabelTrimmed: a_trimmed_label_is_caught by "a_label_may_be_any_text",
    LabelEndsAtZero: a_label_cut_at_zero_is_caught by "a_label_may_be_any_text",
    EmptyLabelLost: a_lost_empty_label_is_caught by "a_label_may_be_any_text",
    LabelKept: a_label_that_stays_is_caught by "an_expired_session_is_pruned_with_its_label",
    OldestFirst: another_order_is_caught by "a_session_is_listed_as_it_began",
    LongList: a_long_list_is_caught by "at_most_a_thousand_sessions_are_listed",
    ExpiredListed: listed_expired_sessions_are_caught by "an_expired_session_is_not_listed",
    CutOffListed: listed_cut_off_sessions_are_caught
        by "a_session_that_was_cut_off_is_not_listed",
    EverythingForgotten: a_forgotten_cut_off_is_caught by "a_cut_off_of_everything_ends_all_lists",
    EndedListed: listed_ended_sessions_are_caught by "a_session_is_ended_once",
    EndsOfOthers: the_end_of_a_foreign_session_is_caught
        by "the_session_of_another_subject_is_not_ended",
    EndsUnknown: the_end_of_an_unknown_session_is_caught
        by "the_session_of_another_subject_is_not_ended",
    EndsTwice: a_second_end_is_caught by "a_session_is_ended_once",
    EndsItself: the_end_of_the_own_session_is_caught
        by "the_other_sessions_end_and_the_own_does_not",
    OthersNotEnded: others_that_live_on_are_caught
        by "the_other_sessions_end_and_the_own_does_not",
    UntilShortened: a_shortened_until_is_caught by "an_ended_session_is_kept_for_the_longer_until",
    BeginRevives: a_revived_session_is_caught by "a_repeated_begin_succeeds",
    LimitIgnored: an_ignored_limit_is_caught by "the_oldest_sessions_make_room",
    NewestMakeRoom: the_end_of_the_newest_is_caught by "the_oldest_sessions_make_room",
    DeadHoldPlaces: expired_sessions_with_a_place_are_caught by "only_live_sessions_hold_a_place",
    RefusedIsWritten: a_refused_session_that_lives_is_caught
        by "a_login_beyond_the_limit_is_refused",
    LimitRaces: a_race_of_logins_is_caught by "concurrent_logins_keep_to_the_limit",
    NotMoved: an_exchange_that_moves_nothing_is_caught by "an_exchange_moves_what_is_listed",
    EndOnlyLater: an_end_that_only_grows_is_caught by "an_exchange_moves_what_is_listed",
    SubjectTaken: a_taken_session_is_caught by "a_session_keeps_its_subject",
    NeverAdopted: a_row_that_stays_without_owner_is_caught
        by "an_exchange_gives_a_row_its_owner",
    OwnerErased: an_erased_owner_is_caught by "an_exchange_without_an_owner_keeps_the_old_one",
    BegunUnasked: a_session_begun_unasked_is_caught by "a_session_without_a_row_is_not_exchanged",
    NewerPasses: a_newer_token_that_passes_is_caught
        by "a_token_that_is_newer_than_the_row_ends_the_session",
    RenewalNotMoved: a_renewal_that_moves_nothing_is_caught by "a_renewal_moves_what_is_listed",
    RenewalShortens: a_renewal_that_shortens_is_caught by "a_renewal_moves_what_is_listed",
    RenewalKeepsUntil: a_renewal_that_extends_nothing_is_caught by "a_renewal_extends_the_row",
    RenewalBegins: a_renewal_that_begins_is_caught
        by "a_renewal_without_a_row_is_refused_if_one_is_needed",
    RenewalNeedsNoRow: a_renewal_without_a_row_is_caught
        by "a_renewal_without_a_row_is_refused_if_one_is_needed",
    RenewalRevives: a_renewal_of_the_revoked_is_caught by "what_was_revoked_is_not_renewed",
    RenewalTakesSubject: a_renewal_that_takes_a_session_is_caught
        by "a_renewal_gives_a_row_its_owner",
}
