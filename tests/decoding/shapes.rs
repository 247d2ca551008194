//! The form of a token (RFC 7515 §3.1, §7.1): segments, base64url, JSON, length.

use std::time::{Duration, Instant};

use crate::support::app::{App, GOOD};
use crate::support::*;

const HEADER: &str = r#"{"alg":"HS256"}"#;

fn said(token: &str) -> String {
    let app = App::new("");
    let decoded = app.decode(token);
    let refusal = app.refusal(token);
    assert!(refusal.is_none_or(|refusal| refusal.code() == "token_invalid"), "{token}");
    decoded
}

#[test]
fn a_token_has_three_segments() {
    let good = sign(&claims());
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("{good}");
    };
    for (token, expected) in [
        (good.clone(), GOOD),
        (String::new(), "Not enough segments"),
        (header.to_string(), "Not enough segments"),
        (format!("{header}.{payload}"), "Not enough segments"),
        (format!("{good}.{signature}"), "Too many segments"),
        (format!("{good}."), "Too many segments"),
        (format!(".{good}"), "Too many segments"),
        (format!("{good}.."), "Too many segments"),
        ("..".into(), "Invalid header string"),
        (format!(".{payload}.{signature}"), "Invalid header string"),
        (format!("{header}..{signature}"), "Signature verification failed"),
        (format!("{header}.{payload}."), "Signature verification failed"),
        // The JSON serializations are none (RFC 7515 §7.2).
        (
            format!(
                r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#
            ),
            "Not enough segments",
        ),
        // An encrypted token has five (RFC 7516 §3.1).
        (format!("{header}..{payload}.{payload}.{signature}"), "Too many segments"),
    ] {
        assert_eq!(said(&token), expected, "{token}");
    }
}

#[test]
fn each_segment_is_base64url_in_its_one_spelling() {
    let good = sign(&claims());
    let segments: Vec<_> = good.split('.').collect();
    let texts = ["Invalid header padding", "Invalid payload padding", "Invalid crypto padding"];
    for (index, text) in texts.into_iter().enumerate() {
        for spoil in [
            |segment: &str| format!("{segment}="),
            |segment: &str| format!("{segment}=="),
            |segment: &str| format!("{segment}\n"),
            |segment: &str| format!(" {segment}"),
            |segment: &str| format!("{}+{}", &segment[..8], &segment[9..]),
            |segment: &str| format!("{}/{}", &segment[..8], &segment[9..]),
            |segment: &str| format!("{} {}", &segment[..8], &segment[9..]),
            |segment: &str| format!("{}\0{}", &segment[..8], &segment[9..]),
            |segment: &str| format!("{}%2d{}", &segment[..8], &segment[9..]),
            |segment: &str| format!("{}\u{e9}{}", &segment[..8], &segment[9..]),
            |segment: &str| format!("{}A", &segment[..segment.len() / 4 * 4]),
        ] {
            let mut spoilt: Vec<_> = segments.iter().map(ToString::to_string).collect();
            spoilt[index] = spoil(segments[index]);
            // Signed over the spoilt text, so that the form is all that is wrong with it.
            let token = match index {
                2 => spoilt.join("."),
                _ => sign_parts(&spoilt[0], &spoilt[1]),
            };
            assert_eq!(said(&token), text, "{token}");
        }
    }
}

#[test]
fn bits_that_mean_nothing_must_be_zero() {
    // Thirty-two bytes are forty-three letters; the last two bits are to be zero.
    for (last, is_good) in [("A", true), ("B", false), ("P", false)] {
        let signature = format!("{}{last}", "A".repeat(42));
        let token = format!("{}.e30.{signature}", base64url(HEADER.as_bytes()));
        let expected =
            if is_good { "Signature verification failed" } else { "Invalid crypto padding" };
        assert_eq!(said(&token), expected, "{last}");
    }
    let payload = base64url(claims().to_string().as_bytes());
    for (space, count) in [(" ", 15), ("  ", 3)] {
        let header = base64url(format!("{HEADER}{space}").as_bytes());
        assert_eq!(said(&sign_parts(&header, &payload)), GOOD);
        let others = other_spellings(&header);
        assert_eq!(others.len(), count);
        for other in others {
            assert_eq!(said(&sign_parts(&other, &payload)), "Invalid header padding", "{other}");
        }
    }
}

/// The other spellings of the same bytes that a lenient decoder takes.
fn other_spellings(text: &str) -> Vec<String> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.iter().position(|letter| Some(letter) == text.as_bytes().last()).unwrap();
    let unused = match text.len() % 4 {
        2 => 16,
        3 => 4,
        _ => 1,
    };
    (1..unused)
        .map(|bits| format!("{}{}", &text[..text.len() - 1], alphabet[last + bits] as char))
        .collect()
}

#[test]
fn header_and_payload_are_each_one_json_object_without_ambiguity() {
    let bom = "\u{feff}";
    for (index, text) in [(0, "Invalid header string"), (1, "Invalid payload string")] {
        let usual = match index {
            0 => HEADER.to_string(),
            _ => claims().to_string(),
        };
        let inner = &usual[1..usual.len() - 1];
        for json in [
            String::new(),
            "null".into(),
            "[]".into(),
            "5".into(),
            "\"text\"".into(),
            "true".into(),
            "{".into(),
            "not json".into(),
            format!("[{usual}]"),
            format!("{usual}{usual}"),
            format!("{usual} x"),
            format!("{bom}{usual}"),
            format!("{{{inner},}}"),
            format!("{{{inner},{inner}}}"),
            format!("{{{inner},\"a\":1,\"a\":1}}"),
            format!("{{{inner},\"a\":1,\"\\u0061\":2}}"),
            format!("{{{inner},\"a\":{{\"b\":1,\"b\":2}}}}"),
            format!("{{{inner},\"a\":[[{{\"b\":1,\"b\":2}}]]}}"),
            format!("{{{inner},\"a\":{}1{}}}", "[".repeat(40), "]".repeat(40)),
            format!("{{{inner},\"a\":{}1{}}}", "{\"a\":".repeat(40), "}".repeat(40)),
            format!("{{{inner},\"a\":NaN}}"),
            format!("{{{inner},\"a\":\"\\ud800\"}}"),
            format!("/**/{usual}"),
            usual.replace('"', "'"),
        ] {
            let token = match index {
                0 => sign_text(&json, &claims().to_string()),
                _ => sign_text(HEADER, &json),
            };
            assert_eq!(said(&token), text, "{json}");
        }
        let spaced = format!(" \n\t{usual} \r\n");
        let token = match index {
            0 => sign_text(&spaced, &claims().to_string()),
            _ => sign_text(HEADER, &spaced),
        };
        assert_eq!(said(&token), GOOD);
    }
}

#[test]
fn json_is_utf_8() {
    let usual = claims().to_string();
    let payload = base64url(usual.as_bytes());
    for (bytes, text) in [
        ([HEADER.as_bytes(), b"\xff"].concat(), "Invalid header string"),
        (b"{\"alg\":\"HS256\",\"a\":\"\xff\"}".to_vec(), "Invalid header string"),
        (b"{\"alg\":\"HS256\",\"a\":\"\xed\xa0\x80\"}".to_vec(), "Invalid header string"),
        (b"{\"alg\":\"HS256\",\"a\":\"\xc0\xaf\"}".to_vec(), "Invalid header string"),
        (HEADER.encode_utf16().flat_map(u16::to_le_bytes).collect(), "Invalid header string"),
        (HEADER.encode_utf16().flat_map(u16::to_be_bytes).collect(), "Invalid header string"),
    ] {
        assert_eq!(said(&sign_parts(&base64url(&bytes), &payload)), text);
    }
    let header = base64url(HEADER.as_bytes());
    for bytes in [
        usual.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
        usual
            .replace("ada", "\u{1}")
            .replace('\u{1}', "a")
            .into_bytes()
            .into_iter()
            .chain([0xff])
            .collect(),
        usual.into_bytes().into_iter().map(|byte| if byte == b'd' { 0xfe } else { byte }).collect(),
    ] {
        assert_eq!(said(&sign_parts(&header, &base64url(&bytes))), "Invalid payload string");
    }
}

#[test]
fn a_claim_that_comes_twice_is_refused_whichever_it_is() {
    for claim in ["sub", "exp", "nbf", "iat", "jti", "type", "fresh", "csrf", "iss", "aud", "own"] {
        for order in [[0, 1], [1, 0]] {
            let values = ["\"one\"", "\"two\""];
            let [first, second] = order.map(|index| values[index]);
            let payload =
                format!(r#"{{"{claim}":{first},"{claim}":{second},{}"#, &claims().to_string()[1..]);
            assert_eq!(said(&sign_text(HEADER, &payload)), "Invalid payload string", "{claim}");
        }
    }
}

#[test]
fn nothing_of_what_was_sent_is_in_the_answer() {
    let app = App::new("");
    let marker = "MARKER";
    for token in [
        sign_text(&format!("{{\"alg\":\"{marker}\"}}"), "{}"),
        sign_text(&format!("{{\"alg\":\"HS256\",\"{marker}\":}}"), "{}"),
        sign_text(&format!("{{\"alg\":\"HS256\",\"crit\":[\"{marker}\"]}}"), "{}"),
        sign_text(HEADER, &format!("{{\"{marker}\":{marker}}}")),
        sign_text(HEADER, &with(serde_json::json!({"sub": [marker]})).to_string()),
        sign_text(HEADER, &with(serde_json::json!({"exp": marker})).to_string()),
        format!("{marker}.{marker}.{marker}"),
    ] {
        let response = app.client.get("/access").header(Bearer(&token)).dispatch();
        let headers = format!("{:?}", response.headers().iter().collect::<Vec<_>>());
        let body = response.into_string().unwrap();
        assert!(!headers.contains(marker) && !body.contains(marker), "{headers} {body}");
        assert!(body.contains("token_invalid"), "{body}");
    }
}

#[test]
fn a_token_that_is_too_long_is_refused_before_anything_of_it_is_read() {
    let app = App::new("");
    let of = |letters: usize| sign(&with(serde_json::json!({"note": "x".repeat(letters)})));
    let longest = (11_500..).map(of).find(|token| token.len() >= 16_383).unwrap();
    assert!(longest.len() <= 16_384, "{}", longest.len());
    assert_eq!(app.decode(&longest), GOOD);
    assert_eq!(app.decode(&".".repeat(16_384)), "Too many segments");
    let longer = (11_500..).map(of).find(|token| token.len() > 16_384).unwrap();
    for token in [longer, of(200_000), "x".repeat(16_385), ".".repeat(16_385), ".".repeat(200_000)]
    {
        assert_eq!(app.decode(&token), "Token is too long", "{}", token.len());
        let refusal = app.refusal(&token).unwrap();
        assert_eq!((refusal.status().code, refusal.code()), (401, "token_invalid"));
    }
}

#[test]
fn a_long_header_is_refused_before_it_is_read() {
    let payload = claims().to_string();
    let of = |length: usize| {
        // Base64 of 3/4 as many bytes.
        let bytes = length / 4 * 3;
        let rest = bytes - r#"{"alg":"HS256","x":""}"#.len();
        sign_text(&format!(r#"{{"alg":"HS256","x":"{}"}}"#, "x".repeat(rest)), &payload)
    };
    let header_length = |token: &str| token.split('.').next().unwrap().len();
    let (longest, longer) = (of(4096), of(4100));
    assert_eq!((header_length(&longest), header_length(&longer)), (4096, 4100));
    assert_eq!(said(&longest), GOOD);
    assert_eq!(said(&longer), "Token is too long");
}

#[test]
fn ten_thousand_hostile_tokens_take_a_bounded_time() {
    let app = App::new("max_token_length = 1048576");
    let dots = ".".repeat(200_000);
    let numbers =
        format!("{}.e30.x", base64url(format!("{{\"a\":[{}1]}}", "1,".repeat(300_000)).as_bytes()));
    let deep = sign_parts(&base64url("[".repeat(3000).as_bytes()), "e30");
    let started = Instant::now();
    for _ in 0..3333 {
        assert_eq!(app.decode(&dots), "Too many segments");
        assert_eq!(app.decode(&numbers), "Token is too long");
        assert_eq!(app.decode(&deep), "Invalid header string");
    }
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}
