//! What a Redis user must be allowed for `sessions`, and what the launch says when a right is missing.

use rocket::figment::providers::{Format, Toml};
use rocket::time::{Duration, OffsetDateTime};
use rocket_db_pools::deadpool_redis::Pool;
use rocket_jwt_extended::Jwt;
use rocket_jwt_extended::blocklist::{
    Blocklist, Exchange, RedisBlocklist, Renewal, Standing, StoreError,
};
use uuid::Uuid;

use crate::store_support::{self, deadpool_redis::Home};
use crate::support::{LIMIT, Login, end_redis, keys, use_store};

const PASSWORD: &str = "correct-horse";

/// What each server needs.
const COMMANDS: [&str; 10] =
    ["ROLE", "PING", "UNWATCH", "TIME", "GET", "PTTL", "TYPE", "SET", "XADD", "EVAL"];

/// What `sessions` needs besides.
const OF_SESSIONS: [&str; 7] =
    ["ZADD", "ZREMRANGEBYSCORE", "ZREVRANGE", "PERSIST", "PEXPIRE", "HMGET", "HSET"];

/// What `blocklist_replica` needs besides.
const OF_THE_REPLICA: [&str; 3] = ["XRANGE", "SCAN", "MGET"];

/// A user of its own on the server, with rights to keys with a prefix of its own.
struct User {
    home: Home,
    name: String,
}

impl User {
    async fn new(key_kinds: &str, commands: &[&str]) -> Self {
        let (home, name) = (Home::new().await, store_support::unique());
        let user = Self { home, name };
        user.set(&["on", &format!(">{PASSWORD}")]).await;
        for kind in key_kinds.split(',') {
            user.set(&[&format!("~{}{kind}", user.home.prefix)]).await;
        }
        for command in commands {
            user.allow(command).await;
        }
        user
    }

    async fn set(&self, rules: &[&str]) {
        self.home.ask::<()>(&[&["ACL", "SETUSER", &self.name], rules].concat()).await;
    }

    async fn allow(&self, command: &str) {
        self.set(&[&format!("+{}", command.to_lowercase())]).await;
    }

    async fn forbid(&self, command: &str) {
        self.set(&[&format!("-{}", command.to_lowercase())]).await;
    }

    async fn store(&self) -> RedisBlocklist {
        let url = store_support::redis();
        let (_, server) = url.split_once("://").expect("a URL");
        let url = format!("redis://{}:{PASSWORD}@{server}", self.name);
        RedisBlocklist::with_prefix(store_support::pool::<Pool>(&url).await, &self.home.prefix)
    }

    async fn check_sessions(&self) -> Result<(), StoreError> {
        let store = self.store().await;
        store.session_store().expect("it lists sessions").check_sessions().await
    }

    async fn end(self) {
        self.home.ask::<()>(&["ACL", "DELUSER", &self.name]).await;
        end_redis(self.home).await;
    }
}

#[rocket::async_test]
async fn the_documented_rights_are_enough() {
    let all = [&COMMANDS[..], &OF_SESSIONS].concat();
    // The keys may be told one kind from another.
    for kinds in ["*", "t*,s*,u*,e*,i*,d*,changes"] {
        let user = User::new(kinds, &all).await;
        let store = user.store().await;
        store.check().await.expect("all rights");
        user.check_sessions().await.expect("all rights");
        assert_eq!(keys(&user.home).await, Vec::<String>::new(), "the trial leaves nothing");
        let now = OffsetDateTime::now_utc();
        let name = use_store(&store, Some(now + Duration::HOUR)).await;
        let sessions = store.session_store().expect("it lists sessions");
        let login = Login::new(&name, now);
        let permanent = login.session(now, None);
        sessions.begin(&login.access(), &permanent, None).await.expect("it begins");
        assert_eq!(sessions.sessions(&login.access(), now).await.expect("a list").len(), 3);
        let ended = sessions.end_session(&login.access(), login.id(), None).await;
        assert!(ended.expect("an answer"));
        let ended = sessions.end_other_sessions(&login.access(), None).await;
        assert_eq!(ended.expect("an answer").len(), 2);
        user.end().await;
    }
}

#[rocket::async_test]
async fn each_right_that_only_sessions_need_is_named_with_the_statement_that_grants_it() {
    let all = [&COMMANDS[..], &OF_SESSIONS].concat();
    let user = User::new("*", &all).await;
    for command in OF_SESSIONS {
        user.forbid(command).await;
        // It is not needed for anything else.
        let store = user.store().await;
        store.check().await.expect("all rights but those for sessions");
        let error = user.check_sessions().await.expect_err("a missing right").to_string();
        let cure = format!("run `ACL SETUSER <user> +{}`", command.to_lowercase());
        assert!(error.contains(&format!("no right to `{command}`: {cure}")), "{error}");
        user.allow(command).await;
        user.check_sessions().await.expect("all rights");
    }
    assert_eq!(keys(&user.home).await, Vec::<String>::new(), "the trial leaves nothing");
    user.end().await;
}

#[rocket::async_test]
async fn rights_that_a_setting_needs_are_named_beside_those_that_are_always_needed() {
    let user = User::new("*", &COMMANDS).await;
    user.forbid("XADD").await;
    let error = user.store().await.check().await.expect_err("a missing right").to_string();
    let [replica, sessions] = [OF_THE_REPLICA.join(", "), OF_SESSIONS.join(", ")];
    let named = format!(
        "no right to `XADD` (with `blocklist_replica` also {replica}) (with `sessions` also \
         {sessions}): run `ACL SETUSER <user> +xadd"
    );
    assert!(error.contains(&named), "{error}");
    for command in OF_THE_REPLICA.iter().chain(&OF_SESSIONS) {
        assert!(error.contains(&format!("+{}", command.to_lowercase())), "{command}: {error}");
    }
    user.end().await;
}

#[rocket::async_test]
async fn keys_that_are_out_of_reach_are_named() {
    let all = [&COMMANDS[..], &OF_SESSIONS].concat();
    let user = User::new("t*,s*,u*,e*,changes", &all).await;
    user.store().await.check().await.expect("all rights but those for sessions");
    let error = user.check_sessions().await.expect_err("a missing right").to_string();
    assert!(error.contains(&format!("the keys that begin with `{}`", user.home.prefix)), "{error}");
    user.end().await;
    // Each lookup reads the cut-off of everything.
    let user = User::new("t*,s*,u*,changes", &all).await;
    let error = user.store().await.check().await.expect_err("a missing right").to_string();
    assert!(error.contains(&format!("the keys that begin with `{}`", user.home.prefix)), "{error}");
    user.end().await;
}

#[rocket::async_test]
async fn a_launch_with_sessions_fails_without_the_rights() {
    let user = User::new("*", &COMMANDS).await;
    for (setting, launches) in [("", true), ("sessions = true", false)] {
        let secret = Uuid::new_v4().simple().to_string().repeat(2);
        let toml = format!(
            "[default]\nlog_level = \"off\"\n[default.jwt]\nsecret_key = \"{secret}\"\n{setting}"
        );
        let figment = rocket::Config::figment().merge(Toml::string(&toml).nested());
        let fairing = Jwt::fairing().replicable_blocklist(user.store().await);
        let ignited = rocket::custom(figment).attach(fairing).ignite().await;
        // An error that nobody looks at panics.
        let has_launched = ignited.map_err(|error| error.to_string()).is_ok();
        assert_eq!(has_launched, launches, "{setting}");
    }
    user.end().await;
}

#[rocket::async_test]
async fn a_lookup_needs_no_right_of_sessions() {
    let user = User::new("*", &COMMANDS).await;
    let login = Login::new("ada", OffsetDateTime::now_utc());
    let standing = user.store().await.standing(&login.access()).await;
    assert_eq!(standing.expect("an answer"), Standing::Live);
    user.end().await;
}

/// What a server does with sessions.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Begin,
    Exchange,
    /// The use of a refresh token that was exchanged long ago, which ends the session.
    Theft,
    Renew,
    End,
}

/// A user's two sessions, of which the first was exchanged.
struct Sessions {
    now: OffsetDateTime,
    until: Option<OffsetDateTime>,
    logins: [Login; 2],
    stolen: Login,
}

impl Sessions {
    async fn new(store: &RedisBlocklist, until: Option<OffsetDateTime>) -> Self {
        let now = OffsetDateTime::now_utc();
        let name = Uuid::now_v7().to_string();
        let logins = [2, 1].map(|hours| Login::new(&name, now - Duration::HOUR * hours));
        let [stolen, _] = logins.clone();
        let mut sessions = Self { now, until, logins, stolen };
        for login in &sessions.logins {
            let new = login.session(now, until);
            let begun = store.session_store().expect("it lists sessions");
            begun.begin(&login.access(), &new, LIMIT).await.expect("it begins");
        }
        let exchange = sessions.exchange_of(&sessions.stolen, now - Duration::MINUTE);
        store.exchange(&sessions.stolen.refresh(), &exchange).await.expect("an answer");
        sessions.logins[0] = sessions.stolen.after(&exchange);
        sessions
    }

    fn exchange_of(&self, login: &Login, at: OffsetDateTime) -> Exchange {
        let exchange = Exchange::new(Uuid::now_v7(), [7; 16], at, Duration::ZERO, self.until);
        exchange.owned_by(&login.refresh(), self.until)
    }

    async fn run(
        &self,
        store: &RedisBlocklist,
        operation: Operation,
    ) -> Result<String, StoreError> {
        let Self { now, until, logins: [login, _], stolen } = self;
        let sessions = store.session_store().expect("it lists sessions");
        match operation {
            Operation::Begin => {
                let third = Login::new(&login.user, *now);
                let (ids, new) = (third.access(), third.session(*now, *until));
                let begun = sessions.begin(&ids, &new, LIMIT).await?;
                Ok(format!("{begun:?}"))
            }
            Operation::Exchange | Operation::Theft => {
                let from = if let Operation::Theft = operation { stolen } else { login };
                let exchange = self.exchange_of(from, *now);
                let exchanged = store.exchange(&from.refresh(), &exchange).await?;
                Ok(format!("{exchanged:?}").split([' ', '{', '(']).next().expect("a name").into())
            }
            Operation::Renew => {
                let renewal = Renewal { now: *now, ends: *until, until: *until };
                let standing = sessions.renew(&login.access(), &renewal).await?;
                Ok(format!("{standing:?}"))
            }
            Operation::End => {
                let ended = sessions.end_session(&login.access(), login.id(), *until).await?;
                Ok(ended.to_string())
            }
        }
    }
}

/// The rows of all sessions.
async fn rows(home: &Home) -> Vec<(String, String)> {
    let mut rows = vec![];
    for key in keys(home).await {
        if key.starts_with(&format!("{}s", home.prefix)) {
            let row = home.ask(&["GET", &key]).await;
            rows.push((key, row));
        }
    }
    rows
}

/// Redis does not roll back the script that failed.
#[rocket::async_test]
async fn an_operation_that_fails_for_a_missing_right_can_be_repeated() {
    let all = [&COMMANDS[..], &OF_SESSIONS].concat();
    let user = User::new("*", &all).await;
    let store = user.store().await;
    for until in [Some(OffsetDateTime::now_utc() + Duration::HOUR), None] {
        let expiring = if until.is_some() { "PEXPIRE" } else { "PERSIST" };
        let of_index = ["ZADD", "ZREMRANGEBYSCORE", "ZREVRANGE", expiring, "SET"];
        for (operation, needed, done) in [
            (Operation::Begin, &[&of_index[..], &["HSET", "XADD"]].concat(), "Begun"),
            (Operation::Exchange, &of_index.to_vec(), "First"),
            (Operation::Theft, &[&of_index[..], &["XADD"]].concat(), "Reused"),
            (Operation::Renew, &of_index.to_vec(), "Live"),
            (Operation::End, &vec!["XADD", "SET"], "true"),
        ] {
            for command in needed {
                let sessions = Sessions::new(&store, until).await;
                let before = rows(&user.home).await;
                user.forbid(command).await;
                let failed = sessions.run(&store, operation).await;
                failed.expect_err(&format!("{operation:?} without {command}"));
                user.allow(command).await;
                assert_eq!(rows(&user.home).await, before, "{operation:?} without {command}");
                let repeated = sessions.run(&store, operation).await.expect("all rights");
                assert!(repeated.starts_with(done), "{operation:?}, {command}: {repeated}");
            }
        }
    }
    user.end().await;
}
