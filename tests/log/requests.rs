//! What requests with tokens log.

use std::error::Error;

use crate::support::capture::{Line, log_of};
use crate::support::common::*;
use crate::support::refused_requests::{bare, cases, claimed, fairing, routes};
use crate::support::users::User;
use crate::support::*;
use rocket::form::Form;
use rocket::http::{ContentType, CookieJar};
use rocket::local::blocking::{Client, LocalRequest};
use rocket::serde::json::Json;
use rocket_jwt_extended::{
    AccessToken, Claims, CurrentUser, Fresh, Jwt, Optional, RefreshToken, Rejection, TokenPair,
    WithBody,
};
use serde_json::json;

#[post("/login")]
fn login(jwt: &Jwt, jar: &CookieJar<'_>) -> Result<TokenPair, rocket_jwt_extended::Error> {
    let pair = jwt.token_pair("ada").fresh().issue()?;
    jwt.cookies(jar).set_pair(&pair)?;
    Ok(pair)
}

#[get("/me")]
fn me(user: CurrentUser<User>, _fresh: Result<Fresh, Rejection>) -> String {
    user.name.clone()
}

#[post("/me")]
fn post_me(token: Optional) -> String {
    token.token().map_or("nobody", |token| token.identity()).into()
}

#[post("/rotate")]
async fn rotate(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

#[post("/json", data = "<body>")]
fn json_body(body: WithBody<AccessToken, Json<Claims>>) -> String {
    body.token.identity().into()
}

#[derive(FromForm)]
struct Note {
    count: u8,
}

#[post("/form", data = "<body>")]
fn form_body(body: WithBody<AccessToken, Form<Note>>) -> String {
    body.body.count.to_string()
}

#[delete("/logout")]
async fn logout(jwt: &Jwt, token: AccessToken) -> Result<(), rocket_jwt_extended::Error> {
    jwt.revoke_session(&token).await
}

/// Everything secret a request carries.
fn secrets(request: &LocalRequest<'_>) -> Vec<String> {
    let inner = request.inner();
    let lines = inner.headers().get("Authorization").map(|line| line.replace("Bearer ", ""));
    lines.chain(inner.cookies().iter().map(|cookie| cookie.value().to_string())).collect()
}

/// Fails if a line has a token, its payload, or its signature.
fn never(lines: &[Line], secrets: &[String]) {
    assert!(!secrets.is_empty());
    for secret in secrets {
        for part in secret.split('.').skip(1).filter(|part| part.len() > 8).chain([&**secret]) {
            if part.len() > 8 {
                let line = lines.iter().find(|line| line.text.contains(part));
                assert!(line.is_none(), "{part}: {line:?}");
            }
        }
    }
}

#[test]
fn no_refusal_logs_a_token() {
    let ((secrets, refused), lines) = log_of(|| {
        let client = Client::untracked(bare("", fairing()).mount("/", routes())).unwrap();
        let mut all = vec![];
        let mut refused = 0;
        for case in cases().into_iter().filter(|case| !case.uri.contains('?')) {
            let request = case.send(&client, "");
            all.extend(secrets(&request));
            refused += usize::from(request.dispatch().status().code >= 400);
        }
        let good = sign(&claimed(json!({})));
        let request = client.get("/access").header(Bearer(&good));
        all.extend(secrets(&request));
        assert_eq!(request.dispatch().status().code, 200);
        (all, refused)
    });
    assert!(refused > 30 && secrets.len() > 30);
    // Something was looked at: Rocket logs every refusal with its reason.
    let failed = lines.iter().filter(|line| line.text.contains("failed: ")).count();
    assert!(failed > 30, "{failed}");
    assert!(lines.iter().any(|line| line.text.contains("token_expired: Token has expired")));
    never(&lines, &secrets);
    never(&lines, &["the-csrf-value".into(), "not-the-value".into(), secret().into()]);
}

#[test]
fn no_login_use_rotation_or_logout_logs_a_token() {
    let (all, lines) = log_of(|| -> Result<Vec<String>, Box<dyn Error>> {
        let toml = "token_location = [\"headers\", \"cookies\", \"json\"]\ncsrf_check_form = true\n\
                    implicit_refresh_within = \"1h\"";
        let fairing = Jwt::fairing().clock(clock_at_start());
        let app = routes![login, me, post_me, rotate, json_body, form_body, logout];
        let client = client(toml, fairing, app);
        let pair = answer(client.post("/login").dispatch()).1;
        let (access, refresh) = (pair["access_token"].as_str(), pair["refresh_token"].as_str());
        let (access, refresh) = (access.ok_or("access")?, refresh.ok_or("refresh")?);
        let csrf = payload(access)["csrf"].as_str().ok_or("csrf")?.to_string();
        let mut all = vec![access.to_string(), refresh.to_string(), csrf.clone(), secret().into()];

        assert_eq!(said(client.get("/me").header(Bearer(access)).dispatch()), let_in("ada"));
        let renewing = client.get("/me").cookie(in_cookie(access)).dispatch();
        let renewed = renewing.cookies().get("access_token_cookie").ok_or("renewed")?;
        all.push(renewed.value().into());
        let request = || client.post("/me").cookie(in_cookie(access));
        assert_eq!(said(request().dispatch()).0, 401);
        let header = rocket::http::Header::new("X-CSRF-TOKEN", csrf.clone());
        assert_eq!(said(request().header(header).dispatch()), let_in("ada"));

        let body = json!({"access_token": access, "password": "a-password-of-ada"});
        let request = client.post("/json").header(ContentType::JSON).body(body.to_string());
        assert_eq!(said(request.dispatch()), let_in("ada"));
        let form = format!("csrf_token={csrf}&count=many");
        let request = client.post("/form").cookie(in_cookie(access)).header(ContentType::Form);
        assert_eq!(said(request.body(form).dispatch()).0, 422);
        all.push("a-password-of-ada".into());

        let rotated = answer(client.post("/rotate").header(Bearer(refresh)).dispatch()).1;
        for name in ["access_token", "refresh_token"] {
            all.push(rotated[name].as_str().ok_or(name)?.into());
        }
        let used = client.post("/rotate").header(Bearer(&all[all.len() - 1])).dispatch();
        assert_eq!(used.status().code, 200);
        let theft = client.post("/rotate").header(Bearer(refresh)).dispatch();
        assert_eq!(theft.status().code, 401);
        let again = sign(&with(json!({"sub": "bob"})));
        assert_eq!(client.delete("/logout").header(Bearer(&again)).dispatch().status().code, 200);
        assert_eq!(client.delete("/logout").header(Bearer(&again)).dispatch().status().code, 401);
        all.push(again);
        Ok(all)
    });
    let all = all.unwrap();
    assert!(lines.iter().any(|line| {
        line.text.contains("a refresh token was reused, so its session has been ended")
    }));
    never(&lines, &all);
}

#[test]
fn of_a_token_in_the_query_string_this_crate_logs_nothing() {
    // Rocket's own line of the request has it; that is what the launch warns of.
    let (token, lines) = log_of(|| {
        let client = Client::untracked(bare("", fairing()).mount("/", routes())).unwrap();
        let expired = sign(&claimed(json!({"exp": START})));
        let response = client.get(format!("/access?jwt={expired}")).dispatch();
        assert_eq!(response.status().code, 401);
        expired
    });
    let (rockets, others): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|line| line.text.starts_with("GET /access?jwt="));
    assert_eq!(rockets.len(), 1);
    assert!(rockets[0].module.starts_with("rocket::"), "{rockets:?}");
    never(&others, &[token]);
}

#[derive(rocket::serde::Deserialize)]
#[serde(crate = "rocket::serde")]
#[allow(dead_code)]
struct Grown {
    role: String,
    team: u32,
}

#[get("/grown")]
fn grown(token: AccessToken<Grown>) -> String {
    token.identity().into()
}

#[test]
fn claims_that_do_not_fit_the_struct_are_logged_by_field_and_never_by_value() {
    // The logger must be there before Rocket's.
    let ((client, _), _) = log_of(|| clocked("", routes![grown]));
    for (changes, field) in [
        (json!({"role": "a-telling-value"}), "missing field `team`"),
        (
            json!({"role": "r", "team": "a-telling-value"}),
            "invalid type: string, expected u32, in the claim `team`",
        ),
    ] {
        let token = sign(&with(changes));
        let (response, lines) =
            log_of(|| said(client.get("/grown").header(Bearer(&token)).dispatch()));
        assert_eq!(response, (401, "Claims are not of the expected form".into()));
        let ours: Vec<_> = lines.iter().filter(|line| line.text.contains("deserialize")).collect();
        let [line] = ours[..] else { panic!("{ours:?}") };
        assert_eq!(line.level, log::Level::Warn);
        assert!(line.text.contains(field) && line.text.contains("Grown"), "{}", line.text);
        assert!(lines.iter().all(|line| !line.text.contains("telling")), "{lines:?}");
    }
}

#[test]
fn a_cookie_that_browsers_would_drop_is_one_line_with_its_cure() {
    let (token, lines) = log_of(|| {
        let fairing = Jwt::fairing().clock(clock_at_start()).additional_claims(|_| {
            Claims::from_iter([("groups".to_string(), json!(vec!["engineering"; 400]))])
        });
        let toml = "token_location = \"cookies\"\nimplicit_refresh_within = \"1h\"";
        let client = client(toml, fairing, routes![login, post_me]);
        let token = sign(&claims());
        let header = rocket::http::Header::new("X-CSRF-TOKEN", "the-csrf-value");
        let request = client.post("/me").cookie(in_cookie(&token)).header(header);
        assert_eq!(said(request.dispatch()), let_in("ada"));
        token
    });
    let ours: Vec<_> = lines.iter().filter(|line| line.text.contains("4096 bytes")).collect();
    assert_eq!(ours.len(), 1, "{ours:?}");
    assert_eq!(ours[0].level, log::Level::Error);
    for part in ["can't be renewed", "the access token's cookie", "put less into its claims"] {
        assert!(ours[0].text.contains(part), "{ours:?}");
    }
    never(&lines, &[token]);
}

/// Browsers drop them and say nothing; the first such login is one line.
#[test]
fn secure_cookies_for_a_page_without_tls_are_said_once() {
    use rocket::http::Header;

    let said = |secure: bool, origin: &str, host: &str| {
        let toml = format!("token_location = \"cookies\"\ncookie_secure = {secure}");
        let (_, lines) = log_of(|| {
            let client = client(&toml, Jwt::fairing(), routes![login]);
            for _ in 0..2 {
                let request = client.post("/login");
                let request = request.header(Header::new("Origin", origin.to_string()));
                request.header(Header::new("Host", host.to_string())).dispatch();
            }
        });
        let text = "browsers drop them, as `cookie_secure` is true";
        lines.iter().filter(|line| line.text.contains(text)).count()
    };
    for host in ["example.test", "Example.test:8000", "192.168.1.20:8000", "[fe80::1]"] {
        assert_eq!(said(true, &format!("http://{host}"), host), 1, "{host}");
        assert_eq!(said(false, &format!("http://{host}"), host), 0, "{host}");
        assert_eq!(said(true, &format!("https://{host}"), host), 0, "{host}");
    }
    for (origin, host) in [
        ("http://localhost:8000", "localhost:8000"),
        ("http://app.localhost", "app.localhost"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://www.example.test", "api.example.test"),
        ("null", "example.test"),
    ] {
        assert_eq!(said(true, origin, host), 0, "{origin}");
    }
}
