//! What a launch logs.

use crate::support::capture::{Line, log_of};
use crate::support::*;
use log::Level;
use rocket::Route;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{AccessToken, Fresh, In, JsonBody, Jwt, Optional, WithBody};

#[get("/")]
fn access(_token: AccessToken) {}
#[get("/")]
fn nested(_token: Optional<Fresh>) {}
#[get("/")]
fn manager(_jwt: &Jwt) {}
#[post("/", data = "<_body>")]
fn body(_body: WithBody) {}
#[get("/")]
fn json(_token: Fresh<In<JsonBody>>) {}

/// The lines of this crate.
fn ours(lines: &[Line]) -> Vec<&Line> {
    lines.iter().filter(|line| line.module.starts_with("rocket_jwt_extended")).collect()
}

fn has(lines: &[Line], level: Level, text: &str) -> bool {
    ours(lines).iter().any(|line| line.level == level && line.text.contains(text))
}

fn launch(attached: bool, toml: &str, routes: Vec<Route>) -> (bool, Vec<Line>) {
    log_of(|| {
        let rocket = rocket::custom(figment(toml)).mount("/", routes);
        let rocket = if attached { rocket.attach(Jwt::fairing()) } else { rocket };
        match Client::untracked(rocket) {
            Ok(_) => true,
            Err(error) => {
                let _ = error.kind();
                false
            }
        }
    })
}

#[test]
fn a_guard_without_the_fairing_fails_the_launch_with_a_line_that_says_what_to_do() {
    for (routes, guard) in [
        (routes![access], "AccessToken"),
        (routes![nested], "Fresh"),
        (routes![manager], "Jwt"),
        (routes![body], "WithBody"),
    ] {
        let (launched, lines) = launch(false, "", routes);
        assert!(!launched, "{guard}");
        let line = ours(&lines).into_iter().find(|line| line.level == Level::Error).unwrap();
        assert!(line.text.contains(guard), "{line:?}");
        assert!(line.text.contains("without attaching `Jwt::fairing()`"), "{line:?}");
        // In the same line: in the release profile Rocket prints none below a warning.
        assert!(line.text.contains("rocket::build().attach(Jwt::fairing())"), "{line:?}");
    }
}

#[test]
fn a_request_guard_for_the_body_alone_fails_the_launch_with_a_line_that_says_what_to_do() {
    let (launched, lines) = launch(true, "", routes![json]);
    assert!(!launched);
    assert!(has(&lines, Level::Error, "can never succeed: a request guard cannot read a body"));
    assert!(has(&lines, Level::Error, "Use it inside `WithBody<…>`"));
}

#[test]
fn tokens_in_query_strings_are_warned_of() {
    let (launched, lines) = launch(true, "token_location = \"query_string\"", routes![access]);
    assert!(launched);
    assert!(has(&lines, Level::Warn, "URLs end up in logs"));
    let (_, lines) = launch(true, "", routes![access]);
    assert!(!has(&lines, Level::Warn, "URLs end up in logs"));
}

#[test]
fn catchers_that_stand_before_on_rejection_are_warned_of() {
    #[catch(401)]
    fn unauthorized() {}

    #[catch(default)]
    fn everything() {}
    #[catch(404)]
    fn not_found() {}

    let launch = |base: &'static str, catchers: Vec<rocket::Catcher>| {
        log_of(|| {
            let fairing = Jwt::fairing().on_rejection(|rejection, _| rejection.clone());
            let rocket = rocket::custom(figment("")).attach(fairing);
            Client::untracked(rocket.register(base, catchers)).unwrap();
        })
        .1
    };
    for (base, catchers, text) in [
        ("/", catchers![unauthorized], "not called for 401 below `/`, whichever guard refuses"),
        (
            "/",
            catchers![unauthorized],
            "own catcher `unauthorized` answers there, unless it returns",
        ),
        ("/", catchers![everything], "not called for 400, 401, 403, 503 below `/`"),
        ("/api", catchers![everything], "not called for 400, 401, 403, 503 below `/api`"),
        ("/api", catchers![everything], "`Rejection::of(request)` finds. Return that"),
    ] {
        let lines = launch(base, catchers);
        assert!(has(&lines, Level::Warn, text), "{text}: {lines:?}");
    }
    for catchers in [vec![], catchers![not_found]] {
        assert!(!has(&launch("/", catchers), Level::Warn, "on_rejection"));
    }
}

#[test]
fn no_launch_shows_the_secret() {
    for toml in [
        "",
        "no_such_key = 1",
        "algorithm = \"HS512\"",
        "algorithm = \"RS256\"",
        "access_token_expires = 0",
        "private_key = \"x\"",
    ] {
        let (_, lines) = launch(true, toml, routes![access]);
        assert!(!ours(&lines).is_empty(), "{toml}");
        for line in lines {
            assert!(!line.text.contains(secret()), "{toml} {line:?}");
        }
    }
}
