//! Loads and tests the keys from configured texts and files.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{self, Path};

use jsonwebtoken::AlgorithmFamily;
use rocket::figment::Figment;

use super::findings::Findings;
use super::read::Config;
use super::report::{Origin, Report};
use super::values::Secret;
use crate::error::Error;
use crate::keys::contents::contents;
use crate::keys::encoding::Encoding;
use crate::keys::pem;
use crate::keys::reference::{self, Reference, Source};
use crate::keys::ring::Keys;
use crate::keys::secret;
use crate::keys::signing::SigningKey;
use crate::keys::verifying::VerifyingKey;
use crate::settings::Settings;

/// The keys of the configuration. With `hooked`, there is a `verifying_key` hook, and no configured
/// key is needed.
pub(crate) fn keys(
    config: &Config,
    settings: &Settings,
    figment: &Figment,
    hooked: bool,
    report: &mut Report,
) -> Keys {
    let debug = figment.profile() == rocket::Config::DEBUG_PROFILE;
    let findings = Findings { config, figment, report };
    let mut loader = KeyLoader { settings, debug, findings };
    let keys = match settings.algorithm.family() {
        AlgorithmFamily::Hmac => loader.symmetric(hooked),
        _ => loader.asymmetric(hooked),
    };
    if loader.findings.report.failure().is_none()
        && let Err(error) = keys.self_test()
    {
        let key = loader.blamed();
        loader.fault(key, error);
    }
    keys
}

struct KeyLoader<'a> {
    settings: &'a Settings,
    debug: bool,
    findings: Findings<'a>,
}

impl KeyLoader<'_> {
    fn origin(&self, key: &str) -> Origin {
        self.findings.config.origin(self.findings.figment, key)
    }

    fn fault(&mut self, key: &str, message: impl std::fmt::Display) {
        self.findings.fault(key, message);
    }

    fn warn(&mut self, key: &str, message: impl std::fmt::Display) {
        self.findings.warn(key, message);
    }

    /// The setting that the error names when the keys do not work together.
    fn blamed(&self) -> &'static str {
        match self.settings.algorithm.family() {
            AlgorithmFamily::Hmac if self.findings.config.secret_key_file.is_some() => {
                "secret_key_file"
            }
            AlgorithmFamily::Hmac => "secret_key",
            _ if self.findings.config.public_key.is_some() => "public_key",
            _ => "private_key",
        }
    }

    fn unused(&mut self, key: &str, is_set: bool) {
        if is_set {
            let algorithm = self.settings.algorithm;
            self.warn(
                key,
                format_args!(
                    "is not used by `algorithm = \"{algorithm:?}\"`; remove it, or change `algorithm`"
                ),
            );
        }
    }

    fn symmetric(&mut self, hooked: bool) -> Keys {
        self.unused("private_key", self.findings.config.private_key.is_some());
        self.unused("public_key", self.findings.config.public_key.is_some());
        let config = self.findings.config;
        match (&config.secret_key, &config.secret_key_file) {
            (Some(_), Some(_)) => {
                self.fault("secret_key_file", "is set beside `secret_key`; remove one of the two");
                Keys::default()
            }
            (Some(text), None) => {
                self.of_secret("secret_key", text.expose().as_bytes(), Source::Text)
            }
            (None, Some(path)) => self.secret_file(path).map_or_else(Keys::default, |text| {
                self.of_secret("secret_key_file", &text, Source::File)
            }),
            (None, None) if hooked => Keys::default(),
            // The file could not be read, and the error has been reported.
            (None, None)
                if ["secret_key", "secret_key_file"].iter().any(|key| config.is_written(key)) =>
            {
                Keys::default()
            }
            (None, None) if self.debug => {
                self.warn(
                    "secret_key",
                    "is not set: a random one is used, and tokens are valid until this process ends",
                );
                self.of_bytes("secret_key", &secret::random())
            }
            (None, None) => {
                self.fault(
                    "secret_key",
                    "must be set outside the debug profile: here, as a file by `secret_key_file`, or \
                     by ROCKET_JWT='{secret_key=\"…\"}'; `openssl rand -base64 48` makes a good one",
                );
                Keys::default()
            }
        }
    }

    /// The content of a secret's file, without the final line end.
    fn secret_file(&mut self, path: &Secret) -> Option<Vec<u8>> {
        const KEY: &str = "secret_key_file";
        let mut text = self.file(KEY, path.expose(), secret::MAX_LENGTH)?;
        if text.ends_with(b"\n") {
            text.pop();
            if text.ends_with(b"\r") {
                text.pop();
            }
        }
        if text.starts_with(b"\xef\xbb\xbf") || text.starts_with(b"\xff\xfe") {
            self.fault(KEY, "names a file that begins with a byte order mark; save it without one");
            return None;
        }
        if text.is_empty() {
            let path = self.shown(KEY, path.expose());
            self.fault(KEY, format_args!("names a file that is empty{path}"));
            return None;
        }
        Some(text)
    }

    /// The keys of a secret's text, which was the value of `key`.
    fn of_secret(&mut self, key: &str, text: &[u8], source: Source) -> Keys {
        let Some(encoding) = Encoding::of(&self.findings.config.secret_key_encoding) else {
            self.fault(
                "secret_key_encoding",
                "must be one of \"text\", \"base64\", \"base64url\", \"hex\"",
            );
            return Keys::default();
        };
        if let Err(refusal) = secret::check_form(text, source) {
            self.fault(key, refusal);
            return Keys::default();
        }
        if encoding == Encoding::Text {
            if source == Source::File
                && let Err(refusal) = secret::check_one_line(text)
            {
                self.fault(key, refusal);
                return Keys::default();
            }
            return self.of_bytes(key, text);
        }
        let Some(bytes) = encoding.decode(text) else {
            self.fault(
                key,
                format_args!(
                    "is not {}, as `secret_key_encoding` says; correct one of the two",
                    encoding.name()
                ),
            );
            return Keys::default();
        };
        if let Err(refusal) = secret::check_form(&bytes, source) {
            self.fault(key, refusal);
            return Keys::default();
        }
        if let Err(weakness) = secret::check_guessable(text)
            && !self.accepts_weak(key, weakness)
        {
            return Keys::default();
        }
        self.of_bytes(key, &bytes)
    }

    /// The keys of a decoded secret whose form was checked.
    fn of_bytes(&mut self, key: &str, secret: &[u8]) -> Keys {
        let settings = self.settings;
        let weakness = settings
            .decode_algorithms
            .iter()
            .find_map(|&algorithm| secret::check_strength(algorithm, secret).err());
        if weakness.is_some_and(|weakness| !self.accepts_weak(key, weakness)) {
            return Keys::default();
        }
        let verifying: Result<_, _> = settings
            .decode_algorithms
            .iter()
            .map(|&algorithm| VerifyingKey::unchecked_secret(algorithm, secret))
            .collect();
        match (SigningKey::unchecked_secret(settings.algorithm, secret), verifying) {
            (Ok(signing), Ok(verifying)) => Keys::new(Some(signing), verifying),
            (Err(refusal), _) | (_, Err(refusal)) => {
                self.fault(key, refusal);
                Keys::default()
            }
        }
    }

    /// A weak secret is a warning in the debug profile, and an error in every other profile.
    fn accepts_weak(&mut self, key: &str, weakness: Error) -> bool {
        match self.debug {
            true => self.warn(key, format_args!("{weakness}; refused outside debug")),
            false => self.fault(key, weakness),
        }
        self.debug
    }

    fn asymmetric(&mut self, hooked: bool) -> Keys {
        let config = self.findings.config;
        self.unused("secret_key", config.secret_key.is_some());
        self.unused("secret_key_file", config.secret_key_file.is_some());
        self.unused("secret_key_encoding", config.secret_key_encoding != Encoding::Text.name());
        let settings = self.settings;
        if config.private_key.is_none() && config.public_key.is_none() {
            if !hooked {
                self.fault(
                    "public_key",
                    format_args!(
                        "or `private_key` must be set for {:?}: as PEM, or as the path of a PEM file",
                        settings.algorithm
                    ),
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

    /// The text of a key: the setting itself, or the content of the file that it names.
    fn pem(&mut self, key: &str, value: Option<&Secret>) -> Option<Vec<u8>> {
        let text = value?.expose();
        if text.trim().is_empty() {
            self.fault(key, "is empty; write PEM text or the path of a PEM file");
            return None;
        }
        let is_material = pem::is_material(text);
        if is_material && self.is_replaced(key, text.as_bytes(), Source::Text) {
            return None;
        }
        match reference::reference(text) {
            None | Some(Reference::Path) if is_material => Some(text.as_bytes().to_vec()),
            None | Some(Reference::Path) => {
                let content = self.file(key, text, pem::MAX_LENGTH)?;
                (!self.is_replaced(key, &content, Source::File)).then_some(content)
            }
            Some(Reference::Unresolved) => {
                self.fault(
                    key,
                    "is a placeholder that nothing replaced, or a path with one; write PEM text or the \
                     path of a PEM file",
                );
                None
            }
            Some(Reference::Elsewhere | Reference::Prefixed) => {
                self.fault(
                    key,
                    "points to a key that is stored elsewhere, which this crate does not fetch; \
                     write PEM text or the path of a PEM file",
                );
                None
            }
        }
    }

    /// Reports an error page or another text that replaced the key by mistake.
    fn is_replaced(&mut self, key: &str, text: &[u8], source: Source) -> bool {
        let refusal = std::str::from_utf8(text)
            .ok()
            .filter(|text| !pem::has_block(text))
            .and_then(contents)
            .and_then(|contents| contents.refusal_as_pem(source));
        let is_replaced = refusal.is_some();
        if let Some(refusal) = refusal {
            self.fault(key, refusal);
        }
        is_replaced
    }

    /// The content of the file that `key` names, of at most `max` bytes.
    fn file(&mut self, key: &str, path: &str, max: usize) -> Option<Vec<u8>> {
        if path.trim().is_empty() {
            self.fault(key, "is empty; write the path of a file");
            return None;
        }
        if reference::is_placeholder(path.trim()) {
            self.fault(
                key,
                "is a path with a placeholder that nothing replaced; write the path itself",
            );
            return None;
        }
        match read_at_most(&self.origin(key).resolve(path), max) {
            Ok(Some(content)) => Some(content),
            Ok(None) => {
                let path = self.shown(key, path);
                self.fault(
                    key,
                    format_args!(
                        "names a file that is too large for a key, over {max} bytes{path}"
                    ),
                );
                None
            }
            Err(error) => {
                let shown = self.shown(key, path);
                let text = match error.kind() {
                    io::ErrorKind::NotFound if reference::is_path(path) && is_prefixed(path) => {
                        "begins with `file:`, `@` or `~`, which is not resolved here; write the path \
                         alone"
                    }
                    io::ErrorKind::Unsupported => {
                        "names a pipe, a device or a socket; name a regular file"
                    }
                    io::ErrorKind::NotFound => "names a file that does not exist: no such file",
                    io::ErrorKind::PermissionDenied => {
                        "names a file that this process may not read; change its owner or mode"
                    }
                    io::ErrorKind::IsADirectory => "names a folder; name the file in it",
                    _ => "names a file that cannot be read",
                };
                self.fault(key, format_args!("{text}{shown}"));
                None
            }
        }
    }

    /// The absolute path that was tried. It is omitted if the value may be the key itself, set by
    /// mistake.
    fn shown(&self, key: &str, path: &str) -> String {
        match reference::is_path(path) {
            true => {
                let path = self.origin(key).resolve(path);
                let path = path::absolute(&path).unwrap_or(path);
                format!(": {}", path.display())
            }
            false => " (the path is not shown, as it may be the key itself)".into(),
        }
    }
}

/// Whether a path begins with a mark that other programs and shells resolve.
fn is_prefixed(path: &str) -> bool {
    ["file:", "@", "~/"].iter().any(|start| path.starts_with(start))
}

/// `None` if the file is larger. A pipe or a device is an error, as it may never end, or may never
/// begin, and the launch would wait for it.
fn read_at_most(path: &Path, max: usize) -> io::Result<Option<Vec<u8>>> {
    let kind = fs::metadata(path)?.file_type();
    if !kind.is_file() {
        let error =
            if kind.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::Unsupported };
        return Err(error.into());
    }
    let mut content = Vec::new();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(limit).read_to_end(&mut content)?;
    Ok((content.len() <= max).then_some(content))
}
