//! From configured key texts to keys that were tried.

use std::fs;

use jsonwebtoken::AlgorithmFamily;
use rocket::figment::Figment;

use super::read::Config;
use super::report::{Origin, Report};
use super::settings::Settings;
use super::values::Secret;
use crate::keys::ring::Keys;
use crate::keys::secret;
use crate::keys::signing::SigningKey;
use crate::keys::verifying::VerifyingKey;

/// The keys of the configuration. `hooked` says that a `verifying_key` hook is there, with which no
/// configured key is needed.
pub(crate) fn keys(
    config: &Config,
    settings: &Settings,
    figment: &Figment,
    hooked: bool,
    report: &mut Report,
) -> Keys {
    let debug = figment.profile() == rocket::Config::DEBUG_PROFILE;
    let mut loader = KeyLoader { config, settings, figment, debug, report };
    let keys = match settings.algorithm.family() {
        AlgorithmFamily::Hmac => loader.symmetric(hooked),
        _ => loader.asymmetric(hooked),
    };
    if loader.report.failure().is_none() {
        if let Err(error) = keys.self_test() {
            let key = loader.blamed();
            loader.fault(key, error);
        }
    }
    keys
}

struct KeyLoader<'a> {
    config: &'a Config,
    settings: &'a Settings,
    figment: &'a Figment,
    debug: bool,
    report: &'a mut Report,
}

impl KeyLoader<'_> {
    fn origin(&self, key: &str) -> Origin {
        self.config.origin(self.figment, key)
    }

    fn fault(&mut self, key: &str, message: impl std::fmt::Display) {
        let origin = self.origin(key);
        self.report.fault(&origin, message);
    }

    fn warn(&mut self, key: &str, message: impl std::fmt::Display) {
        let origin = self.origin(key);
        self.report.warn(&origin, message);
    }

    fn blamed(&self) -> &'static str {
        match (self.settings.algorithm.family(), &self.config.public_key) {
            (AlgorithmFamily::Hmac, _) => "secret_key",
            (_, Some(_)) => "public_key",
            (_, None) => "private_key",
        }
    }

    fn unused(&mut self, key: &str, is_set: bool) {
        if is_set {
            let algorithm = self.settings.algorithm;
            self.warn(key, format_args!("is not used by `algorithm = \"{algorithm:?}\"`"));
        }
    }

    fn symmetric(&mut self, hooked: bool) -> Keys {
        self.unused("private_key", self.config.private_key.is_some());
        self.unused("public_key", self.config.public_key.is_some());
        let config = self.config;
        let secret = match &config.secret_key {
            Some(text) => text.expose().as_bytes().to_vec(),
            None if hooked => return Keys::default(),
            None if self.debug => {
                self.warn(
                    "secret_key",
                    "is not set: a random one is used, and every token dies with this process",
                );
                secret::random()
            }
            None => {
                self.fault(
                    "secret_key",
                    "must be set outside the debug profile, here or by ROCKET_JWT='{secret_key=\"…\"}'; \
                     make one with `openssl rand -base64 48`",
                );
                return Keys::default();
            }
        };
        self.of_secret(&secret)
    }

    fn of_secret(&mut self, secret: &[u8]) -> Keys {
        let settings = self.settings;
        if let Err(refusal) = secret::check_form(secret) {
            self.fault("secret_key", refusal);
            return Keys::default();
        }
        for &algorithm in &settings.decode_algorithms {
            if let Err(weakness) = secret::check_strength(algorithm, secret) {
                match self.debug {
                    true => {
                        self.warn("secret_key", format_args!("{weakness}; refused outside debug"))
                    }
                    false => {
                        self.fault("secret_key", weakness);
                        return Keys::default();
                    }
                }
                break;
            }
        }
        let verifying: Result<_, _> = settings
            .decode_algorithms
            .iter()
            .map(|&algorithm| VerifyingKey::unchecked_secret(algorithm, secret))
            .collect();
        match (SigningKey::unchecked_secret(settings.algorithm, secret), verifying) {
            (Ok(signing), Ok(verifying)) => Keys::new(Some(signing), verifying),
            (Err(refusal), _) | (_, Err(refusal)) => {
                self.fault("secret_key", refusal);
                Keys::default()
            }
        }
    }

    fn asymmetric(&mut self, hooked: bool) -> Keys {
        self.unused("secret_key", self.config.secret_key.is_some());
        let config = self.config;
        let settings = self.settings;
        if config.private_key.is_none() && config.public_key.is_none() {
            if !hooked {
                self.fault(
                    "public_key",
                    format_args!("or `private_key` must be set for {:?}", settings.algorithm),
                );
            }
            return Keys::default();
        }

        let private = self.pem("private_key", config.private_key.as_ref());
        let public = self.pem("public_key", config.public_key.as_ref());
        let signing = private.and_then(|pem| {
            SigningKey::from_pem(settings.algorithm, &pem)
                .map_err(|error| self.fault("private_key", error))
                .ok()
        });
        let mut verifying = Vec::new();
        for &algorithm in &settings.decode_algorithms {
            let key = match (&public, &signing) {
                (Some(pem), _) => VerifyingKey::from_pem(algorithm, pem)
                    .map_err(|error| self.fault("public_key", error)),
                (None, Some(signing)) => signing
                    .verifying_key(algorithm)
                    .map_err(|error| self.fault("private_key", error)),
                (None, None) => Err(()),
            };
            match key {
                Ok(key) => verifying.push(key),
                Err(()) => break,
            }
        }
        Keys::new(signing, verifying)
    }

    /// The PEM text of a key: inline, or from the file it names.
    fn pem(&mut self, key: &str, value: Option<&Secret>) -> Option<Vec<u8>> {
        let text = value?.expose();
        if text.contains("-----BEGIN") {
            return Some(text.as_bytes().to_vec());
        }
        if text.trim().is_empty() || text.contains('\n') {
            self.fault(key, "is neither PEM text nor a path");
            return None;
        }
        // The path is shown in no message: what stands here by mistake may be the key itself.
        match fs::read(self.origin(key).resolve(text)) {
            Ok(pem) => Some(pem),
            Err(error) => {
                self.fault(key, format_args!("names a file that cannot be read: {}", error.kind()));
                None
            }
        }
    }
}
