//! A logout that works after the token has expired, and a token that is good for nothing else.

use rocket::http::{CookieJar, Status};
use rocket::local::blocking::Client;
use rocket_jwt_extended::{
    AccessToken, AllowExpired, AnyToken, CurrentUser, Duration, Error, IgnoreRevocation, In, Jwt,
    NoClaims, Optional, OrForward, RefreshToken, Rejection, TokenPair, WithBody,
};
use serde_json::json;

use crate::support::ask::*;
use crate::support::*;

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/look")]
fn look(token: RefreshToken) -> String {
    token.identity().into()
}

#[get("/expired")]
fn expired(token: AllowExpired) -> String {
    token.identity().into()
}

#[get("/optional")]
fn optional(token: Optional<AllowExpired>) -> String {
    token.token().map_or("nobody", |token| token.identity()).into()
}

#[get("/forward")]
fn forward(token: OrForward<In<rocket_jwt_extended::Headers, AllowExpired>>) -> String {
    token.identity().into()
}

#[post("/logout")]
async fn logout(
    jwt: &Jwt,
    jar: &CookieJar<'_>,
    token: AllowExpired<AnyToken<NoClaims>>,
) -> Result<Status, Error> {
    jwt.revoke_session(&token).await?;
    jwt.cookies(jar).unset();
    Ok(Status::NoContent)
}

#[post("/rotate")]
async fn rotate(jwt: &Jwt, token: AllowExpired<RefreshToken>) -> Result<TokenPair, Rejection> {
    jwt.rotate(token.into_inner()).await
}

#[post("/body", data = "<body>")]
fn body(body: WithBody<AllowExpired>) -> String {
    body.token.identity().into()
}

fn site(toml: &str) -> (Client, ManualClock) {
    clocked(toml, routes![me, look, expired, optional, forward, logout, rotate, body])
}

const DEAD: (u16, &str) = (401, "token_revoked");

fn is_dead(client: &Client, path: &str, token: &str) {
    let (status, code) = code(get(client, path, token));
    assert_eq!((status, code.as_str()), DEAD, "{path}");
}

#[test]
fn an_expired_token_logs_out_and_its_session_ends() {
    for by_access in [true, false] {
        let (client, clock) = site("");
        let pair = jwt(&client).token_pair("ada").issue().unwrap();
        clock.advance(Duration::days(if by_access { 1 } else { 31 }));
        // The session may have gone on meanwhile.
        let another = with(json!({
            "sid": text(pair.refresh_token(), "sid"), "type": "refresh",
            "iat": START + 86_400, "exp": START + 50 * 86_400,
        }));
        let token = if by_access { pair.access_token() } else { pair.refresh_token() };
        assert_eq!(code(get(&client, "/me", pair.access_token())).1, "token_expired");
        assert_eq!(get(&client, "/expired", pair.access_token()).status().code, 200);
        assert_eq!(post(&client, "/logout", token).status(), Status::NoContent);
        if by_access {
            is_dead(&client, "/look", pair.refresh_token());
            is_dead(
                &client,
                "/look",
                &sign(&with(json!({
                    "sid": another["sid"], "type": "refresh", "exp": START + 86_400 * 30,
                }))),
            );
            // The entry stays for as long as a refresh token that was issued a moment ago.
            clock.advance(Duration::days(29) - Duration::MINUTE);
            rocket::execute(jwt(&client).prune()).unwrap();
            is_dead(&client, "/look", pair.refresh_token());
        }
        // Repeating is refused: it is known to be revoked.
        assert_eq!(post(&client, "/logout", token).status().code, 401);
    }
}

#[test]
fn a_logout_with_an_expired_cookie_unsets_the_cookies() {
    let toml = "token_location = [\"cookies\"]\nimplicit_refresh_within = \"15m\"";
    let (client, clock) = site(toml);
    let jwt = jwt(&client);
    let pair = jwt.token_pair("ada").issue().unwrap();
    clock.advance(Duration::hours(1));
    let cookie = || ("access_token_cookie", pair.access_token().to_string());
    // Without its CSRF value nobody logs out.
    let response = client.post("/logout").cookie(cookie()).dispatch();
    assert_eq!(code(response), (401, "csrf_missing".into()));
    let csrf = |value: String| rocket::http::Header::new("X-CSRF-TOKEN", value);
    let response = client.post("/logout").cookie(cookie()).header(csrf("x".into())).dispatch();
    assert_eq!(code(response), (401, "csrf_mismatch".into()));
    let csrf = csrf(text(pair.access_token(), "csrf"));
    let response = client.post("/logout").cookie(cookie()).header(csrf).dispatch();
    assert_eq!(response.status(), Status::NoContent);
    let (value, _) = set_cookie(&response, "access_token_cookie");
    assert_eq!(value, "", "unset, not renewed");
}

#[test]
fn an_expired_token_is_not_renewed_and_not_rotated() {
    let toml = "token_location = [\"headers\", \"cookies\"]\nimplicit_refresh_within = \"15m\"";
    let (client, clock) = site(toml);
    let pair = jwt(&client).token_pair("ada").issue().unwrap();
    let cookie = || ("access_token_cookie", pair.access_token().to_string());
    // Close to its end, and after it.
    for minutes in [14, 14] {
        clock.advance(Duration::minutes(minutes));
        let response = client.get("/expired").cookie(cookie()).dispatch();
        assert_eq!(response.status().code, 200);
        assert!(set_cookies(&response).is_empty());
    }
    clock.advance(Duration::days(30));
    let refused = code(post(&client, "/rotate", pair.refresh_token()));
    assert_eq!(refused, (401, "token_expired".into()));
}

#[test]
fn all_else_must_hold() {
    let (client, _) = site("");
    let gone = |changes: serde_json::Value| {
        let mut claims = with(json!({"exp": START - 100, "iat": START - 900, "nbf": START - 900}));
        changes.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        sign(&claims)
    };
    for path in ["/expired", "/optional", "/forward"] {
        assert_eq!(get(&client, path, &gone(json!({}))).status().code, 200, "{path}");
        for (changes, text) in [
            (json!({"nbf": START + 1}), "The token is not yet valid (nbf)"),
            (json!({"iat": START + 1}), "The token is not yet valid (iat)"),
            (json!({"type": "refresh"}), "Only non-refresh tokens are allowed"),
            (json!({"sub": ""}), "Subject must not be empty"),
            (json!({"exp": "x"}), "Expiration Time claim (exp) must be an integer."),
        ] {
            assert_eq!(msg(get(&client, path, &gone(changes))), (401, text.into()), "{path}");
        }
        let forged = format!("{}x", gone(json!({})));
        assert_eq!(get(&client, path, &forged).status().code, 401, "{path}");
    }
    let jwt = jwt(&client);
    let token = gone(json!({"jti": "one"}));
    rocket::execute(jwt.verify::<AllowExpired<AccessToken>>(&token)).unwrap();
    // Its entry would leave the store now, but is asked for as long as it is there.
    rocket::execute(jwt.revoke_all("ada")).unwrap();
    let refusal = rocket::execute(jwt.verify::<AllowExpired<AccessToken>>(&token)).unwrap_err();
    assert_eq!(refusal.code(), "token_revoked");
    type Unasked = IgnoreRevocation<AllowExpired<AccessToken>>;
    rocket::execute(jwt.verify::<Unasked>(&token)).unwrap();
}

#[test]
fn an_expired_token_is_never_fresh_where_no_launch_was_there_to_fail() {
    use rocket_jwt_extended::Fresh;

    let (client, _) = site("");
    let jwt = jwt(&client);
    let old = sign(&with(json!({"fresh": true, "exp": START})));
    let refused = rocket::execute(jwt.verify::<Fresh<AllowExpired<AccessToken>>>(&old));
    assert_eq!(refused.unwrap_err().code(), "token_expired");
    let refused = rocket::execute(jwt.verify::<AllowExpired<Fresh<AccessToken>>>(&old));
    assert_eq!(refused.unwrap_err().code(), "token_expired");
}

#[test]
fn a_launch_with_a_guard_that_takes_expired_for_fresh_fails() {
    use crate::support::anybody::{Anybody, Somebody};
    use rocket::Route;
    use rocket::error::ErrorKind;
    use rocket_jwt_extended::{Fresh, Headers, Require};

    #[get("/")]
    fn plain(_guard: Fresh<AllowExpired>) {}
    #[get("/")]
    fn other_way(_guard: AllowExpired<Fresh>) {}
    #[get("/")]
    fn deep(_guard: Fresh<In<Headers, IgnoreRevocation<AllowExpired<AnyToken>>>>) {}
    #[get("/")]
    fn optional(_guard: Optional<Fresh<AllowExpired>>) {}
    #[get("/")]
    fn forward(_guard: OrForward<Fresh<AllowExpired>>) {}
    #[get("/")]
    fn required(_guard: Fresh<Require<Anybody, AllowExpired>>) {}
    #[get("/")]
    fn required_outside(_guard: Require<Anybody, Fresh<AllowExpired>>) {}
    #[get("/")]
    fn user(_guard: Fresh<CurrentUser<Somebody, AllowExpired>>) {}
    #[get("/")]
    fn result(_guard: Result<Fresh<AllowExpired>, Rejection>) {}
    #[post("/", data = "<_body>")]
    fn body(_body: WithBody<Fresh<AllowExpired>>) {}
    #[post("/", data = "<_body>")]
    fn optional_body(_body: WithBody<Optional<Fresh<AllowExpired>>>) {}

    let launches = |routes: Vec<Route>| match Client::untracked(app("", Jwt::fairing(), routes)) {
        Ok(_) => true,
        Err(error) => match error.kind() {
            ErrorKind::SentinelAborts(_) => false,
            other => panic!("{other}"),
        },
    };
    for route in routes![
        plain,
        other_way,
        deep,
        optional,
        forward,
        required,
        required_outside,
        user,
        result,
        body,
        optional_body,
    ] {
        assert!(!launches(vec![route.clone()]), "{route}");
    }
    assert!(launches(routes![expired, super::logout_expired::optional, rotate, logout]));
}
