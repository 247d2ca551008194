//! Sessions for tests, and what remains of them in Redis.

use rocket::time::{Duration, OffsetDateTime};
use rocket_db_pools::deadpool_redis::Pool;
use rocket_jwt_extended::blocklist::{
    Blocklist, Exchange, Exchanged, IdKey, Limit, NewSession, Owner, RedisBlocklist, Renewal,
    Standing, TokenIds,
};
use uuid::{NoContext, Timestamp, Uuid};

use crate::store_support::{self, deadpool_redis};

/// A server's store in the keys of this place.
pub async fn redis_store(home: &deadpool_redis::Home) -> RedisBlocklist {
    let pool = store_support::pool::<Pool>(&store_support::redis()).await;
    RedisBlocklist::with_prefix(pool, &home.prefix)
}

/// All keys of this place, those of indexes and notes, too.
pub async fn keys(home: &deadpool_redis::Home) -> Vec<String> {
    let mut keys: Vec<String> = home.ask(&["KEYS", &format!("{}*", home.prefix)]).await;
    keys.sort();
    keys
}

/// Removes all of them.
pub async fn end_redis(home: deadpool_redis::Home) {
    for key in keys(&home).await {
        home.ask::<()>(&["DEL", &key]).await;
    }
}

/// A login with its tokens.
#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub sid: String,
    pub jti: String,
}

/// A UUIDv7 with this time.
pub fn id_of(time: OffsetDateTime) -> Uuid {
    let seconds = u64::try_from(time.unix_timestamp()).expect("a time after 1970");
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, time.nanosecond()))
}

impl Login {
    pub fn new(user: &str, at: OffsetDateTime) -> Self {
        let [sid, jti] = [id_of(at), id_of(at)].map(|id| id.to_string());
        Self { user: user.into(), sid, jti }
    }

    pub fn id(&self) -> Uuid {
        Uuid::try_parse(&self.sid).expect("a UUID")
    }

    /// The ids of an access token.
    pub fn access(&self) -> TokenIds<'_> {
        TokenIds::new(Some(&self.jti[1..]), Some(&self.sid), Some(&self.user), None)
    }

    pub fn refresh(&self) -> TokenIds<'_> {
        TokenIds::new(Some(&self.jti), Some(&self.sid), Some(&self.user), None).exchangeable()
    }

    pub fn after(&self, exchange: &Exchange) -> Self {
        Self { jti: exchange.next().to_string(), ..self.clone() }
    }

    /// With a label and details, until then.
    pub fn session(&self, now: OffsetDateTime, until: Option<OffsetDateTime>) -> NewSession<'_> {
        NewSession {
            id: self.id(),
            current: self.refresh().jti_key().expect("a `jti`"),
            owner: Owner::new(&self.refresh(), now, until).expect("a subject"),
            until,
            label: Some("label"),
            details: Some("{}"),
        }
    }

    /// The row's name in Redis, after the letter of its kind.
    pub fn name(&self) -> String {
        self.id().simple().to_string()
    }

    /// The subject as a row names it.
    pub fn subject(&self) -> IdKey {
        let [_, subject @ ..] = self.refresh().subject_key().expect("a subject");
        subject
    }

    /// Those of its row, of its label, and of its subject's index.
    pub fn redis_keys(&self, home: &deadpool_redis::Home) -> [String; 3] {
        let subject = Uuid::from_bytes(self.subject()).simple().to_string();
        [('s', self.name()), ('d', self.name()), ('i', subject)]
            .map(|(kind, id)| format!("{}{kind}{id}", home.prefix))
    }
}

/// For two sessions.
pub const LIMIT: Option<Limit> = Some(Limit { max: 2, ends_oldest: true });

/// Three logins, of which the first is ended by the limit, an exchange and a renewal. All rows expire at
/// `until`. Returns the user.
pub async fn use_store(store: &dyn Blocklist, until: Option<OffsetDateTime>) -> String {
    let sessions = store.session_store().expect("it lists sessions");
    let now = OffsetDateTime::now_utc();
    let user = format!("user {}", Uuid::now_v7());
    let logins = [3, 2, 1].map(|hours| Login::new(&user, now - Duration::HOUR * hours));
    for login in &logins {
        let new = login.session(now, until);
        sessions.begin(&login.access(), &new, LIMIT).await.expect("it begins");
    }
    let [_, second, third] = &logins;
    let exchange = Exchange::new(Uuid::now_v7(), [7; 16], now, Duration::ZERO, until);
    let exchange = exchange.owned_by(&second.refresh(), until);
    let outcome = store.exchange(&second.refresh(), &exchange).await.expect("an answer");
    assert_eq!(outcome, Exchanged::First);
    let renewal = Renewal { now, ends: until, until };
    let standing = sessions.renew(&third.access(), &renewal).await.expect("an answer");
    assert_eq!(standing, Standing::Live);
    user
}
