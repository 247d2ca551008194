//! A text that points to a secret, or that describes one, is not used as one.

use crate::support::app::{launch, launch_with};
use crate::support::*;
use rocket::figment::Figment;
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
