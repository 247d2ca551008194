use crate::support::*;
use rocket_jwt_extended::{AccessToken, Jwt};

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().to_string()
}

#[test]
fn a_token_made_by_hand_is_accepted_until_it_expires() {
    let (client, clock) = clocked("", routes![me]);
    let token = sign(&claims());
    let get = || client.get("/me").header(Bearer(&token)).dispatch();
    assert_eq!(get().into_string().as_deref(), Some("ada"));
    clock.set(unix(START + 900));
    assert_eq!(msg(get()), (401, "Token has expired".into()));
    let own = jwt(&client).access_token("bob").encode().unwrap();
    assert_eq!(payload(&own)["exp"], START + 1800);
    let _: &Jwt = jwt(&client);
}
