//! Log out everywhere: every token of an identity until now, and none after.

use rocket::local::blocking::Client;
use rocket_jwt_extended::{AccessToken, Duration, Error, Jwt, RefreshToken, Rejection, TokenPair};
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

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

fn revoke_all(client: &Client, identity: &str) {
    rocket::execute(jwt(client).revoke_all(identity)).unwrap();
}

fn status(client: &Client, token: &str) -> u16 {
    get(client, "/me", token).status().code
}

#[test]
fn tokens_of_before_die_and_a_login_of_the_same_second_works() {
    // A clock that stands still: all happens in one millisecond of it.
    let (client, _) = clocked("", routes![me, look, refresh]);
    let jwt = jwt(&client);
    for _ in 0..20 {
        let [pair, other] = ["ada", "alan"].map(|name| jwt.token_pair(name).issue().unwrap());
        let alone = jwt.access_token("ada").encode().unwrap();
        revoke_all(&client, "ada");
        for token in [pair.access_token(), &alone] {
            assert_eq!(code(get(&client, "/me", token)), (401, "token_revoked".into()));
        }
        let refused = code(post(&client, "/refresh", pair.refresh_token()));
        assert_eq!(refused, (401, "token_revoked".into()));

        let pair = jwt.token_pair("ada").issue().unwrap();
        let alone = jwt.access_token("ada").encode().unwrap();
        assert_eq!(payload(&alone)["iat"], START);
        for token in [pair.access_token(), &alone, other.access_token()] {
            assert_eq!(status(&client, token), 200);
        }
        crate::support::ask::pair(post(&client, "/refresh", pair.refresh_token()));
    }
}

#[test]
fn the_same_goes_for_the_real_clock() {
    let client = client("", Jwt::fairing(), routes![me]);
    let jwt = jwt(&client);
    for _ in 0..50 {
        let before = jwt.access_token("ada").encode().unwrap();
        revoke_all(&client, "ada");
        let after = jwt.access_token("ada").encode().unwrap();
        assert_eq!((status(&client, &before), status(&client, &after)), (401, 200));
    }
}

#[test]
fn a_pair_made_of_a_token_of_before_is_not_handed_out() {
    let (client, _) = clocked("", routes![look, refresh]);
    let first = jwt(&client).token_pair("ada").issue().unwrap();
    let second = pair(post(&client, "/refresh", first.refresh_token()));
    revoke_all(&client, "ada");
    for token in [first.refresh_token(), &second[1]] {
        assert_eq!(code(post(&client, "/refresh", token)), (401, "token_revoked".into()));
    }
}

#[test]
fn a_token_without_a_uuidv7_goes_by_its_second_and_without_iat_it_is_dead() {
    let (client, clock) = clocked("", routes![me]);
    let hand_made = |changes| sign(&with(changes));
    let next = START + 1;
    let before = hand_made(json!({"iat": START - 1}));
    let same = hand_made(json!({"iat": START}));
    let undated = sign(&without(&["iat"]));
    let nameless = sign(&without(&["jti"]));
    for token in [&before, &same, &undated, &nameless] {
        assert_eq!(status(&client, token), 200);
    }
    revoke_all(&client, "ada");
    // Of the second itself nobody can say more.
    for token in [&before, &same, &undated, &nameless] {
        assert_eq!(status(&client, token), 401);
    }
    clock.set(unix(next));
    assert_eq!(status(&client, &hand_made(json!({"iat": next, "nbf": next}))), 200);
    assert_eq!(status(&client, &undated), 401);
    // A v4 `jti` tells no time, whatever its digits look like.
    let jti = "018d0000-0000-4000-8000-000000000000";
    assert_eq!(status(&client, &hand_made(json!({"iat": START, "jti": jti}))), 401);
    let token = hand_made(json!({"iat": next, "nbf": next, "jti": jti}));
    assert_eq!(status(&client, &token), 200);
}

#[test]
fn a_cut_off_stays_for_good_or_for_the_longest_lifetime() {
    for (toml, left) in [("", 0), ("max_token_lifetime = \"30d\"", 1)] {
        let (client, clock) = clocked(toml, routes![me, look]);
        let jwt = jwt(&client);
        let token = jwt.refresh_token("ada").encode().unwrap();
        revoke_all(&client, "ada");
        clock.advance(Duration::days(30) - Duration::SECOND);
        assert_eq!(rocket::execute(jwt.prune()).unwrap(), 0);
        assert_eq!(code(get(&client, "/look", &token)), (401, "token_revoked".into()));
        // Leeway and five minutes more.
        clock.advance(Duration::minutes(5) + Duration::seconds(2));
        assert_eq!(rocket::execute(jwt.prune()).unwrap(), left, "{toml}");
    }
}

#[test]
fn an_identity_is_taken_as_it_is_and_none_is_an_error() {
    let (client, _) = clocked("", routes![me]);
    let jwt = jwt(&client);
    let upper = jwt.access_token("Ada").encode().unwrap();
    let number = jwt.access_token(7_u32).encode().unwrap();
    revoke_all(&client, "ada");
    assert_eq!((status(&client, &upper), status(&client, &number)), (200, 200));
    rocket::execute(jwt.revoke_all(7_u32)).unwrap();
    assert_eq!((status(&client, &upper), status(&client, &number)), (200, 401));
    assert!(matches!(rocket::execute(jwt.revoke_all("")), Err(Error::EmptyIdentity)));
}

#[rocket::async_test]
async fn many_at_once_do_not_keep_others_from_logging_in() {
    use rocket::futures::future::join_all;
    use rocket::local::asynchronous::Client;

    let client = Client::untracked(app("", Jwt::fairing(), routes![me])).await.unwrap();
    let jwt = Jwt::fetch(client.rocket()).unwrap();
    let names: Vec<_> = (0..2000).map(|index| format!("user {index}")).collect();
    let issue = |name: &String| jwt.access_token(name).encode().unwrap();
    let before: Vec<_> = names.iter().map(issue).collect();
    for result in join_all(names.iter().map(|name| jwt.revoke_all(name))).await {
        result.unwrap();
    }
    let token = jwt.access_token("ada").encode().unwrap();
    let response = client.get("/me").header(Bearer(&token)).dispatch().await;
    assert_eq!(response.status().code, 200, "{:?}", response.into_string().await);
    for (name, before) in names.iter().zip(&before) {
        let refusal = jwt.verify::<AccessToken>(before).await.unwrap_err();
        assert_eq!(refusal.code(), "token_revoked");
        jwt.verify::<AccessToken>(&issue(name)).await.unwrap();
    }
}
