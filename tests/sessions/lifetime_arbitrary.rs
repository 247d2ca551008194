//! `session_lifetime`, whatever happens: logins, exchanges, renewals, logouts, tokens of others, a store that
//! fails, a clock that moves, and lifetimes that are changed between two starts of the server.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use proptest::sample::Index;
use rocket_jwt_extended::jsonwebtoken::{Algorithm, EncodingKey};
use rocket_jwt_extended::{Clock, Duration, VerifyingKey};
use uuid::Uuid;

use crate::support::ask::*;
use crate::support::site::*;
use crate::support::*;

/// The settings of a start, in seconds; `None` is `false`.
#[derive(Debug, Clone, Copy)]
struct Lifetimes {
    access: Option<i64>,
    refresh: Option<i64>,
    session: Option<i64>,
    leeway: i64,
}

impl Lifetimes {
    fn toml(&self) -> String {
        let span = |seconds: Option<i64>| match seconds {
            Some(seconds) => seconds.to_string(),
            None => "false".into(),
        };
        format!(
            "token_location = [\"headers\", \"cookies\"]\nimplicit_refresh_within = \"1h\"\n\
             rotation_grace = 0\naccess_token_expires = {}\nrefresh_token_expires = {}\n\
             session_lifetime = {}\ndecode_leeway = {}\n",
            span(self.access),
            span(self.refresh),
            span(self.session),
            self.leeway
        )
    }

    fn longest(&self) -> Option<i64> {
        Some(self.access?.max(self.refresh?))
    }
}

/// Whether one span is longer than another; `None` is without end.
fn is_longer(one: Option<i64>, other: Option<i64>) -> bool {
    one.unwrap_or(i64::MAX) > other.unwrap_or(i64::MAX)
}

#[derive(Debug, Clone)]
enum Step {
    Login,
    Alone {
        is_refresh: bool,
    },
    /// Two tokens of one foreign session.
    Foreign {
        auth_time: Option<i64>,
        sid: Option<i64>,
        lifetimes: [i64; 2],
    },
    /// A token that is signed with our key, but not by us.
    ByHand {
        sid: Option<i64>,
        jti: Option<i64>,
        lifetime: i64,
        is_refresh: bool,
    },
    Exchange(Index),
    Renew(Index),
    Join(Index),
    Logout(Index),
    Advance {
        millis: i64,
    },
    Restart(Lifetimes),
    SetDown(bool),
}

fn lifetimes() -> impl Strategy<Value = Lifetimes> {
    (
        prop::option::weighted(0.8, prop::sample::select(vec![60, 300, 900])),
        prop::option::weighted(0.8, prop::sample::select(vec![120, 1000, 5000])),
        prop::option::weighted(0.9, prop::sample::select(vec![30, 400, 2000, 8000])),
        prop::sample::select(vec![0, 7]),
    )
        .prop_map(|(access, refresh, session, leeway)| Lifetimes {
            access,
            refresh,
            session,
            leeway,
        })
}

fn steps() -> impl Strategy<Value = Step> {
    let offset = || prop::option::of(-3000..3000_i64);
    prop_oneof![
        3 => Just(Step::Login),
        1 => any::<bool>().prop_map(|is_refresh| Step::Alone { is_refresh }),
        2 => (offset(), offset(), [1..6000_i64, 1..6000_i64])
            .prop_map(|(auth_time, sid, lifetimes)| Step::Foreign { auth_time, sid, lifetimes }),
        1 => (offset(), offset(), 1..9000_i64, any::<bool>())
            .prop_map(|(sid, jti, lifetime, is_refresh)| Step::ByHand {
                sid, jti, lifetime, is_refresh,
            }),
        4 => any::<Index>().prop_map(Step::Exchange),
        3 => any::<Index>().prop_map(Step::Renew),
        2 => any::<Index>().prop_map(Step::Join),
        2 => any::<Index>().prop_map(Step::Logout),
        4 => prop_oneof![1..2000_i64, 1..3_000_000_i64]
            .prop_map(|millis| Step::Advance { millis }),
        1 => lifetimes().prop_map(Step::Restart),
        1 => any::<bool>().prop_map(Step::SetDown),
    ]
}

/// A token, and what is known of it without its server.
#[derive(Debug, Clone)]
struct Held {
    text: String,
    is_refresh: bool,
    is_foreign: bool,
    /// The time of the session's id, in milliseconds.
    session_time: i64,
    /// The same, or the token's `iat` if that is earlier.
    began: i64,
    iat: i64,
    exp: Option<i64>,
    session: usize,
    is_spent: bool,
}

/// The lifetimes when a session was ended, if it was.
#[derive(Default)]
struct Session {
    ended: Option<Lifetimes>,
    is_foreign: bool,
    /// A lifetime was raised after that, beyond what it was: then the entry may have left too early.
    is_excused: bool,
}

struct World {
    site: Site,
    now: Lifetimes,
    is_down: bool,
    partner: Vec<u8>,
    held: Vec<Held>,
    sessions: Vec<Session>,
    /// How often something happened, so that the test is known to test it.
    counts: Counts,
}

#[derive(Default, Debug, Clone, Copy)]
struct Counts {
    exchanged: usize,
    renewed: usize,
    joined: usize,
    over: usize,
    accepted: usize,
    ended: usize,
}

fn site_of(lifetimes: &Lifetimes, clock: ManualClock, store: Arc<Store>, partner: &[u8]) -> Site {
    let key = VerifyingKey::from_secret(Algorithm::HS256, partner).unwrap();
    Site::of(&lifetimes.toml(), clock, store, |fairing| {
        fairing.verifying_key(move |header, _| {
            (header.kid.as_deref() == Some("partner")).then(|| key.clone())
        })
    })
}

impl World {
    fn new(lifetimes: Lifetimes) -> Self {
        let partner = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat();
        Self {
            site: site_of(&lifetimes, clock_at_start(), Arc::default(), &partner),
            now: lifetimes,
            is_down: false,
            partner,
            held: vec![],
            sessions: vec![],
            counts: Counts::default(),
        }
    }

    fn millis(&self) -> i64 {
        (self.site.clock.now().unix_timestamp_nanos() / 1_000_000) as i64
    }

    fn seconds(&self) -> i64 {
        self.millis().div_euclid(1000)
    }

    fn v7(&self, offset: i64) -> (String, i64) {
        let seconds = self.seconds() + offset;
        let time = uuid::Timestamp::from_unix(uuid::NoContext, seconds as u64, 0);
        (Uuid::new_v7(time).to_string(), seconds * 1000)
    }

    fn new_session(&mut self) -> usize {
        self.sessions.push(Session::default());
        self.sessions.len() - 1
    }

    /// Keeps a token of a session that began at `began`, or at the token's `iat` if that is earlier.
    fn hold(&mut self, text: String, began: i64, session: usize, is_foreign: bool) -> Held {
        let claims = payload(&text);
        let iat = claims["iat"].as_i64().unwrap();
        let held = Held {
            is_refresh: claims["type"] == "refresh",
            is_foreign,
            session_time: began,
            began: began.min(iat * 1000),
            iat,
            exp: claims["exp"].as_i64(),
            session,
            is_spent: false,
            text,
        };
        self.held.push(held.clone());
        held
    }

    /// Keeps a token that the server has made.
    fn issued(&mut self, text: String, began: i64, session: usize) {
        let held = self.hold(text, began, session, false);
        if let Some(lifetime) = self.now.session {
            let end = (held.began + lifetime * 1000).div_euclid(1000);
            assert!(held.exp.is_some_and(|exp| exp <= end), "{held:?}, {:?}", self.now);
        }
    }

    fn is_over(&self, held: &Held) -> bool {
        let end = self.now.session.map(|session| held.began + session * 1000);
        end.is_some_and(|end| self.millis() >= end + self.now.leeway * 1000)
    }

    /// Whether the guard must accept it, for all that is known here.
    fn is_surely_live(&self, held: &Held) -> bool {
        let end = self.now.session.map(|session| held.began + session * 1000);
        let lifetime = held.exp.map(|exp| exp - held.iat);
        !self.is_down
            && !held.is_spent
            && self.sessions[held.session].ended.is_none()
            && held.exp.is_some_and(|exp| self.seconds() < exp)
            && end.is_none_or(|end| self.millis() < end)
            && !is_longer(lifetime, self.now.longest())
    }

    fn pick(&self, index: &Index, fits: impl Fn(&Held) -> bool) -> Option<usize> {
        let all: Vec<_> = (0..self.held.len()).filter(|at| fits(&self.held[*at])).collect();
        (!all.is_empty()).then(|| all[index.index(all.len())])
    }

    fn end(&mut self, session: usize) {
        let session = &mut self.sessions[session];
        session.ended.get_or_insert(self.now);
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Login => {
                let (began, session) = (self.millis(), self.new_session());
                let pair = self.site.jwt().token_pair("ada").issue().unwrap();
                self.issued(pair.access_token().into(), began, session);
                self.issued(pair.refresh_token().into(), began, session);
            }
            Step::Alone { is_refresh } => {
                let (began, session) = (self.millis(), self.new_session());
                let jwt = self.site.jwt();
                let token = match is_refresh {
                    true => jwt.refresh_token("ada").encode(),
                    false => jwt.access_token("ada").encode(),
                };
                self.issued(token.unwrap(), began, session);
            }
            Step::Foreign { auth_time, sid, lifetimes } => {
                let now = self.seconds();
                let sid = match sid {
                    Some(offset) => self.v7(*offset).0,
                    None => Uuid::new_v4().to_string(),
                };
                for (at, lifetime) in lifetimes.iter().enumerate() {
                    // A logout with one of them revokes that one alone.
                    let session = self.new_session();
                    self.sessions[session].is_foreign = true;
                    let mut claims = claims();
                    claims["sid"] = sid.clone().into();
                    claims["iat"] = now.into();
                    claims["nbf"] = now.into();
                    claims["exp"] = (now + lifetime).into();
                    let mut began = now;
                    if let Some(offset) = auth_time.filter(|_| at == 0) {
                        claims["auth_time"] = (now + offset).into();
                        began = now + offset;
                    }
                    let key = EncodingKey::from_secret(&self.partner).unwrap();
                    let header = r#"{"alg":"HS256","kid":"partner"}"#;
                    let token = sign_as(Algorithm::HS256, &key, header, &claims.to_string());
                    self.hold(token, began * 1000, session, true);
                }
            }
            Step::ByHand { sid, jti, lifetime, is_refresh } => {
                let (now, session) = (self.seconds(), self.new_session());
                let mut claims = claims();
                claims["iat"] = now.into();
                claims["nbf"] = now.into();
                claims["exp"] = (now + lifetime).into();
                claims["type"] = if *is_refresh { "refresh" } else { "access" }.into();
                let mut began = now * 1000;
                if let Some(offset) = jti {
                    let (id, time) = self.v7(*offset);
                    (claims["jti"], began) = (id.into(), time);
                }
                if let Some(offset) = sid {
                    let (id, time) = self.v7(*offset);
                    (claims["sid"], began) = (id.into(), time);
                }
                self.hold(sign(&claims), began, session, false);
            }
            Step::Exchange(index) => {
                let Some(at) = self.pick(index, |held| held.is_refresh && !held.is_spent) else {
                    return;
                };
                let held = self.held[at].clone();
                let response = post(&self.site.client, "/refresh", &held.text);
                if response.status().code != 200 {
                    assert!(!self.is_surely_live(&held) || held.is_foreign, "{held:?}");
                    return;
                }
                assert!(!self.is_over(&held) && !held.is_foreign, "{held:?}");
                self.counts.exchanged += 1;
                self.held[at].is_spent = true;
                for token in pair(response) {
                    self.issued(token, held.session_time, held.session);
                }
            }
            Step::Renew(index) => {
                let Some(at) = self.pick(index, |held| !held.is_refresh) else { return };
                let held = self.held[at].clone();
                if let Some((token, _)) = self.site.renewed(&held.text) {
                    assert!(!self.is_over(&held) && !held.is_foreign, "{held:?}");
                    self.counts.renewed += 1;
                    self.issued(token, held.session_time, held.session);
                }
            }
            Step::Join(index) => {
                let Some(at) = self.pick(index, |held| !held.is_spent) else { return };
                let held = self.held[at].clone();
                let response = post(&self.site.client, "/access", &held.text);
                if response.status().code == 200 {
                    assert!(!self.is_over(&held) && !held.is_foreign, "{held:?}");
                    self.counts.joined += 1;
                    let token = response.into_string().unwrap();
                    self.issued(token, held.session_time, held.session);
                }
            }
            Step::Logout(index) => {
                let Some(at) = self.pick(index, |held| !held.is_spent) else { return };
                let Held { text, session, .. } = self.held[at].clone();
                if post(&self.site.client, "/logout", &text).status().code == 200 {
                    self.end(session);
                }
            }
            Step::Advance { millis } => {
                self.site.clock.advance(Duration::milliseconds(*millis));
                run(self.site.jwt().prune()).unwrap();
            }
            Step::Restart(lifetimes) => {
                let (clock, store) = (self.site.clock.clone(), self.site.store.clone());
                self.site = site_of(lifetimes, clock, store, &self.partner);
                self.now = *lifetimes;
                for session in &mut self.sessions {
                    let is_foreign = session.is_foreign;
                    session.is_excused |= session.ended.is_some_and(|then| {
                        let longer = is_longer(lifetimes.longest(), then.longest());
                        match (then.session, lifetimes.session) {
                            (Some(before), Some(after)) => after > before || is_foreign && longer,
                            (None, Some(after)) => is_longer(Some(after), then.longest()),
                            (_, None) => longer,
                        }
                    });
                }
            }
            Step::SetDown(is_down) => {
                self.is_down = *is_down;
                self.site.store.is_down.store(*is_down, Ordering::SeqCst);
            }
        }
    }

    /// What must hold of every token, at any time.
    fn check(&mut self) {
        for held in self.held.clone().iter().filter(|held| !held.is_spent) {
            let (status, code) = self.site.get("/any", &held.text);
            let shown = || format!("{status} {code}, {held:?}, {:?}", self.now);
            if self.is_over(held) {
                // Also when the store could not be asked.
                assert_eq!(status, 401, "{}", shown());
                self.counts.over += 1;
            }
            let session = &self.sessions[held.session];
            if session.ended.is_some() && !session.is_excused {
                assert_ne!(status, 200, "it lives again: {}", shown());
                self.counts.ended += 1;
            }
            if self.is_surely_live(held) {
                assert_eq!(status, 200, "{}", shown());
                self.counts.accepted += 1;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_token_outlives_its_session_whatever_happens(
        first in lifetimes(),
        steps in prop::collection::vec(steps(), 1..30),
    ) {
        let mut world = World::new(first);
        for step in &steps {
            world.take(step);
            if matches!(step, Step::Advance { .. } | Step::Restart(_) | Step::Logout(_)) {
                world.check();
            }
        }
        world.check();
    }
}

/// Some token that fits.
fn some_index() -> Index {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    any::<Index>().new_tree(&mut TestRunner::deterministic()).unwrap().current()
}

/// The steps above reach what they are there for: a fixed sequence of them does.
#[test]
fn the_steps_do_what_their_names_say() {
    let lifetimes =
        Lifetimes { access: Some(300), refresh: Some(1000), session: Some(2000), leeway: 7 };
    let mut world = World::new(lifetimes);
    let some = some_index();
    for step in [
        Step::Login,
        Step::Advance { millis: 250_000 },
        Step::Renew(some),
        Step::Exchange(some),
        Step::Join(some),
        Step::Foreign { auth_time: Some(-100), sid: Some(5), lifetimes: [900, 3000] },
        Step::Restart(Lifetimes { session: Some(400), ..lifetimes }),
        Step::Login,
        Step::Logout(some),
        Step::Advance { millis: 100_000 },
        Step::SetDown(true),
        Step::Advance { millis: 500_000 },
    ] {
        world.take(&step);
        world.check();
    }
    let Counts { exchanged, renewed, joined, over, accepted, ended } = world.counts;
    let counts = [exchanged, renewed, joined, over, accepted, ended];
    assert!(counts.iter().all(|count| *count > 0), "{:?}", world.counts);
}
