//! Configurations. An input is the text of a `Rocket.toml`, as in `seeds/configuration`.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::sync::{LazyLock, Once};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use log::{LevelFilter, Log, Metadata, Record};
use rocket::figment::Figment;
use rocket::figment::providers::{Format, Toml};
use rocket::tokio::runtime::{Builder, Runtime};
use rocket_jwt_extended::{Claims, Jwt};

use super::application::{IDENTITY, claims, clock, figment, new_secret, secret, sign, tokens};

/// The shortest secret of HS256, in bytes (RFC 7518 §3.2).
const MIN_SECRET: usize = 32;

thread_local! {
    static RUNTIME: Runtime =
        Builder::new_current_thread().enable_all().build().expect("a runtime");
    static FILES: Files = Files::new();
    static LOG: RefCell<String> = const { RefCell::new(String::new()) };
}

pub fn run(input: &[u8]) -> bool {
    install_log();
    let text = FILES.with(|files| files.expand(&String::from_utf8_lossy(input)));
    let debug = launch(figment().merge(Toml::string(&text).nested()), &text);
    let release = figment().select(rocket::Config::RELEASE_PROFILE);
    let release = launch(release.merge(Toml::string(&text).nested()), &text);
    debug || release
}

/// Whether the launch succeeds with this configuration. If so, the settings must be sound.
fn launch(figment: Figment, text: &str) -> bool {
    LOG.with_borrow_mut(String::clear);
    let rocket = rocket::custom(&figment).attach(Jwt::fairing().clock(clock()));
    let ignition = async { rocket.ignite().await.map_err(Box::new) };
    let launched = match RUNTIME.with(|runtime| runtime.block_on(ignition)) {
        Ok(rocket) => {
            check(Jwt::fetch(&rocket).expect("the fairing is attached"), &figment);
            true
        }
        Err(error) => {
            // Rocket panics if a launch error is dropped without being read.
            let _ = error.kind();
            false
        }
    };
    let log = LOG.with_borrow(String::clone);
    let setting = figment.find_value("jwt.secret_key").ok();
    let is_secret = setting.as_ref().and_then(|value| value.as_str()) == Some(secret());
    // Outside the secret, the text is a name like any other.
    if is_secret && text.matches(secret()).count() == 1 {
        assert!(!log.contains(secret()), "the secret is in the log");
    }
    FILES.with(|files| files.are_secret(&log));
    launched
}

/// Checks the properties of every configuration whose launch succeeds.
fn check(jwt: &Jwt, figment: &Figment) {
    let is_debug = figment.profile() == rocket::Config::DEBUG_PROFILE;
    let get = |key: &str| figment.extract_inner::<String>(&format!("jwt.{key}")).ok();
    let is_text = get("secret_key_encoding").is_none_or(|encoding| encoding == "text");
    let is_symmetric = get("algorithm").is_none_or(|algorithm| algorithm.starts_with("HS"));
    if let (Some(secret), true, true) = (get("secret_key"), is_text, is_symmetric) {
        assert!(is_debug || secret.len() >= MIN_SECRET, "a short secret was taken");
    }

    // These tokens are never accepted.
    let header = br#"{"alg":"HS256","typ":"JWT"}"#;
    let by = |secret: &str| sign(header, claims().to_string().as_bytes(), secret);
    let mut hostile =
        vec![tokens().expand(b"$UNSIGNED"), tokens().expand(b"$FORGED"), String::new()];
    hostile.push(by(&FILES.with(|files| files.public.clone())));
    if !is_debug {
        hostile.extend(["secret", "changeme", "super-secret"].map(by));
    }
    for token in hostile {
        assert!(jwt.decode::<Claims>(&token).is_err(), "accepted: {token}");
    }

    // A server may refuse its own tokens, which is only a warning. It must not misread them.
    for token in [jwt.access_token(IDENTITY).encode(), jwt.refresh_token(IDENTITY).encode()] {
        if let Ok(Ok(decoded)) = token.map(|token| jwt.decode::<Claims>(&token)) {
            assert_eq!(decoded.identity(), IDENTITY);
        }
    }
    let _ = jwt.token_pair(IDENTITY).fresh().issue();
}

/// The key files that a configuration can name. They are deleted at the end of the thread.
struct Files {
    folder: PathBuf,
    secret: String,
    private: String,
    public: String,
}

impl Files {
    fn new() -> Self {
        let folder = format!("rocket_jwt_extended_fuzz-{}", uuid::Uuid::new_v4().simple());
        let folder = std::env::temp_dir().join(folder);
        let (private, public) = &*KEYS;
        let (secret, private, public) = (new_secret(), private.clone(), public.clone());
        fs::create_dir(&folder).expect("a folder");
        for (name, content) in [("secret", &secret), ("private", &private), ("public", &public)] {
            fs::write(folder.join(name), content).expect("a file");
        }
        Self { folder, secret, private, public }
    }

    fn expand(&self, text: &str) -> String {
        let path = |name: &str| self.folder.join(name).display().to_string();
        [
            ("$SECRET_FILE", &*path("secret")),
            ("$PRIVATE_FILE", &path("private")),
            ("$PUBLIC_FILE", &path("public")),
            ("$SECRET", secret()),
            ("$PUBLIC", &self.public),
        ]
        .into_iter()
        .fold(text.to_string(), |text, (name, value)| text.replace(name, value))
    }

    fn are_secret(&self, log: &str) {
        let line = self.private.lines().nth(1).expect("PEM has lines");
        assert!(!log.contains(&self.secret) && !log.contains(line), "a key is in the log");
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// An EC key pair in PEM, made at run time.
static KEYS: LazyLock<(String, String)> = LazyLock::new(|| {
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pair = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).expect("a key");
    let public = EcdsaKeyPair::from_pkcs8(algorithm, pair.as_ref()).expect("the key is read again");
    let public = public.public_key().as_der().expect("a public key");
    (pem("PRIVATE KEY", pair.as_ref()), pem("PUBLIC KEY", public.as_ref()))
});

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Replaces Rocket's logger, which the first Rocket instance of a process would install.
fn install_log() {
    struct Capture;

    impl Log for Capture {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            // The value is unavailable while the thread ends.
            let _ = LOG.try_with(|log| {
                let mut log = log.borrow_mut();
                log.push_str(&record.args().to_string());
                log.push('\n');
            });
        }

        fn flush(&self) {}
    }

    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if log::set_logger(&Capture).is_ok() {
            log::set_max_level(LevelFilter::Trace);
        }
    });
}
