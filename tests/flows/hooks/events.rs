//! Events: what an audit log is told, once for each thing that happened.

use std::sync::{Arc, Mutex};

use rocket::local::blocking::Client;
use rocket_jwt_extended::blocklist::RevocationKind;
use rocket_jwt_extended::{
    AccessToken, Duration, Event, Jwt, NoClaims, Optional, RefreshToken, Rejection, TokenPair,
    TokenType,
};

use crate::support::ask::*;
use crate::support::*;

type Log = Arc<Mutex<Vec<Event>>>;

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/maybe")]
fn maybe(token: Optional) -> String {
    token.token().map(|token| token.identity().to_string()).unwrap_or_default()
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

fn site() -> (Client, ManualClock, Log) {
    let (clock, log) = (clock_at_start(), Log::default());
    let sink = log.clone();
    let fairing = Jwt::fairing()
        .clock(clock.clone())
        .on_event(move |event| sink.lock().unwrap().push(event.clone()));
    (client("", fairing, routes![me, maybe, refresh]), clock, log)
}

/// What was logged since the last look.
fn taken(log: &Log) -> Vec<Event> {
    std::mem::take(&mut *log.lock().unwrap())
}

/// Type and `jti` of tokens issued, which is all that happened.
fn issued(log: &Log) -> Vec<(TokenType, String)> {
    taken(log)
        .into_iter()
        .map(|event| match event {
            Event::Issued { token_type, jti, .. } => (token_type, jti),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn an_issued_token_is_told_by_its_ids() {
    let (client, _, log) = site();
    let jwt = jwt(&client);
    let token = jwt.access_token("ada").encode().unwrap();
    match &taken(&log)[..] {
        [
            Event::Issued {
                token_type: TokenType::Access, identity, jti, session_id: None, ..
            },
        ] => {
            assert_eq!((identity.as_str(), jti), ("ada", &text(&token, "jti")));
        }
        other => panic!("{other:?}"),
    }
    let pair = jwt.token_pair("ada").issue().unwrap();
    let events = taken(&log);
    for (event, token) in events.iter().zip([pair.access_token(), pair.refresh_token()]) {
        let Event::Issued { jti, session_id, .. } = event else { panic!("{event:?}") };
        assert_eq!(*jti, text(token, "jti"));
        assert_eq!(session_id.as_deref(), Some(text(token, "sid").as_str()));
    }
    assert_eq!(events.len(), 2);
}

#[test]
fn nothing_is_told_of_a_token_that_was_not_made() {
    let (client, _, log) = site();
    let jwt = jwt(&client);
    assert!(jwt.access_token("").encode().is_err());
    assert!(jwt.token_pair("ada").refresh_expires_in(Duration::days(400)).issue().is_err());
    assert_eq!(taken(&log).len(), 0);
}

#[test]
fn a_refusal_is_told_once_by_request_and_by_verify() {
    let (client, _, log) = site();
    get(&client, "/me", "");
    get(&client, "/maybe", "x");
    rocket::execute(jwt(&client).verify::<AccessToken>("x")).unwrap_err();
    let codes: Vec<_> = taken(&log)
        .into_iter()
        .map(|event| match event {
            Event::Refused { rejection, .. } => rejection.code(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(codes, ["token_missing", "token_invalid", "token_invalid"]);
    get(&client, "/maybe", "");
    assert_eq!(taken(&log).len(), 0);
}

#[test]
fn each_revocation_is_told_once_with_what_it_revokes() {
    let (client, _, log) = site();
    let jwt = jwt(&client);
    let pair = jwt.token_pair("ada").issue().unwrap();
    let token = jwt.decode::<NoClaims>(pair.access_token()).unwrap();
    taken(&log);
    rocket::execute(jwt.revoke(&token)).unwrap();
    rocket::execute(jwt.revoke_session(&token)).unwrap();
    rocket::execute(jwt.revoke_all("ada")).unwrap();
    let revoked: Vec<_> = taken(&log)
        .into_iter()
        .map(|event| match event {
            Event::Revoked { revocation, .. } => (revocation.kind(), revocation.id().to_string()),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        (RevocationKind::Token, token.jti().unwrap().to_string()),
        (RevocationKind::Session, token.session_id().unwrap().to_string()),
        (RevocationKind::Subject, "ada".to_string()),
    ];
    assert_eq!(revoked, expected);
}

#[test]
fn a_rotation_tells_of_the_tokens_it_hands_out_and_of_no_others() {
    let (client, clock, log) = site();
    let first = jwt(&client).token_pair("ada").issue().unwrap();
    taken(&log);
    let [access, refresh] = pair(post(&client, "/refresh", first.refresh_token()));
    let handed_out =
        [(TokenType::Access, text(&access, "jti")), (TokenType::Refresh, text(&refresh, "jti"))];
    assert_eq!(issued(&log), handed_out);
    // The same pair again: nothing new was issued, but somebody had the token twice.
    clock.advance(Duration::seconds(1));
    assert_eq!(pair(post(&client, "/refresh", first.refresh_token()))[1], refresh);
    match &taken(&log)[..] {
        [Event::Repeated { identity, jti, session_id, .. }] => {
            assert_eq!((identity.as_str(), jti), ("ada", &text(first.refresh_token(), "jti")));
            assert_eq!(session_id.as_deref(), first.session_id());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reuse_is_told_once_with_whose_session_was_ended() {
    let (client, clock, log) = site();
    let first = jwt(&client).token_pair("ada").issue().unwrap();
    post(&client, "/refresh", first.refresh_token());
    clock.advance(Duration::minutes(1));
    taken(&log);
    for _ in 0..3 {
        assert_eq!(post(&client, "/refresh", first.refresh_token()).status().code, 401);
    }
    let (jti, sid) = (text(first.refresh_token(), "jti"), text(first.refresh_token(), "sid"));
    let mut told = (0, 0, 0);
    for event in taken(&log) {
        match event {
            Event::ReuseDetected { identity, jti: used, session_id, .. } => {
                assert_eq!((identity, used), ("ada".into(), jti.clone()));
                assert_eq!(session_id, Some(sid.clone()));
                told.0 += 1;
            }
            Event::Revoked { revocation, .. } => {
                assert_eq!(revocation.kind(), RevocationKind::Session);
                assert_eq!(revocation.id(), sid);
                told.1 += 1;
            }
            Event::Refused { rejection, .. } => {
                assert_eq!(rejection.code(), "token_revoked");
                told.2 += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told, (1, 1, 3));
}

#[test]
fn no_event_shows_a_token() {
    let (client, clock, log) = site();
    let first = jwt(&client).token_pair("ada").issue().unwrap();
    let [access, second] = pair(post(&client, "/refresh", first.refresh_token()));
    post(&client, "/refresh", &access);
    clock.advance(Duration::minutes(1));
    post(&client, "/refresh", first.refresh_token());
    let events = format!("{:?}", taken(&log));
    for token in [first.access_token(), first.refresh_token(), &access, &second] {
        for part in token.split('.').skip(1) {
            assert!(!events.contains(part));
        }
    }
    assert!(events.contains("ReuseDetected"));
}
