//! Keys in PEM, made by the machine's `openssl` once a process.

#![allow(dead_code)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use rocket_jwt_extended::jsonwebtoken::{Algorithm, AlgorithmFamily};

/// A private key in PKCS#8 and its public half in SubjectPublicKeyInfo.
pub struct Pair {
    pub private: String,
    pub public: String,
}

/// The kinds of key the tests ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rsa,
    AnotherRsa,
    Rsa1024,
    P256,
    AnotherP256,
    P384,
    P521,
    Secp256k1,
    Ed25519,
    Ed448,
    X25519,
}

impl Kind {
    /// The kind that an asymmetric algorithm needs.
    pub fn of(algorithm: Algorithm) -> Self {
        match (algorithm.family(), algorithm) {
            (AlgorithmFamily::Rsa, _) => Self::Rsa,
            (_, Algorithm::ES256) => Self::P256,
            (_, Algorithm::ES384) => Self::P384,
            (_, Algorithm::EdDSA) => Self::Ed25519,
            _ => panic!("{algorithm:?} is symmetric"),
        }
    }

    fn genpkey(self) -> &'static [&'static str] {
        match self {
            Self::Rsa | Self::AnotherRsa => {
                &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
            }
            Self::Rsa1024 => &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
            Self::P256 | Self::AnotherP256 => {
                &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
            }
            Self::P384 => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            Self::P521 => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
            Self::Secp256k1 => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
            Self::Ed25519 => &["-algorithm", "ed25519"],
            Self::Ed448 => &["-algorithm", "ed448"],
            Self::X25519 => &["-algorithm", "x25519"],
        }
    }
}

/// The pair of that kind, the same in all of a process.
pub fn pair(kind: Kind) -> &'static Pair {
    static PAIRS: [OnceLock<Pair>; 11] = [const { OnceLock::new() }; 11];
    PAIRS[kind as usize].get_or_init(|| {
        let private = openssl(&[&["genpkey"], kind.genpkey()].concat(), "");
        let public = openssl(&["pkey", "-pubout"], &private);
        Pair { private, public }
    })
}

/// What `openssl` makes of its input.
pub fn openssl(arguments: &[&str], input: &str) -> String {
    String::from_utf8(openssl_bytes(arguments, input.as_bytes()).unwrap()).unwrap()
}

/// The same with bytes; its complaint where it fails.
pub fn openssl_bytes(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("`openssl` is on this machine");
    // It may fail without reading, of which its complaint tells.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(format!("openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// A file for as long as it is needed.
pub struct File(PathBuf);

impl File {
    pub fn of(content: impl AsRef<[u8]>) -> Self {
        let path = std::env::temp_dir().join(uuid::Uuid::new_v4().to_string());
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
