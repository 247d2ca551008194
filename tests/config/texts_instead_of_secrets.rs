//! A text that points to a secret, or that describes one, is not used as one.

use crate::support::app::{from_rocket, launch, launch_with};
use crate::support::*;
use rocket::figment::{Figment, Jail};
use rocket_jwt_extended::jsonwebtoken::Algorithm;
use rocket_jwt_extended::{Jwt, SigningKey, VerifyingKey};

fn of(profile: &str, secret: &str) -> Figment {
    raw_figment("").select(profile).merge(("jwt.secret_key", secret))
}

#[test]
fn a_text_that_points_to_a_secret_fails_the_launch_in_every_profile() {
    for (text, words) in [
        ("/run/secrets/production-jwt-secret-key", "is the path of a file, not a secret"),
        ("./secrets/production/jwt-signing-key.txt", "is the path of a file, not a secret"),
        ("C:\\ProgramData\\app\\secrets\\jwt-secret.txt", "is the path of a file, not a secret"),
        ("file:///run/secrets/production-jwt-secret", "is the path of a file, not a secret"),
        (
            "https://vault.example.test/v1/secret/data/jwt",
            "points to a secret that is kept elsewhere",
        ),
        (
            "vault:secret/data/production/jwt#signing-key",
            "points to a secret that is kept elsewhere",
        ),
        ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:jwt", "points to a secret"),
        ("${PRODUCTION_JWT_SIGNING_SECRET_KEY}", "is a placeholder that nothing replaced"),
        ("{{ .Values.production.jwt.signingSecret }}", "is a placeholder that nothing replaced"),
        (
            "${data.vault_generic_secret.jwt.data[\"hmac\"]}",
            "is a placeholder that nothing replaced",
        ),
        ("#{ENV['PRODUCTION_JWT_SIGNING_KEY']}", "is a placeholder that nothing replaced"),
        ("[[ .Data.data.production_jwt_signing_key ]]", "is a placeholder that nothing replaced"),
        ("((production-jwt-signing-key))", "is a placeholder that nothing replaced"),
        ("$(cat /run/secrets/production/jwt-signing)", "is a placeholder that nothing replaced"),
        ("/run/secrets/ProdJwtSigningKey2025", "is the path of a file, not a secret"),
        ("/opt/MyApp/Config/SigningKeyProd", "is the path of a file, not a secret"),
        ("%PRODUCTION_JWT_SIGNING_SECRET_KEY%", "is a placeholder that nothing replaced"),
        (
            "base64:c29tZSByYW5kb20gYnl0ZXMgb2Ygc29tZSBsZW5ndGg=",
            "begins with the name of its encoding",
        ),
    ] {
        for profile in ["debug", "release", "production"] {
            let log = launch(of(profile, text)).err().unwrap_or_else(|| panic!("{text} launches"));
            assert!(log.contains(&format!("jwt.secret_key` {words}")), "{text}: {log}");
            assert!(log.contains("`secret_key_file`"), "{log}");
            assert!(!log.contains(text), "{log}");
        }
        for error in [
            SigningKey::from_secret(Algorithm::HS256, text.as_bytes()).unwrap_err(),
            VerifyingKey::from_secret(Algorithm::HS256, text.as_bytes()).unwrap_err(),
        ] {
            assert!(error.to_string().contains(words), "{text}: {error}");
        }
    }
}

#[test]
fn a_text_that_describes_a_secret_is_a_warning_in_debug_and_a_fault_elsewhere() {
    for text in [
        "super-secret-jwt-token-with-at-least-32-characters-long",
        // Published keys that look random: RFC 7515 appendix A.1, the guide of Rocket, tutorials.
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        "hPRYyVRiMyxpw5sBB1XeCMN1kFsDCqKvBi2QJxBVHQk=",
        "JWTAuthenticationHIGHsecuredPasswordVVVp1OH7Xzyr",
        "5367566B59703373367639792F423F4528482B4D6251655468576D5A71347437",
        "your-secret-key-here-change-in-production",
        "!ChangeThisMercureHubJWTSecretKey!",
        "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
        "my-app-development-secret-key-not-for-production",
    ] {
        let log = launch(of("release", text)).err().unwrap_or_else(|| panic!("{text} launches"));
        assert!(log.contains("jwt.secret_key` can be guessed"), "{log}");
        assert!(log.contains("`openssl rand -base64 48`") && !log.contains(text), "{log}");
        assert!(launch_with(of("debug", text), Jwt::fairing()).is_ok(), "{text}");
    }
}

/// Texts that encode a text, as an operator or a tool may have passed it on.
fn notations(text: &[u8]) -> Vec<String> {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
    let hex: String = text.iter().map(|byte| format!("{byte:02x}")).collect();
    let base64 = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    let mut notations: Vec<_> = base64.iter().map(|encoding| encoding.encode(text)).collect();
    notations.extend([STANDARD.encode(&hex), hex.to_uppercase(), hex]);
    notations
}

#[test]
fn a_published_secret_is_refused_in_every_notation() {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let flask = "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf";
    let spring = "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970";
    let of_hex = |hex: &str| -> Vec<u8> {
        hex.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    };
    let rfc_7515 =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let rocket = "hPRYyVRiMyxpw5sBB1XeCMN1kFsDCqKvBi2QJxBVHQk=";
    let mut texts = Vec::new();
    for bytes in [
        flask.as_bytes().to_vec(),
        of_hex(flask),
        of_hex(spring),
        URL_SAFE_NO_PAD.decode(rfc_7515).unwrap(),
        STANDARD.decode(rocket).unwrap(),
        rfc_7515.as_bytes().to_vec(),
        b"super-secret-jwt-token-with-at-least-32-characters-long".to_vec(),
        b"cambiar-esta-clave-secreta-en-produccion-por-favor".to_vec(),
    ] {
        texts.extend(notations(&bytes));
    }
    // Bytes that are text.
    texts.push(String::from_utf8(of_hex(spring)).unwrap());
    for text in &texts {
        let log = launch(of("release", text)).err().unwrap_or_else(|| panic!("{text} launches"));
        assert!(log.contains("jwt.secret_key` can be guessed"), "{text}: {log}");
        assert!(!log.contains(text), "{log}");
    }
    for (encoding, text) in
        [("base64", rocket), ("base64url", rfc_7515), ("hex", flask), ("hex", spring)]
    {
        let figment = of("release", text).merge(("jwt.secret_key_encoding", encoding));
        let log = launch(figment).err().unwrap_or_else(|| panic!("{text} launches as {encoding}"));
        assert!(log.contains("jwt.secret_key` can be guessed"), "{text}: {log}");
    }
}

#[test]
fn words_in_any_language_and_spelling_are_refused_with_the_cure() {
    for text in [
        "bitte-aendern-geheimer-schluessel-fuer-produktion",
        "bitte-ändern-geheimer-schlüssel-für-produktion",
        "cambiar-esta-clave-secreta-en-produccion-por-favor",
        "changez-cette-clé-secrète-avant-la-production",
        "cambiare-questa-chiave-segreta-in-produzione",
        "zmien-ten-tajny-klucz-na-produkcji-prosze",
        "пожалуйста-измените-этот-секретный-ключ-в-продакшене",
        "本番環境ではこの秘密鍵を必ず変更してください",
        "$up3r-s3cr3t-jwt-t0k3n-ch4ng3-m3-pr0duct10n",
        "MySup3rS3cur3S3cr3tK3yF0rJwtT0k3nG3n3r4t10n!",
        "twinkle-twinkle-little-star-how-i-wonder-what-you-are",
        "mary had a little lamb its fleece was white as snow",
        "asdkjhaskjdhaskjdhaskjdhaskjdhaskjd",
        "sdlkfjhsdlkjfhsdkjfhskdjfhlksdjfh",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol",
    ] {
        let log = launch(of("release", text)).err().unwrap_or_else(|| panic!("{text} launches"));
        assert!(log.contains("jwt.secret_key` can be guessed"), "{text}: {log}");
        assert!(log.contains("`openssl rand -base64 48`") && !log.contains(text), "{log}");
    }
}

#[test]
fn quotes_that_became_part_of_a_value_fail_the_launch() {
    Jail::expect_with(|jail| {
        for (table, key, quotes) in [
            (format!("{{secret_key=“{}”}}", secret()), "secret_key", "typographic quotes"),
            (format!("{{secret_key=„{}“}}", secret()), "secret_key", "typographic quotes"),
            (format!("{{secret_key=‘{}’}}", secret()), "secret_key", "typographic quotes"),
            (format!("{{secret_key=«{}»}}", secret()), "secret_key", "typographic quotes"),
            (format!("{{secret_key=\"'{}'\"}}", secret()), "secret_key", "single quotes"),
            (
                format!("{{secret_key=\"{}\",decode_audience=“api”}}", secret()),
                "decode_audience",
                "typographic quotes",
            ),
            (
                format!("{{secret_key=\"{}\",encode_audience=[“a”,“b”]}}", secret()),
                "encode_audience",
                "typographic quotes",
            ),
        ] {
            jail.set_env("ROCKET_JWT", &table);
            for profile in ["debug", "release"] {
                let log = launch(from_rocket().select(profile)).err();
                let log = log.unwrap_or_else(|| panic!("{table} launches"));
                let text =
                    format!(".jwt.{key}` is in {quotes}, which are part of the value; write");
                assert!(log.contains(&text) && log.contains("(1 fault)"), "{table}: {log}");
                assert!(!log.contains(secret()), "{log}");
            }
        }
        Ok(())
    });
}

#[test]
fn random_secrets_launch_in_release() {
    let random = secret();
    for text in [
        random.to_string(),
        uuid::Uuid::new_v4().to_string(),
        format!("/{}+{}/{}=", &random[..10].to_uppercase(), &random[10..30], &random[30..40]),
        "tundra velvet orbit quartz meadow lantern sprocket".into(),
    ] {
        if let Err(log) = launch(of("release", &text)) {
            panic!("{text}: {log}");
        }
    }
}
