//! An application that shows what its configuration does, and the sources a setting can come from.

use crate::support::log_capture::{install, logged};
use crate::support::*;
use rocket::figment::providers::{Format, Toml};
use rocket::figment::value::{Dict, Value};
use rocket::figment::{Figment, Jail};
use rocket::http::CookieJar;
use rocket::local::blocking::{Client, LocalResponse};
use rocket_jwt_extended::{
    AccessToken, Error, Fresh, Jwt, RefreshToken, Rejection, TokenPair, WithBody,
};

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[post("/me")]
fn change_me(token: AccessToken) -> String {
    token.identity().into()
}

#[delete("/me")]
fn delete_me(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/recent")]
fn recent(token: Fresh) -> String {
    token.identity().into()
}

#[get("/renew")]
fn renew(token: RefreshToken) -> String {
    token.identity().into()
}

#[post("/renew")]
fn change_renew(token: RefreshToken) -> String {
    token.identity().into()
}

#[post("/body", data = "<body>")]
fn body(body: WithBody<AccessToken>) -> String {
    body.token.identity().into()
}

#[post("/renew-body", data = "<body>")]
fn renew_body(body: WithBody<RefreshToken>) -> String {
    body.token.identity().into()
}

#[post("/rotate")]
async fn rotate(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

#[get("/login")]
fn login(jwt: &Jwt, jar: &CookieJar<'_>) -> Result<(), Error> {
    jwt.cookies(jar).set_pair(&jwt.token_pair("ada").issue()?)
}

pub fn routes() -> Vec<rocket::Route> {
    routes![me, change_me, delete_me, recent, renew, change_renew, body, renew_body, rotate, login]
}

/// The application, launched, and its clock.
pub struct App {
    pub client: Client,
    pub clock: ManualClock,
}

impl App {
    pub fn jwt(&self) -> &Jwt {
        jwt(&self.client)
    }

    /// What `GET /me` says to a token in the usual header.
    pub fn me(&self, token: &str) -> String {
        said(self.client.get("/me").header(Bearer(token)).dispatch())
    }

    /// The `Set-Cookie` lines of a login.
    pub fn login(&self) -> Vec<String> {
        let response = self.client.get("/login").dispatch();
        response.headers().get("Set-Cookie").map(Into::into).collect()
    }

    /// The names of the cookies that a login sets.
    pub fn cookies(&self) -> String {
        cookie_names(&self.login())
    }

    /// An attribute of a cookie that a login sets: its value, `yes` for one without value, or `no`.
    pub fn attribute(&self, cookie: &str, attribute: &str) -> String {
        let lines = self.login();
        let line = lines.iter().find(|line| line.starts_with(&format!("{cookie}=")));
        let line = line.unwrap_or_else(|| panic!("{cookie} is not in {lines:?}"));
        for part in line.split("; ").skip(1) {
            match part.split_once('=') {
                Some((name, value)) if name == attribute => return value.into(),
                None if part == attribute => return "yes".into(),
                _ => (),
            }
        }
        "no".into()
    }
}

/// The names of the cookies in `Set-Cookie` lines, in order of the alphabet.
pub fn cookie_names(lines: &[String]) -> String {
    let mut names: Vec<_> = lines.iter().filter_map(|line| line.split('=').next()).collect();
    names.sort_unstable();
    names.join(" ")
}

/// A good answer's body, or a bad one's status and text.
pub fn said(response: LocalResponse<'_>) -> String {
    let status = response.status().code;
    let body = response.into_string().unwrap_or_default();
    match serde_json::from_str::<serde_json::Value>(&body) {
        _ if status == 200 => body,
        Ok(json) if json["msg"].is_string() => {
            format!("{status} {}", json["msg"].as_str().unwrap_or_default())
        }
        _ => format!("{status} {body}"),
    }
}

/// The application, or all that its failed launch logged.
pub fn launch(figment: Figment) -> Result<App, String> {
    launch_with(figment, Jwt::fairing())
}

/// The same with hooks.
pub fn launch_with(
    figment: Figment,
    fairing: rocket_jwt_extended::JwtFairing,
) -> Result<App, String> {
    install();
    let clock = clock_at_start();
    let rocket = rocket::custom(figment).attach(fairing.clock(clock.clone())).mount("/", routes());
    match logged(|| Client::untracked(rocket)) {
        (Ok(client), _) => Ok(App { client, clock }),
        (Err(error), log) => {
            // An error that nobody looks at panics.
            let _ = error.kind();
            Err(log)
        }
    }
}

/// What a launch of `[default.jwt]` with these lines and nothing else logs when it fails.
pub fn refusal(lines: &str) -> String {
    match launch(raw_figment(&format!("[default.jwt]\n{lines}"))) {
        Ok(_) => panic!("this launches:\n{lines}"),
        Err(log) => log,
    }
}

/// The application of `[default.jwt]` with a secret and these lines.
pub fn app(lines: &str) -> App {
    launch(figment(lines)).unwrap_or_else(|log| panic!("{lines} does not launch: {log}"))
}

/// The lines of a `[default.jwt]` that has a secret.
pub fn with_secret(lines: &str) -> String {
    format!("secret_key = \"{}\"\n{lines}", secret())
}

/// Observes a setting: unwritten it must be `default`, and `set` when `lines` write it, in
/// `Rocket.toml`, in `ROCKET_JWT` and in code. `base` is written everywhere.
#[track_caller]
pub fn setting(
    base: &str,
    lines: &str,
    [default, set]: [&str; 2],
    observe: impl Fn(Figment) -> String,
) {
    Jail::expect_with(|jail| {
        let file = |lines: &str| format!("[default.jwt]\n{base}\n{lines}\n");
        jail.create_file("Rocket.toml", &file(lines))?;
        assert_eq!(observe(from_rocket()), set, "by `Rocket.toml`: {lines}");

        jail.create_file("Rocket.toml", &file(""))?;
        assert_eq!(observe(from_rocket()), default, "by nobody: {lines}");

        let written: Dict = Figment::from(Toml::string(lines)).extract()?;
        let code = written.iter().fold(from_rocket(), |figment, (key, value)| {
            figment.merge((format!("jwt.{key}"), value))
        });
        assert_eq!(observe(code), set, "by code: {lines}");

        jail.set_env("ROCKET_JWT", inline(&written));
        assert_eq!(observe(from_rocket()), set, "by `ROCKET_JWT`: {lines}");
        Ok(())
    });
}

/// [`setting()`] of an application that has a secret.
#[track_caller]
pub fn shown(lines: &str, expected: [&str; 2], observe: impl Fn(&App) -> String) {
    shown_beside("", lines, expected, observe);
}

/// [`shown()`] with other settings beside it.
#[track_caller]
pub fn shown_beside(
    base: &str,
    lines: &str,
    expected: [&str; 2],
    observe: impl Fn(&App) -> String,
) {
    setting(&with_secret(base), lines, expected, launched(observe));
}

/// An observation of an application that must launch.
pub fn launched(observe: impl Fn(&App) -> String) -> impl Fn(Figment) -> String {
    move |figment| match launch(figment) {
        Ok(app) => observe(&app),
        Err(log) => panic!("it does not launch: {log}"),
    }
}

/// What an application would launch with: Rocket's own sources, in its debug profile.
pub fn from_rocket() -> Figment {
    rocket::Config::figment().select(rocket::Config::DEBUG_PROFILE)
}

/// A table as an environment variable holds it.
pub fn inline(table: &Dict) -> String {
    fn text(value: &Value) -> String {
        match value {
            Value::String(_, text) => format!("{text:?}"),
            Value::Num(_, number) => number.to_i128().map_or_else(String::new, |n| n.to_string()),
            Value::Bool(_, bool) => bool.to_string(),
            Value::Array(_, many) => {
                format!("[{}]", many.iter().map(text).collect::<Vec<_>>().join(","))
            }
            Value::Dict(_, table) => inline(table),
            other => panic!("{other:?} is not in any setting"),
        }
    }
    let pairs: Vec<_> = table.iter().map(|(key, one)| format!("{key}={}", text(one))).collect();
    format!("{{{}}}", pairs.join(","))
}
