//! The tokens of RFC 7515, RFC 7797 and RFC 8037, through this crate's own pipeline.

use crate::support::app::{App, GOOD};
use crate::support::{jwk, unix};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rocket_jwt_extended::jsonwebtoken::Algorithm;
use rocket_jwt_extended::{Jwt, NoClaims, VerifyingKey};

/// RFC 7515, appendix A.1.1: `exp` is this, there is no `sub`, and `is_root` is `true`.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                   cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const JOE_EXPIRES: i64 = 1_300_819_380;
/// What takes such claims: the one claim of their own is the identity.
const FOR_JOE: &str = "identity_claim = \"http://example.com/is_root\"\nverify_sub = false\n\
                       decode_issuer = \"joe\"";

const BAD_SIGNATURE: &str = "Signature verification failed";

/// Asserts that a token of joe's is good until it expires, and each forgery of it bad.
fn assert_joe(app: &App, header: &str, signature: &str) {
    let token = format!("{header}.{JOE}.{signature}");
    app.clock.set(unix(JOE_EXPIRES - 1));
    let read = app.jwt().decode::<NoClaims>(&token).unwrap();
    assert_eq!((read.identity(), read.issuer()), ("true", Some("joe")));
    assert_eq!(read.expires_at().unwrap().unix_timestamp(), JOE_EXPIRES);
    assert_eq!(app.guard("access", &token), GOOD);
    app.clock.set(unix(JOE_EXPIRES));
    assert_eq!(app.decode(&token), "Token has expired");
    app.clock.set(unix(JOE_EXPIRES - 1));
    for forged in forgeries(signature) {
        assert_eq!(app.decode(&format!("{header}.{JOE}.{forged}")), BAD_SIGNATURE);
    }
    let root =
        URL_SAFE_NO_PAD.encode(r#"{"iss":"joe","exp":1300819380,"http://example.com/is_root":1}"#);
    assert_eq!(app.decode(&format!("{header}.{root}.{signature}")), BAD_SIGNATURE);
}

/// A signature with a bit flipped at the beginning, in the middle, at the end.
fn forgeries(signature: &str) -> Vec<String> {
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    [0, bytes.len() / 2, bytes.len() - 1]
        .map(|index| {
            let mut forged = bytes.clone();
            forged[index] ^= 1;
            URL_SAFE_NO_PAD.encode(forged)
        })
        .into()
}

#[test]
fn rfc_7515_a_1_hs256() {
    let secret = URL_SAFE_NO_PAD
        .decode(
            "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T\
             -1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        )
        .unwrap();
    let key = VerifyingKey::from_secret(Algorithm::HS256, &secret).unwrap();
    let fairing = Jwt::fairing().verifying_key(move |_, _| Some(key.clone()));
    let app = App::hooked(FOR_JOE, fairing);
    let header = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
    assert_joe(&app, header, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

#[test]
fn rfc_7515_a_2_rs256() {
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4\
             qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2j\
             Z47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7W\
             TBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK\
             -DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let key = jwk::rsa(n, "AQAB");
    let lines = format!("algorithm = \"RS256\"\npublic_key = '''{key}'''\n{FOR_JOE}");
    let app = App::hooked(&lines, Jwt::fairing());
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuH\
                     Im4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdi\
                     uB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN\
                     9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2\
                     w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77\
                     Rw";
    assert_joe(&app, "eyJhbGciOiJSUzI1NiJ9", signature);
}

#[test]
fn rfc_7515_a_3_es256() {
    let key = jwk::ec(
        "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    );
    let lines = format!("algorithm = \"ES256\"\npublic_key = '''{key}'''\n{FOR_JOE}");
    let app = App::hooked(&lines, Jwt::fairing());
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-\
                     Kg6NU1Q";
    assert_joe(&app, "eyJhbGciOiJFUzI1NiJ9", signature);
}

#[test]
fn rfc_8037_a_4_eddsa() {
    let key = jwk::ed25519("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let lines = format!("algorithm = \"EdDSA\"\npublic_key = '''{key}'''");
    let app = App::hooked(&lines, Jwt::fairing());
    let message = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_\
                     MuM0KAg";
    // Its payload is no JSON. That this is what is wrong says that the signature was right.
    assert_eq!(app.decode(&format!("{message}.{signature}")), "Invalid payload string");
    for forged in forgeries(signature) {
        assert_eq!(app.decode(&format!("{message}.{forged}")), BAD_SIGNATURE);
    }
}

#[test]
fn rfc_7515_a_5_and_rfc_7519_6_1_unsecured() {
    let app = App::new(FOR_JOE);
    app.clock.set(unix(JOE_EXPIRES - 1));
    let token = format!("eyJhbGciOiJub25lIn0.{JOE}.");
    assert_eq!(app.decode(&token), "The specified alg value is not allowed");
    assert_eq!(app.guard("access", &token), "The specified alg value is not allowed");
}

#[test]
fn rfc_7515_e_an_extension_nobody_knows() {
    let token = "eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0\
                 dHA6Ly9leGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUNCn0.RkFJTA.";
    assert_eq!(App::new("").decode(token), "The specified alg value is not allowed");
    // The same members beside an algorithm that is allowed.
    let header = r#"{"alg":"HS256","crit":["http://example.com/UNDEFINED"],
                     "http://example.com/UNDEFINED":true}"#;
    let token = crate::support::sign_text(header, "FAIL");
    assert_eq!(App::new("").decode(&token), "Unsupported critical extension");
}

#[test]
fn rfc_7797_4_1_a_payload_that_is_not_encoded() {
    let header = "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19";
    let signature = "A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY";
    let app = App::new("");
    assert_eq!(app.decode(&format!("{header}..{signature}")), "Unsupported critical extension");
}
