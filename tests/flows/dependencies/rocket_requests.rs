//! What Rocket does to requests, and what comes of it here.

use rocket::error::ErrorKind;
use rocket::http::{ContentType, Header, Method};
use rocket::local::blocking::Client;
use rocket::serde::{Deserialize, json::Json};
use rocket::{Build, Rocket};
use rocket_jwt_extended::{
    AccessToken, AnyToken, CurrentUser, Fresh, In, JsonBody, Jwt, LoadUser, NoClaims, Optional,
    OrForward, RefreshToken, Token, WithBody,
};
use serde_json::json;

use crate::support::ask::*;
use crate::support::*;

#[get("/me")]
fn me(token: AccessToken) -> String {
    format!("{} {}", token.identity(), "x".repeat(1000))
}

#[options("/guarded")]
fn preflight(token: AccessToken) -> String {
    token.identity().into()
}

#[options("/open")]
fn open_preflight() -> &'static str {
    "come in"
}

#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Note {
    text: String,
}

#[post("/note", data = "<note>")]
fn note(note: WithBody<AccessToken, Json<Note>>) -> String {
    format!("{} {}", note.token.identity(), note.body.text.len())
}

/// A request guard, which can't see the body.
#[post("/plain")]
fn plain(token: AccessToken) -> String {
    token.identity().into()
}

#[test]
fn options_is_no_exemption_and_a_route_of_its_own_needs_no_guard() {
    let client = client("", Jwt::fairing(), routes![me, preflight, open_preflight]);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    let options = |path, token| ask(&client, Method::Options, path, token);
    assert_eq!(code(options("/guarded", "")), (401, "token_missing".into()));
    assert_eq!(code(options("/guarded", "x")), (401, "token_invalid".into()));
    assert_eq!(options("/guarded", &token).into_string().unwrap(), "ada");
    assert_eq!(options("/open", "").into_string().unwrap(), "come in");
    // Rocket makes up none.
    assert_eq!(options("/me", &token).status().code, 404);
}

#[test]
fn a_token_is_found_in_a_long_body_by_the_data_guard_alone() {
    let client = client("token_location = \"json\"", Jwt::fairing(), routes![note, plain]);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    for length in [0, 512, 100_000] {
        // The token comes last.
        let body = json!({"text": "x".repeat(length)}).to_string();
        let body = body.replacen('}', &format!(",\"access_token\":\"{token}\"}}"), 1);
        let request = |path: &'static str| client.post(path).header(ContentType::JSON).body(&body);
        let response = request("/note").dispatch();
        assert_eq!(response.into_string().unwrap(), format!("ada {length}"));
        let (status, text) = msg(request("/plain").dispatch());
        assert_eq!((status, text.as_str()), (401, "Missing \"access_token\" key in json data."));
    }
}

#[test]
fn a_csrf_value_in_a_form_field_is_found_by_the_data_guard_alone() {
    #[post("/form", data = "<form>")]
    fn form(form: WithBody<AccessToken, &[u8]>) -> String {
        format!("{} {}", form.token.identity(), form.body.len())
    }

    let toml = "token_location = \"cookies\"\ncsrf_check_form = true";
    let client = client(toml, Jwt::fairing(), routes![form, plain]);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    let body = format!("filler={}&csrf_token={}", "x".repeat(2000), text(&token, "csrf"));
    let request = |path: &'static str| {
        let request = client.post(path).header(ContentType::Form).body(&body);
        request.cookie(("access_token_cookie", token.clone()))
    };
    let response = request("/form").dispatch();
    assert_eq!(response.into_string().unwrap(), format!("ada {}", body.len()));
    assert_eq!(code(request("/plain").dispatch()), (401, "csrf_missing".into()));
}

#[test]
fn head_is_guarded_as_get_is_and_has_no_body() {
    let client = client("", Jwt::fairing(), routes![me]);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    let response = ask(&client, Method::Head, "/me", &token);
    assert_eq!(response.status().code, 200);
    assert_eq!(response.into_string().unwrap_or_default(), "");
    for bad in ["", "x"] {
        let response = ask(&client, Method::Head, "/me", bad);
        assert_eq!(response.status().code, 401);
        assert!(response.headers().contains("WWW-Authenticate"));
        assert_eq!(response.into_string().unwrap_or_default(), "");
    }
}

#[test]
fn every_authorization_line_is_looked_at_and_two_tokens_are_refused() {
    let client = client("", Jwt::fairing(), routes![me]);
    let token = jwt(&client).access_token("ada").encode().unwrap();
    let bearer = format!("Bearer {token}");
    let answer = |lines: &[&str]| {
        let mut request = client.get("/me");
        lines.iter().for_each(|line| {
            request.add_header(Header::new("Authorization", line.to_string()));
        });
        let response = request.dispatch();
        match response.status().code {
            200 => "ok".into(),
            _ => code(response).1,
        }
    };
    for (lines, expected) in [
        (&["Basic YTpi", &bearer][..], "ok"),
        (&[&bearer, "Basic YTpi"], "ok"),
        (&["Basic YTpi", "Digest x"], "token_missing"),
        (&[&bearer, &bearer], "token_invalid"),
        (&[&bearer, "Bearer x"], "token_invalid"),
        (&["Bearer x", &bearer], "token_invalid"),
    ] {
        assert_eq!(answer(lines), expected, "{lines:?}");
        // RFC 9110 §5.3: lines of one name are one line with commas.
        assert_eq!(answer(&[&lines.join(", ")]), expected, "{lines:?}");
    }
}

struct User;

#[rocket::async_trait]
impl LoadUser for User {
    type Claims = NoClaims;
    type Error = std::convert::Infallible;

    async fn load(
        _: &Token<NoClaims>,
        _: &rocket::Request<'_>,
    ) -> Result<Option<Self>, Self::Error> {
        Ok(Some(User))
    }
}

#[test]
fn without_the_fairing_a_launch_with_any_guard_fails() {
    #[get("/")]
    fn access(_token: AccessToken) {}
    #[get("/")]
    fn refresh(_token: RefreshToken) {}
    #[get("/")]
    fn any(_token: AnyToken) {}
    #[get("/")]
    fn fresh(_token: Fresh) {}
    #[get("/")]
    fn optional(_token: Optional<Fresh>) {}
    #[get("/")]
    fn forwarding(_token: OrForward<AccessToken>) {}
    #[get("/")]
    fn user(_token: CurrentUser<User>) {}
    #[get("/")]
    fn manager(_jwt: &Jwt) {}
    #[get("/")]
    fn result(_token: Result<AccessToken, rocket_jwt_extended::Rejection>) {}
    #[post("/", data = "<_body>")]
    fn body(_body: WithBody) {}

    fn launch(rocket: Rocket<Build>) -> bool {
        match Client::untracked(rocket) {
            Ok(_) => true,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::SentinelAborts(_)));
                false
            }
        }
    }

    for routes in [
        routes![access],
        routes![refresh],
        routes![any],
        routes![fresh],
        routes![optional],
        routes![forwarding],
        routes![user],
        routes![manager],
        routes![result],
        routes![body],
    ] {
        let bare = rocket::custom(figment("")).mount("/", routes.clone());
        assert!(!launch(bare));
        assert!(launch(app("", Jwt::fairing(), routes)));
    }
    #[get("/")]
    fn never(_token: In<JsonBody>) {}
    assert!(!launch(app("", Jwt::fairing(), routes![never])), "it could never succeed");
}

#[test]
fn a_guard_called_by_hand_without_the_fairing_lets_nobody_in() {
    let client = Client::untracked(rocket::custom(figment(""))).unwrap();
    let request = client.get("/").header(Bearer(&sign(&claims())));
    let outcome = rocket::execute(request.inner().guard::<AccessToken>());
    let rocket::request::Outcome::Error((status, rejection)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((status.code, rejection.code()), (500, "not_attached"));
}
