//! What is asked of the store: no more than without recorded sessions, except at a login.

use crate::support::ask::*;
use crate::support::site::*;
use crate::support::*;

const RENEWING: &str =
    "token_location = [\"headers\", \"cookies\"]\nimplicit_refresh_within = \"14m\"\n";

#[test]
fn a_guarded_request_asks_no_more_than_without_sessions() {
    for mode in ["false", "\"adopt\"", "true"] {
        let is_on = mode != "false";
        let site = Site::new(&format!(
            "{RENEWING}sessions = {mode}\nsession_lifetime = \"90d\"\nrotation_grace = 0\n"
        ));
        let pair = site.begin("ada");
        let calls = |expected: &[&str], what: &str| {
            assert_eq!(site.store.calls(), expected, "{what} with {mode}");
        };
        calls(if is_on { &["begin"] } else { &[] }, "a login");
        site.get("/me", pair.access_token());
        calls(&["standing"], "an access token");
        site.get("/look", pair.refresh_token());
        calls(&["standing"], "a refresh token");
        site.get("/me", "nonsense");
        calls(&[], "a bad token");
        post(&site.client, "/access", pair.refresh_token());
        calls(&["standing"], "joining");
        site.clock.set(unix(START + 600));
        site.renewed(pair.access_token()).expect("it is renewed");
        calls(&["standing", if is_on { "renew" } else { "standing" }], "a renewal");
        let [access, _] = site.rotate(pair.refresh_token());
        calls(&["standing", "exchange"], "an exchange");
        site.get("/look", pair.refresh_token());
        calls(&["standing", "revoke"], "theft");
        site.post("/logout", &access);
        calls(&["standing"], "a logout of a session that has ended");
    }
}

#[test]
fn the_list_and_each_way_to_end_sessions_is_one_call() {
    let site = Site::new(ON);
    let pairs = ["ada"; 5].map(|name| site.begin(name));
    let token = site.accepted(pairs[0].access_token());
    site.store.calls();
    site.sessions("ada");
    assert_eq!(site.store.calls(), ["sessions"]);
    run(site.jwt().end_session("ada", pairs[1].session_id().unwrap())).unwrap();
    assert_eq!(site.store.calls(), ["end_session"]);
    run(site.jwt().end_other_sessions(&token)).unwrap();
    assert_eq!(site.store.calls(), ["end_other_sessions"]);
    run(site.jwt().end_session("ada", "nonsense")).unwrap();
    assert_eq!(site.store.calls(), Vec::<&str>::new());
}
