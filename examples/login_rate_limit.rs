//! A login that answers 429 after too many attempts, with the crate `governor`.
//!
//! Run it with `cargo run --example login_rate_limit`.

#[macro_use]
extern crate rocket;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{NotUntil, Quota, RateLimiter};
use rocket::fairing::AdHoc;
use rocket::http::{Header, Status};
use rocket::response::Responder;
use rocket::serde::{Deserialize, json::Json};
use rocket::tokio::{select, time};
use rocket::{Build, Rocket, State};
use rocket_jwt_extended::{Error, Jwt, TokenPair};

#[cfg(test)]
use governor::clock::FakeRelativeClock as LimitClock;
#[cfg(not(test))]
use governor::clock::MonotonicClock as LimitClock;

/// Ten attempts from one address without a delay, then one every six seconds.
const OF_AN_ADDRESS: Quota = Quota::per_minute(NonZeroU32::new(10).unwrap());

/// Five attempts for one account without a delay, then one every twelve seconds.
const OF_AN_ACCOUNT: Quota = Quota::per_minute(NonZeroU32::new(5).unwrap());

/// No account has a longer name. Longer names are refused, so that they cannot fill the memory.
const MAX_NAME: usize = 64;

type Instant = <LimitClock as Clock>::Instant;
type Limit<K> = RateLimiter<K, DashMapStateStore<K>, LimitClock, NoOpMiddleware<Instant>>;

/// The attempts on one server: several servers count separately.
struct Attempts {
    clock: LimitClock,
    by_address: Limit<IpAddr>,
    by_account: Limit<String>,
}

impl Attempts {
    fn new(clock: LimitClock) -> Self {
        Self {
            by_address: RateLimiter::dashmap_with_clock(OF_AN_ADDRESS, clock.clone()),
            by_account: RateLimiter::dashmap_with_clock(OF_AN_ACCOUNT, clock.clone()),
            clock,
        }
    }

    /// Counts an attempt. Both limits are needed: a botnet has many addresses, and one address tries a common
    /// password with many accounts.
    ///
    /// Anyone who knows a name can use up the account's attempts, so the limit must only delay the
    /// owner, and never lock the account.
    fn count(&self, address: IpAddr, account: &str) -> Result<(), TooManyAttempts> {
        let too_many = |until: NotUntil<Instant>| TooManyAttempts::new(&until, &self.clock);
        self.by_address.check_key(&network(address)).map_err(too_many)?;
        self.by_account.check_key(&account.to_lowercase()).map_err(too_many)
    }

    /// Removes addresses and accounts that have all their attempts available again.
    fn prune(&self) {
        self.by_address.retain_recent();
        self.by_account.retain_recent();
    }
}

/// A host can use any of the 2⁶⁴ addresses of its IPv6 network, so the network counts as one
/// address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::from((u128::from(address) >> 64 << 64).to_be_bytes()),
        v4 => v4,
    }
}

/// 429 (RFC 6585 §4), with the seconds to wait (RFC 9110 §10.2.3).
#[derive(Responder)]
#[response(status = 429)]
struct TooManyAttempts {
    body: &'static str,
    retry_after: Header<'static>,
}

impl TooManyAttempts {
    fn new(until: &NotUntil<Instant>, clock: &LimitClock) -> Self {
        // Rounded up, so that a client that waits this long is accepted.
        let seconds = until.wait_time_from(clock.now()).as_millis().div_ceil(1000);
        let retry_after = Header::new("Retry-After", seconds.to_string());
        Self { body: "too many attempts", retry_after }
    }
}

#[derive(Responder)]
enum LoginError {
    TooManyAttempts(TooManyAttempts),
    Wrong(Status),
    Failed(Error),
}

#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Credentials {
    name: String,
    password: String,
}

impl Credentials {
    /// A placeholder for a user lookup and a comparison of password hashes.
    fn check(&self) -> Result<(), LoginError> {
        match (self.name.as_str(), self.password.as_str()) {
            ("ada", "lovelace") | ("alan", "turing") => Ok(()),
            _ => Err(LoginError::Wrong(Status::Unauthorized)),
        }
    }
}

/// Attempts are counted before the password is checked, so that refused attempts do not cost a slow
/// hash. Correct passwords count as well: otherwise the count would have to wait for the check, and
/// concurrent attempts would all pass.
#[post("/login", data = "<who>")]
fn login(
    jwt: &Jwt,
    attempts: &State<Arc<Attempts>>,
    address: IpAddr,
    who: Json<Credentials>,
) -> Result<TokenPair, LoginError> {
    if who.name.len() > MAX_NAME {
        return Err(LoginError::Wrong(Status::Unauthorized));
    }
    attempts.count(address, &who.name).map_err(LoginError::TooManyAttempts)?;
    who.check()?;
    jwt.token_pair(&who.name).fresh().issue().map_err(LoginError::Failed)
}

fn application(clock: LimitClock) -> Rocket<Build> {
    // `ip_header` is the header in which a proxy sets the client's address, overwriting a value
    // from the client. Without such a proxy it must be `false`: with Rocket's default, `X-Real-IP`,
    // each client could choose the address that is counted. In `Rocket.toml`: `[default] ip_header
    // = false`.
    let figment = rocket::Config::figment().merge(("ip_header", false));
    let attempts = Arc::new(Attempts::new(clock));
    rocket::custom(figment)
        .attach(Jwt::fairing())
        .manage(attempts.clone())
        .attach(AdHoc::on_liftoff("Prune login attempts", |rocket| {
            let mut shutdown = rocket.shutdown();
            Box::pin(async move {
                rocket::tokio::spawn(async move {
                    let mut minute = time::interval(Duration::from_secs(60));
                    loop {
                        select! {
                            _ = minute.tick() => attempts.prune(),
                            () = &mut shutdown => return,
                        }
                    }
                });
            })
        }))
        .mount("/", routes![login])
}

#[launch]
fn rocket() -> _ {
    application(Default::default())
}

#[cfg(test)]
mod tests {
    use rocket::local::blocking::Client;
    use rocket::serde::json::json;

    use super::*;

    struct Server {
        clock: LimitClock,
        client: Client,
    }

    impl Server {
        fn start() -> Self {
            let clock = LimitClock::default();
            let client = Client::untracked(application(clock.clone()));
            Self { clock, client: client.expect("the example launches") }
        }

        /// Returns the status and `Retry-After`.
        fn login(&self, address: &str, name: &str, password: &str) -> (u16, Option<u64>) {
            let remote = (address.parse::<IpAddr>().unwrap(), 12345).into();
            let body = json!({ "name": name, "password": password });
            let request = self.client.post("/login").remote(remote).json(&body);
            // The header is ignored, as there is no proxy.
            let answer = request.header(Header::new("X-Real-IP", "192.0.2.99")).dispatch();
            let wait = answer.headers().get_one("Retry-After").map(|text| text.parse().unwrap());
            (answer.status().code, wait)
        }

        fn attempts(&self) -> &Attempts {
            self.client.rocket().state::<Arc<Attempts>>().unwrap()
        }
    }

    #[test]
    fn an_account_has_five_attempts_wherever_they_come_from() {
        let server = Server::start();
        for n in 0..5 {
            // All spellings of the name count as one account.
            let name = if n % 2 == 0 { "ada" } else { "Ada" };
            assert_eq!(server.login(&format!("192.0.2.{n}"), name, "byron").0, 401);
        }
        assert_eq!(server.login("192.0.2.9", "ada", "lovelace"), (429, Some(12)));
        assert_eq!(server.login("192.0.2.9", "alan", "turing"), (200, None));
    }

    #[test]
    fn an_account_is_delayed_and_not_locked() {
        let server = Server::start();
        for _ in 0..5 {
            server.login("192.0.2.1", "ada", "byron");
        }
        let (status, wait) = server.login("192.0.2.2", "ada", "lovelace");
        assert_eq!(status, 429);
        // A fraction of a second is rounded up, so that a client that waits this long is accepted.
        server.clock.advance(Duration::from_millis(500));
        assert_eq!(server.login("192.0.2.2", "ada", "lovelace"), (429, wait));
        server.clock.advance(Duration::from_millis(wait.unwrap() * 1000 - 1500));
        assert_eq!(server.login("192.0.2.2", "ada", "lovelace"), (429, Some(1)));
        server.clock.advance(Duration::from_secs(1));
        assert_eq!(server.login("192.0.2.2", "ada", "lovelace"), (200, None));
    }

    #[test]
    fn an_address_has_ten_attempts_for_all_accounts() {
        let server = Server::start();
        for n in 0..10 {
            assert_eq!(server.login("192.0.2.1", &format!("user {n}"), "password").0, 401);
        }
        assert_eq!(server.login("192.0.2.1", "ada", "lovelace"), (429, Some(6)));
        assert_eq!(server.login("192.0.2.2", "ada", "lovelace"), (200, None));
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let server = Server::start();
        for n in 0..10 {
            server.login(&format!("2001:db8::{n}"), &format!("user {n}"), "password");
        }
        assert_eq!(server.login("2001:db8::1:2:3:4", "ada", "lovelace").0, 429);
        assert_eq!(server.login("2001:db8:0:1::", "ada", "lovelace").0, 200);
        // An IPv4 address may be sent as an IPv6 address.
        for n in 0..10 {
            server.login("::ffff:192.0.2.1", &format!("other {n}"), "password");
        }
        assert_eq!(server.login("192.0.2.1", "alan", "turing").0, 429);
        assert_eq!(server.login("::ffff:192.0.2.2", "alan", "turing").0, 200);
    }

    #[test]
    fn what_is_no_account_and_what_has_waited_takes_no_memory() {
        let server = Server::start();
        assert_eq!(server.login("192.0.2.1", &"x".repeat(MAX_NAME + 1), "password").0, 401);
        assert_eq!(server.attempts().by_account.len(), 0);
        server.login("192.0.2.1", "nobody", "password");
        server.attempts().prune();
        assert_eq!(server.attempts().by_account.len(), 1);
        server.clock.advance(Duration::from_secs(60));
        server.attempts().prune();
        assert_eq!(server.attempts().by_account.len(), 0);
        assert_eq!(server.attempts().by_address.len(), 0);
    }
}
