//! The header counts as it is when a guard asks: fairings and clones may change it after another has.

use crate::support::common::*;
use crate::support::*;
use rocket::fairing::AdHoc;
use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket_jwt_extended::{AccessToken, AnyToken, Fresh, Headers, In, Jwt, Optional};
use serde_json::json;

#[get("/")]
fn four(one: AccessToken, two: Fresh, three: In<Headers>, four: AnyToken) -> String {
    let all = [one.identity(), two.identity(), three.identity(), four.identity()];
    assert!(all.iter().all(|identity| *identity == all[0]), "{all:?}");
    all[0].into()
}

#[get("/optional")]
fn optional(one: Optional, two: Optional) -> String {
    assert_eq!(one.is_some(), two.is_some());
    one.token().map_or("nobody", |token| token.identity()).into()
}

/// A fairing that lets guards find the token there is, and then writes another header.
fn client_behind(header: impl Into<Header<'static>>) -> Client {
    let header = header.into();
    let fairing = AdHoc::on_request("another header", move |request, _| {
        let header = header.clone();
        Box::pin(async move {
            for _ in 0..2 {
                let found = request.guard::<AccessToken>().await.succeeded();
                assert_eq!(found.expect("the client's token").identity(), "ada");
            }
            request.replace_header(header);
        })
    });
    let jwt = Jwt::fairing().clock(clock_at_start());
    Client::untracked(app("", jwt, routes![four, optional]).attach(fairing)).expect("a client")
}

fn ask(client: &Client, path: &'static str) -> (u16, String) {
    said(client.get(path).header(Bearer(&access())).dispatch())
}

#[test]
fn guards_see_the_header_that_a_fairing_wrote() {
    let client = client_behind(Bearer(&sign(&with(json!({"sub": "grace", "fresh": true})))));
    assert_eq!(ask(&client, "/"), let_in("grace"));
    assert_eq!(ask(&client, "/optional"), let_in("grace"));
}

#[test]
fn a_token_that_a_fairing_took_away_is_gone() {
    let client = client_behind(Header::new("Authorization", ""));
    assert_eq!(ask(&client, "/"), (401, "Missing Authorization Header".into()));
    assert_eq!(ask(&client, "/optional"), let_in("nobody"));
}

/// Rocket's clones of a request share what is kept with it.
#[test]
fn a_clone_of_a_request_has_a_header_of_its_own() {
    let (client, _) = clocked("", routes![optional]);
    let request = client.get("/optional");
    let ask = |token: &str| said(request.clone().header(Bearer(token)).dispatch());
    let (ada, grace) = (access(), sign(&with(json!({"sub": "grace"}))));
    for _ in 0..2 {
        assert_eq!(ask(&ada), let_in("ada"));
        assert_eq!(ask(&grace), let_in("grace"));
        assert_eq!(said(request.clone().dispatch()), let_in("nobody"));
    }
}
