//! Logging out: of one token, of a session, of everything.

use rocket_jwt_extended::{
    AccessToken, AnyToken, Duration, Error, Jwt, NoClaims, RefreshToken, Rejection,
};

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

#[post("/logout")]
async fn logout(jwt: &Jwt, token: AnyToken) -> Result<String, Error> {
    jwt.revoke(&token).await?;
    let kind = token.token_type().to_string();
    let kind = kind.chars().next().map(|c| c.to_uppercase().to_string() + &kind[1..]);
    Ok(format!("{} token successfully revoked", kind.unwrap_or_default()))
}

#[post("/logout/session")]
async fn logout_session(jwt: &Jwt, token: AnyToken) -> Result<(), Error> {
    jwt.revoke_session(&token).await
}

#[post("/logout/refusing")]
async fn logout_refusing(jwt: &Jwt, token: AnyToken) -> Result<(), Rejection> {
    Ok(jwt.revoke_session(&token).await?)
}

#[test]
fn one_route_revokes_either_token_alone() {
    let (client, _) = clocked("", routes![me, look, logout]);
    let pair = jwt(&client).token_pair("ada").issue().unwrap();
    let response = post(&client, "/logout", pair.access_token());
    assert_eq!(response.into_string().unwrap(), "Access token successfully revoked");
    assert_eq!(msg(get(&client, "/me", pair.access_token())).1, "Token has been revoked");
    assert_eq!(get(&client, "/look", pair.refresh_token()).status().code, 200);
    let response = post(&client, "/logout", pair.refresh_token());
    assert_eq!(response.into_string().unwrap(), "Refresh token successfully revoked");
    assert_eq!(msg(get(&client, "/look", pair.refresh_token())).1, "Token has been revoked");
}

#[test]
fn a_session_is_ended_by_either_token_with_nothing_stored_beforehand() {
    let (client, _) = clocked("", routes![me, look, logout_session]);
    for by_access in [true, false] {
        let pair = jwt(&client).token_pair("ada").issue().unwrap();
        let another = jwt(&client).token_pair("ada").issue().unwrap();
        let token = if by_access { pair.access_token() } else { pair.refresh_token() };
        assert_eq!(post(&client, "/logout/session", token).status().code, 200);
        for (path, token) in [("/me", pair.access_token()), ("/look", pair.refresh_token())] {
            assert_eq!(code(get(&client, path, token)), (401, "token_revoked".into()));
        }
        assert_eq!(get(&client, "/me", another.access_token()).status().code, 200);
    }
}

#[test]
fn a_token_without_a_session_is_ended_alone_and_one_without_ids_is_an_error() {
    let (client, _) = clocked("", routes![me, logout, logout_session]);
    let jwt = jwt(&client);
    let [alone, other] = [(); 2].map(|()| jwt.access_token("ada").encode().unwrap());
    assert_eq!(post(&client, "/logout/session", &alone).status().code, 200);
    assert_eq!(get(&client, "/me", &alone).status().code, 401);
    assert_eq!(get(&client, "/me", &other).status().code, 200);

    let nameless = sign(&without(&["jti"]));
    let token = jwt.decode::<NoClaims>(&nameless).unwrap();
    assert!(matches!(rocket::execute(jwt.revoke(&token)), Err(Error::NoTokenId)));
    assert!(matches!(rocket::execute(jwt.revoke_session(&token)), Err(Error::NoTokenId)));
}

/// The client sent it, so it is no fault of the server.
#[test]
fn a_token_without_ids_is_refused_by_a_logout() {
    for (toml, status) in [("", 401), ("invalid_token_status = 422", 422)] {
        let (client, _) = clocked(toml, routes![logout, logout_session, logout_refusing]);
        let nameless = sign(&without(&["jti"]));
        for path in ["/logout", "/logout/session", "/logout/refusing"] {
            let refused = (status, "token_invalid".to_string());
            assert_eq!(code(post(&client, path, &nameless)), refused, "{path}");
            let refused = (status, "Missing claim: jti".to_string());
            assert_eq!(msg(post(&client, path, &nameless)), refused, "{path}");
        }
    }
    assert_eq!(Error::NoTokenId.status().code, 401);
}

#[test]
fn a_revoked_token_stays_so_until_it_has_expired() {
    let (client, clock) = clocked("decode_leeway = 60", routes![me, logout]);
    let jwt = jwt(&client);
    let token = jwt.access_token("ada").encode().unwrap();
    post(&client, "/logout", &token);
    clock.set(unix(START + 900 + 59));
    rocket::execute(jwt.prune()).unwrap();
    assert_eq!(code(get(&client, "/me", &token)).1, "token_revoked");
    clock.set(unix(START + 900 + 60));
    assert_eq!(code(get(&client, "/me", &token)).1, "token_expired");
    // The entry leaves after leeway and five minutes.
    clock.set(unix(START + 900 + 60 + 299));
    assert_eq!(rocket::execute(jwt.prune()).unwrap(), 0);
    clock.advance(Duration::SECOND);
    assert_eq!(rocket::execute(jwt.prune()).unwrap(), 1);
}

#[test]
fn another_secret_ends_every_token() {
    let (before, _) = clocked("", routes![me]);
    let token = jwt(&before).access_token("ada").encode().unwrap();
    let other = uuid::Uuid::new_v4();
    let figment = figment("").merge(("jwt.secret_key", format!("{other}{other}")));
    let clock = clock_at_start();
    let rocket = rocket::custom(figment).attach(Jwt::fairing().clock(clock));
    let rocket = rocket.mount("/", routes![me]);
    let after = rocket::local::blocking::Client::untracked(rocket).unwrap();
    assert_eq!(get(&before, "/me", &token).status().code, 200);
    let refusal = (401, "Signature verification failed".to_string());
    assert_eq!(msg(get(&after, "/me", &token)), refusal);
}
