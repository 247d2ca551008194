//! Times: at which instant exactly a token begins and ceases to be valid.

use crate::support::app::{App, GOOD};
use crate::support::*;
use rocket_jwt_extended::Duration;
use serde_json::{Value, json};

fn at(lines: &str, millis: i64, changes: Value) -> String {
    let app = App::new(lines);
    app.clock.advance(Duration::milliseconds(millis));
    let token = sign(&with(changes));
    let decoded = app.decode(&token);
    assert_eq!(app.guard("access", &token), decoded);
    decoded
}

#[test]
fn a_token_expires_at_its_exp_and_leeway_moves_that_instant() {
    let expired = "Token has expired";
    for (leeway, exp, millis, expected) in [
        (0, json!(START + 1), 999, GOOD),
        (0, json!(START + 1), 1000, expired),
        (0, json!(START), 0, expired),
        (0, json!(START as f64 + 0.5), 499, GOOD),
        (0, json!(START as f64 + 0.5), 500, expired),
        (10, json!(START - 5), 0, GOOD),
        (10, json!(START - 9), 999, GOOD),
        (10, json!(START - 10), 0, expired),
        (10, json!(START - 10), 1, expired),
        (86_400, json!(START - 86_399), 0, GOOD),
        (86_400, json!(START - 86_400), 0, expired),
    ] {
        let said = at(&format!("decode_leeway = {leeway}"), millis, json!({"exp": exp}));
        assert_eq!(said, expected, "leeway {leeway}, exp {exp}, at {millis} ms");
    }
}

#[test]
fn a_token_is_valid_from_its_nbf_and_iat_on_and_leeway_moves_that_instant() {
    for claim in ["nbf", "iat"] {
        let early = format!("The token is not yet valid ({claim})");
        for (leeway, date, millis, is_good) in [
            (0, json!(START + 1), 999, false),
            (0, json!(START + 1), 1000, true),
            (0, json!(START as f64 + 0.5), 499, false),
            (0, json!(START as f64 + 0.5), 500, true),
            (10, json!(START + 10), 0, true),
            (10, json!(START + 11), 999, false),
            (10, json!(START + 11), 1000, true),
        ] {
            let said = at(&format!("decode_leeway = {leeway}"), millis, json!({ claim: date }));
            let expected = if is_good { GOOD } else { &early };
            assert_eq!(said, expected, "{claim}: leeway {leeway}, {date}, at {millis} ms");
        }
    }
}

#[test]
fn leeway_is_also_exact_below_a_second() {
    let lines = "decode_leeway = \"1500ms\"";
    assert_eq!(at(lines, 499, json!({"exp": START - 1})), GOOD);
    assert_eq!(at(lines, 500, json!({"exp": START - 1})), "Token has expired");
    assert_eq!(at(lines, 499, json!({"nbf": START + 2})), "The token is not yet valid (nbf)");
    assert_eq!(at(lines, 500, json!({"nbf": START + 2})), GOOD);
}

#[test]
fn one_token_goes_through_its_life_as_the_clock_moves() {
    let app = App::new("");
    let token = sign(&with(json!({"nbf": START + 60, "exp": START + 120})));
    for (second, expected) in [
        (0, "The token is not yet valid (nbf)"),
        (59, "The token is not yet valid (nbf)"),
        (60, GOOD),
        (119, GOOD),
        (120, "Token has expired"),
        (100_000, "Token has expired"),
        // A clock that is set back does not bring the dead to life before its time.
        (90, GOOD),
        (-1, "The token is not yet valid (iat)"),
    ] {
        app.clock.set(unix(START + second));
        assert_eq!(app.decode(&token), expected, "at {second}");
        assert_eq!(app.guard("access", &token), expected, "at {second}");
    }
}

#[test]
fn no_clock_and_no_leeway_makes_the_arithmetic_fail() {
    let last = 253_402_300_799;
    for leeway in [0, 86_400] {
        let app = App::new(&format!("decode_leeway = {leeway}"));
        for now in [-62_135_596_800, -1, 0, 1, START, last - 1] {
            app.clock.set(unix(now));
            for date in [0, 1, START, last] {
                for claim in ["exp", "nbf", "iat"] {
                    let mut claims = json!({"sub": "ada", "exp": last});
                    claims[claim] = date.into();
                    let said = app.decode(&sign(&claims));
                    let is_good = match claim {
                        "exp" => now < date + leeway,
                        _ => date <= now + leeway,
                    };
                    assert_eq!(said == GOOD, is_good, "{claim} {date} at {now}: {said}");
                }
            }
            // What no date can say is not issued.
            let issued = app.jwt().access_token("ada").encode();
            assert_eq!(issued.is_ok(), (-900..=last - 900).contains(&now), "{now}");
        }
    }
}
