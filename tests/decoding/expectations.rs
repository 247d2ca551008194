//! `aud` and `iss` where they are expected (RFC 8725 §3.8, §3.9).

use crate::support::app::{App, GOOD, token_with};

#[test]
fn an_expected_audience_must_be_one_of_the_tokens_own() {
    let missing = "Token is missing the \"aud\" claim";
    let other = "Audience doesn't match";
    let format = "Invalid claim format in token";
    for lines in ["decode_audience = \"api\"", "decode_audience = [\"shop\", \"api\"]"] {
        let app = App::new(lines);
        for (value, expected) in [
            (None, missing),
            (Some("\"\""), missing),
            (Some("[]"), missing),
            (Some("[\"\"]"), missing),
            (Some("\"api\""), GOOD),
            (Some("[\"api\"]"), GOOD),
            (Some("[\"bank\",\"api\"]"), GOOD),
            (Some("\"bank\""), other),
            (Some("[\"bank\",\"zoo\"]"), other),
            (Some("\"ap\""), other),
            (Some("\"apis\""), other),
            (Some("\"API\""), other),
            (Some("\" api\""), other),
            (Some("\"api,shop\""), other),
            (Some("null"), format),
            (Some("5"), format),
            (Some("true"), format),
            (Some("{\"api\":\"api\"}"), format),
            (Some("[5]"), format),
            (Some("[\"api\",5]"), format),
            (Some("[[\"api\"]]"), format),
        ] {
            let token = token_with("aud", value);
            assert_eq!(app.decode(&token), expected, "{value:?}");
            assert_eq!(app.guard("access", &token), expected, "{value:?}");
        }
    }
}

#[test]
fn an_expected_issuer_must_be_the_tokens_own_letter_by_letter() {
    let missing = "Token is missing the \"iss\" claim";
    let other = "Invalid issuer";
    let format = "Issuer must be a string";
    for lines in [
        "decode_issuer = \"https://me.example\"",
        "decode_issuer = [\"https://you.example\", \"https://me.example\"]",
    ] {
        let app = App::new(lines);
        for (value, expected) in [
            (None, missing),
            (Some("\"https://me.example\""), GOOD),
            (Some("\"\""), other),
            (Some("\"https://me.example/\""), other),
            (Some("\"https://me.exampl\""), other),
            (Some("\"https://me.example.evil\""), other),
            (Some("\"HTTPS://me.example\""), other),
            (Some("\" https://me.example\""), other),
            (Some("\"http://me.example\""), other),
            (Some("null"), format),
            (Some("5"), format),
            (Some("true"), format),
            (Some("{\"iss\":\"https://me.example\"}"), format),
            (Some("[\"https://me.example\"]"), format),
            (Some("[]"), format),
        ] {
            let token = token_with("iss", value);
            assert_eq!(app.decode(&token), expected, "{value:?}");
            assert_eq!(app.guard("access", &token), expected, "{value:?}");
        }
    }
    let both = App::new("decode_issuer = [\"me\", \"you\"]");
    assert_eq!(both.decode(&token_with("iss", Some("\"me\""))), GOOD);
    assert_eq!(both.decode(&token_with("iss", Some("\"you\""))), GOOD);
    assert_eq!(both.decode(&token_with("iss", Some("\"he\""))), other);
}

#[test]
fn without_an_expectation_any_issuer_and_audience_will_do() {
    let app = App::new("encode_issuer = \"me\"\nencode_audience = \"api\"");
    for claim in ["iss", "aud"] {
        for value in [None, Some("\"somebody else\"")] {
            assert_eq!(app.decode(&token_with(claim, value)), GOOD, "{claim}: {value:?}");
        }
    }
}
