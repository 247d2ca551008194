//! Every database gives the same answers as the store in memory, in any order of calls.

use std::fmt::Debug;

use rocket::time::{Duration, OffsetDateTime};
use rocket_db_pools::{deadpool_postgres, sqlx};
use rocket_jwt_extended::blocklist::{
    Begun, Blocklist, Exchange, Exchanged, Limit, MemoryBlocklist, NewSession, Owner, Recorded,
    Renewal, Revocation, Standing, TokenIds,
};
use uuid::Uuid;

use crate::store_support::{self, server};
use crate::support::{Login, end_redis, id_of, redis_store};

const STEPS: usize = 600;
const USERS: usize = 2;
const SESSIONS: usize = 8;

/// A generator of numbers (SplitMix64): the same ones for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A session with all its refresh tokens, and the exchanges that were made.
struct Session {
    login: Login,
    user: usize,
    tokens: Vec<String>,
    exchanges: Vec<(String, Exchange)>,
    /// Every other one is begun by its first exchange.
    is_begun: bool,
    logs_in: bool,
}

struct World {
    random: Random,
    users: Vec<String>,
    sessions: Vec<Session>,
    now: OffsetDateTime,
}

/// The answer to a call, in a form without an order that is left open.
#[derive(Debug, PartialEq)]
enum Answer {
    Begun(Option<Vec<Uuid>>),
    Exchanged(Exchanged),
    Standing(Standing),
    Ended(Vec<Uuid>),
    Is(bool),
}

/// A call, for both stores.
enum Call {
    Begin {
        session: usize,
        limit: Option<Limit>,
        ends: Option<OffsetDateTime>,
        label: Option<String>,
    },
    Exchange {
        session: usize,
        user: usize,
        token: String,
        exchange: Exchange,
    },
    Renew {
        session: usize,
        user: usize,
        renewal: Renewal,
        needs_row: bool,
    },
    Standing {
        session: usize,
        token: String,
        needs_row: bool,
    },
    End {
        session: usize,
        user: usize,
    },
    EndOthers {
        session: usize,
    },
    Revoke(Revocation),
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = Self {
            random: Random(seed),
            users: (0..USERS).map(|_| format!("user {}", Uuid::now_v7())).collect(),
            sessions: vec![],
            now: OffsetDateTime::now_utc() - Duration::HOUR,
        };
        for number in 0..USERS * SESSIONS {
            world.add(number % USERS, number % 3 > 0);
        }
        world
    }

    fn add(&mut self, user: usize, logs_in: bool) {
        let login = Login::new(&self.users[user], self.now);
        let tokens = vec![login.jti.clone()];
        let session =
            Session { login, user, tokens, exchanges: vec![], is_begun: !logs_in, logs_in };
        self.sessions.push(session);
    }

    fn later(&mut self) -> Option<OffsetDateTime> {
        let minutes = [1, 30, 240, 600];
        (!self.random.one_in(5)).then(|| self.now + Duration::minutes(*self.random.of(&minutes)))
    }

    fn next(&mut self) -> (Call, String) {
        self.now += Duration::milliseconds(1 + self.random.below(2_000) as i64);
        let now = self.now;
        if self.random.one_in(8) {
            let (user, logs_in) = (self.random.below(USERS), !self.random.one_in(3));
            self.add(user, logs_in);
        }
        // The newest are used the most.
        let newest = self.sessions.len() - 1 - self.random.below(self.sessions.len());
        let session = newest.max(self.random.below(self.sessions.len()));
        let ends = self.later();
        let one = &self.sessions[session];
        if !one.is_begun || (one.logs_in && self.random.one_in(10)) {
            let max = 1 + self.random.below(4);
            let limit = Limit { max, ends_oldest: self.random.one_in(2) };
            let limit = (!self.random.one_in(3)).then_some(limit);
            let label = (!self.random.one_in(3)).then(|| format!("label {session}"));
            self.sessions[session].is_begun = true;
            let what = format!("begin {session} with {limit:?}, ends {ends:?}");
            return (Call::Begin { session, limit, ends, label }, what);
        }
        // Now and then a token is presented by another subject.
        let user = if self.random.one_in(12) { self.random.below(USERS) } else { one.user };
        let older = self.random.below(one.tokens.len());
        let token = if self.random.one_in(5) { older } else { one.tokens.len() - 1 };
        let token = one.tokens[token].clone();
        match self.random.below(20) {
            0..8 => {
                let repeated = self.random.one_in(8);
                if let Some((token, exchange)) = one.exchanges.last().filter(|_| repeated) {
                    let (token, exchange) = (token.clone(), *exchange);
                    let what = format!("repeat the exchange of {session} by {user}");
                    return (Call::Exchange { session, user, token, exchange }, what);
                }
                // Later than the token, as the crate makes it; sometimes the store misses the write.
                let next = id_of(now);
                let seed = (next.as_u128() ^ u128::MAX).to_be_bytes();
                let grace = [Duration::ZERO, Duration::seconds(10)][self.random.below(2)];
                let mut exchange = Exchange::new(next, seed, now, grace, None);
                let presenter = Login { user: self.users[user].clone(), ..one.login.clone() };
                let is_owned = !self.random.one_in(4);
                if is_owned {
                    exchange = exchange.owned_by(&presenter.access(), ends);
                }
                let needs_row = self.random.one_in(2);
                if needs_row {
                    exchange = exchange.only_recorded();
                }
                let is_lost = self.random.one_in(25);
                let one = &mut self.sessions[session];
                one.tokens.push(next.to_string());
                one.exchanges.push((token.clone(), exchange));
                let token = if is_lost { id_of(now).to_string() } else { token };
                let what = format!(
                    "exchange {token} of {session} by {user} for {next}, ends {ends:?}, owned \
                     {is_owned}, needs a row {needs_row}, grace {grace}"
                );
                (Call::Exchange { session, user, token, exchange }, what)
            }
            8..12 => {
                let needs_row = self.random.one_in(2);
                let renewal = Renewal { now, ends, until: None };
                let what = format!("renew {session} by {user}, ends {ends:?}, {needs_row}");
                (Call::Renew { session, user, renewal, needs_row }, what)
            }
            12..16 => {
                let needs_row = self.random.one_in(2);
                let what = format!("standing of {token} in {session}, {needs_row}");
                (Call::Standing { session, token, needs_row }, what)
            }
            16 => (Call::End { session, user }, format!("end {session} by {user}")),
            17 if self.random.one_in(3) => {
                (Call::EndOthers { session }, format!("end the others of {session}"))
            }
            18 => {
                let revocation = Revocation::session(&one.login.sid, None);
                (Call::Revoke(revocation), format!("revoke {session}"))
            }
            19 if self.random.one_in(4) => {
                let cut_off = now - Duration::seconds(self.random.below(60) as i64);
                let revocation = Revocation::subject(&self.users[user], cut_off, None);
                (Call::Revoke(revocation), format!("cut off {user} at {cut_off}"))
            }
            _ => (Call::Revoke(Revocation::token(&token, None)), format!("revoke {token}")),
        }
    }

    async fn answer(&self, store: &dyn Blocklist, call: &Call) -> Answer {
        let sessions = store.session_store().expect("it lists sessions");
        let of = |session: &usize| &self.sessions[*session].login;
        let by = |session: &usize, user: &usize| Login {
            user: self.users[*user].clone(),
            ..of(session).clone()
        };
        let sorted = |mut ids: Vec<Uuid>| {
            ids.sort();
            ids
        };
        match call {
            Call::Begin { session, limit, ends, label } => {
                let login = of(session);
                let owner = Owner::new(&login.access(), self.now, *ends).expect("a subject");
                let new = login.session(self.now, None);
                let new = NewSession { owner, label: label.as_deref(), ..new };
                match sessions.begin(&login.access(), &new, *limit).await.expect("an answer") {
                    Begun::Begun { ended } => Answer::Begun(Some(sorted(ended))),
                    Begun::TooMany => Answer::Begun(None),
                }
            }
            Call::Exchange { session, user, token, exchange } => {
                let login = Login { jti: token.clone(), ..by(session, user) };
                let outcome = store.exchange(&login.refresh(), exchange).await;
                Answer::Exchanged(outcome.expect("an answer"))
            }
            Call::Renew { session, user, renewal, needs_row } => {
                let login = by(session, user);
                let ids = login.access();
                let ids = if *needs_row { ids.only_recorded() } else { ids };
                Answer::Standing(sessions.renew(&ids, renewal).await.expect("an answer"))
            }
            Call::Standing { session, token, needs_row } => {
                let login = Login { jti: token.clone(), ..of(session).clone() };
                let ids = login.refresh();
                let ids = if *needs_row { ids.only_recorded() } else { ids };
                Answer::Standing(store.standing(&ids).await.expect("an answer"))
            }
            Call::End { session, user } => {
                let login = by(session, user);
                let ended = sessions.end_session(&login.access(), login.id(), None).await;
                Answer::Is(ended.expect("an answer"))
            }
            Call::EndOthers { session } => {
                let ended = sessions.end_other_sessions(&of(session).access(), None).await;
                Answer::Ended(sorted(ended.expect("an answer")))
            }
            Call::Revoke(revocation) => {
                Answer::Is(store.revoke(revocation).await.expect("an answer"))
            }
        }
    }

    async fn lists(&self, store: &dyn Blocklist) -> Vec<Vec<impl PartialEq + Debug + use<>>> {
        let sessions = store.session_store().expect("it lists sessions");
        let mut lists = vec![];
        for user in &self.users {
            let ids = TokenIds::new(None, None, Some(user), None);
            let list = sessions.sessions(&ids, self.now).await.expect("a list");
            let fields = |it: Recorded| (it.id, it.current, it.seen, it.ends, it.label, it.details);
            lists.push(list.into_iter().map(fields).collect());
        }
        lists
    }
}

/// The calls of this seed, to a new store in memory and to this one.
async fn agrees(store: &dyn Blocklist, seed: u64) {
    let memory = MemoryBlocklist::new();
    let mut world = World::new(seed);
    let (mut history, mut listed, mut first) = (vec![], 0, 0);
    for step in 0..STEPS {
        let (call, what) = world.next();
        history.push(what);
        let [expected, found] =
            [world.answer(&memory, &call).await, world.answer(store, &call).await];
        let lists = world.lists(&memory).await;
        let last = history[history.len().saturating_sub(12)..].join("\n");
        assert_eq!(found, expected, "seed {seed}, step {step}:\n{last}");
        assert_eq!(world.lists(store).await, lists, "seed {seed}, step {step}:\n{last}");
        listed += lists.iter().map(Vec::len).sum::<usize>();
        first += usize::from(found == Answer::Exchanged(Exchanged::First));
    }
    // The calls reach something.
    assert!(listed > STEPS && first > STEPS / 40, "{listed} were listed, {first} were first");
}

macro_rules! sql {
    ($test:ident, $place:ident, $pool:ty) => {
        #[rocket::async_test]
        async fn $test() {
            let home = store_support::$place::Home::new().await;
            let store = server::<$pool>(&home.url).await;
            for seed in [1, 3] {
                agrees(&*store, seed).await;
            }
            home.end().await;
        }
    };
}

sql!(sqlite_agrees_with_memory, sqlite, sqlx::SqlitePool);
sql!(mysql_agrees_with_memory, sqlx_mysql, sqlx::MySqlPool);
sql!(postgres_by_sqlx_agrees_with_memory, sqlx_postgres, sqlx::PgPool);
sql!(postgres_by_deadpool_agrees_with_memory, deadpool_postgres, deadpool_postgres::Pool);

#[rocket::async_test]
async fn redis_agrees_with_memory() {
    let home = store_support::deadpool_redis::Home::new().await;
    let store = redis_store(&home).await;
    for seed in 1..=4 {
        agrees(&store, seed).await;
    }
    end_redis(home).await;
}
