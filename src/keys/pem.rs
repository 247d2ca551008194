//! PEM text: the block that contains the key, and descriptions of texts that contain none.
//!
//! Every form that tools write is accepted: any line ends, `\n` written as two characters, a whole
//! PEM in base64, UTF-16 as PowerShell writes it, and text before the first block. The error for
//! any other text says what the text is, and which command converts it to PEM.

use std::borrow::Cow;

use base64_simd::STANDARD_NO_PAD;

use crate::error::Error;

/// The half of a key that is needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Private,
    Public,
}

/// The format of a block's DER.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `PRIVATE KEY` (RFC 5958).
    Pkcs8,
    /// `RSA PRIVATE KEY` (RFC 8017).
    RsaPrivate,
    /// `EC PRIVATE KEY` (RFC 5915).
    Sec1,
    /// `PUBLIC KEY` (RFC 5280).
    Spki,
    /// `RSA PUBLIC KEY` (RFC 8017).
    RsaPublic,
    /// `CERTIFICATE` (RFC 5280).
    Certificate,
}

/// The one block that contains the key.
pub(crate) struct Block {
    pub(crate) form: Form,
    pub(crate) der: Vec<u8>,
}

/// A text longer than this is not a key: the largest RSA key with its certificate chain is far
/// shorter.
pub(crate) const MAX_LENGTH: usize = 256 << 10;

const BEGIN: &str = "-----BEGIN ";

/// Finds the key of that role in a text.
pub(crate) fn key_block(input: &[u8], role: Role) -> Result<Block, Error> {
    find(input, role).map_err(|text| Error::Key(text.into_owned()))
}

/// Whether a text has a block of a key. The blocks of programs that encrypt files are not keys.
pub(crate) fn has_block(text: &str) -> bool {
    let is_of_key = |block: &str| !block.starts_with("AGE ");
    text.split(BEGIN).skip(1).any(is_of_key)
}

/// Whether a text is key material, or something pasted in its place, rather than the path of a file.
/// Such a text must never be shown.
pub(crate) fn is_material(text: &str) -> bool {
    let text = text.trim();
    text.contains("-----")
        || text.contains("---- BEGIN")
        || text.contains(['\n', '\r'])
        || text.starts_with(['{', '['])
        || is_openssh_line(text)
        || decoded(text).is_some()
}

fn find(input: &[u8], role: Role) -> Result<Block, Cow<'static, str>> {
    if input.len() > MAX_LENGTH {
        return Err("is too large for a key".into());
    }
    let text = normalized(input);
    if !text.contains(BEGIN) {
        return Err(not_pem(input, &text, role).into());
    }
    let blocks = pem::parse_many(text.as_bytes()).map_err(|error| match error {
        pem::PemError::MismatchedTags(..) => "has a BEGIN line and an END line that do not match",
        _ if text.contains("ENCRYPTED") => ENCRYPTED,
        _ => "is not intact PEM: its content is not base64; copy it again",
    })?;
    // The parser silently ignores a block without an END line.
    if blocks.len() != text.matches(BEGIN).count() {
        return Err("is not intact PEM: its END line is missing; copy it again".into());
    }

    let mut keys = Vec::new();
    let mut others = Vec::new();
    for block in blocks {
        let is_encrypted = block.headers().get("Proc-Type").is_some_and(|v| v.contains("ENC"));
        match form(block.tag()) {
            Some((_, of)) if is_encrypted => others.push((ENCRYPTED, Some(of))),
            Some((form, of)) => keys.push((of, Block { form, der: block.into_contents() })),
            None => others.extend(other(block.tag())),
        }
    }
    // A file with both halves would reveal the private one to everybody who may read the public
    // one.
    let has_private = keys.iter().any(|(of, _)| *of == Role::Private)
        || others.iter().any(|(_, of)| *of == Some(Role::Private));
    if role == Role::Public && has_private {
        return Err("holds a private key where a public one belongs; \
                    `openssl pkey -pubout` prints its public half"
            .into());
    }
    let has_certificate = keys.iter().any(|(_, block)| block.form == Form::Certificate);
    let has_public =
        keys.iter().any(|(_, block)| [Form::Spki, Form::RsaPublic].contains(&block.form));
    let mut fitting = keys.into_iter().filter(|(of, _)| *of == role).map(|(_, block)| block);
    match (fitting.next(), fitting.count()) {
        (Some(block), 0) => Ok(block),
        (Some(_), more) => {
            Err(format!("holds {} keys or certificates; leave the one that is meant", more + 1)
                .into())
        }
        (None, _) => Err(match (others.first(), has_public, has_certificate) {
            (Some((refusal, _)), ..) => *refusal,
            (None, true, _) => {
                "holds a public key where a private one belongs; \
                 `private_key` is the half that `openssl genpkey` makes"
            }
            (None, false, true) => {
                "is a certificate, which contains no private key; \
                 the private key is in the file that was used to request the certificate"
            }
            (None, false, false) => "is no PEM text of a key",
        }
        .into()),
    }
}

fn form(label: &str) -> Option<(Form, Role)> {
    Some(match label {
        "PRIVATE KEY" => (Form::Pkcs8, Role::Private),
        "RSA PRIVATE KEY" => (Form::RsaPrivate, Role::Private),
        "EC PRIVATE KEY" => (Form::Sec1, Role::Private),
        "PUBLIC KEY" => (Form::Spki, Role::Public),
        "RSA PUBLIC KEY" => (Form::RsaPublic, Role::Public),
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
            (Form::Certificate, Role::Public)
        }
        _ => return None,
    })
}

const ENCRYPTED: &str =
    "is encrypted; `openssl pkcs8 -topk8 -nocrypt -in FILE` prints it unencrypted";
const OPENSSH_PRIVATE: &str =
    "is in OpenSSH's own format; `ssh-keygen -p -m PKCS8 -f FILE` rewrites the file as PEM";
const OPENSSH_PUBLIC: &str =
    "is in OpenSSH's own format; `ssh-keygen -e -m PKCS8 -f FILE` prints it as PEM";
const RFC_4716: &str = "is in SSH2 format (RFC 4716); `ssh-keygen -i -f FILE >key.pub` and \
     `ssh-keygen -e -m PKCS8 -f key.pub` turn it into PEM";
const JWK: &str = "is a JSON Web Key, not PEM; convert it, for instance with `jwk-to-pem` of npm or \
     `jwcrypto` of Python";
const PGP: &str = "is a PGP key, which cannot sign tokens; generate a key with `openssl genpkey`";

/// The reason why a block with another label is not a usable key, and whether it contains a private
/// key. `None` for blocks that occur beside keys and can be ignored.
fn other(label: &str) -> Option<(&'static str, Option<Role>)> {
    Some(match label {
        "EC PARAMETERS" | "DH PARAMETERS" | "X509 CRL" => return None,
        "ENCRYPTED PRIVATE KEY" => (ENCRYPTED, Some(Role::Private)),
        "OPENSSH PRIVATE KEY" => (OPENSSH_PRIVATE, Some(Role::Private)),
        "DSA PRIVATE KEY" => (
            "is a DSA key, for which JWT has no algorithm; generate a key with `openssl genpkey`",
            Some(Role::Private),
        ),
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => (
            "is a certificate request; `openssl req -pubkey -noout -in FILE` prints its public key",
            None,
        ),
        "PKCS7" | "CMS" => (
            "is a PKCS#7 bundle; `openssl pkcs7 -print_certs -in FILE` prints its certificates",
            None,
        ),
        "PGP PRIVATE KEY BLOCK" => (PGP, Some(Role::Private)),
        label if label.starts_with("PGP ") => (PGP, None),
        "SSH2 PUBLIC KEY" => (RFC_4716, None),
        label if label.contains("PRIVATE KEY") => {
            ("is no PEM text of a key that can be used", Some(Role::Private))
        }
        _ => ("is no PEM text of a key", None),
    })
}

/// Describes a text that contains no PEM block.
fn not_pem(input: &[u8], text: &str, role: Role) -> &'static str {
    let text = text.trim();
    if text.is_empty() {
        return "is empty";
    }
    if text.contains("---- BEGIN SSH2") {
        return RFC_4716;
    }
    if text.starts_with("PuTTY-User-Key-File") {
        return "is in PuTTY's own format; `puttygen FILE -O private-openssh -o key.pem` and \
                `ssh-keygen -p -m PKCS8 -f key.pem` turn it into PEM";
    }
    if is_openssh_line(text) {
        return OPENSSH_PUBLIC;
    }
    if text.starts_with(['{', '[']) && text.contains("\"k") {
        return JWK;
    }
    if is_der(input) {
        return "is binary (DER), not PEM text; `openssl pkey -inform DER -in FILE` prints a private \
                key as PEM, with `-pubin` a public one, `openssl x509 -inform DER -in FILE` a \
                certificate, and `openssl pkcs12 -nodes -in FILE` what is in a .p12 file";
    }
    if input.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) {
        return "is a Java key store; `keytool -importkeystore -deststoretype PKCS12` and \
                `openssl pkcs12 -nodes` turn it into PEM";
    }
    match decoded(text) {
        Some(inner) if is_der(&inner) => {
            "is base64 without its first and last line; put it between `-----BEGIN PUBLIC KEY-----` \
             and `-----END PUBLIC KEY-----`, or between the same two lines with `PRIVATE KEY`"
        }
        _ if role == Role::Public => {
            "is no PEM text; a key begins with a line such as `-----BEGIN PUBLIC KEY-----`"
        }
        _ => "is no PEM text; a key begins with a line such as `-----BEGIN PRIVATE KEY-----`",
    }
}

fn is_openssh_line(text: &str) -> bool {
    let starts = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"];
    // The key's type, a space, then the key. Without the space the text may be a path.
    text.contains(' ') && starts.iter().any(|start| text.starts_with(start))
}

/// Whether the bytes are one ASN.1 SEQUENCE and nothing else.
fn is_der(bytes: &[u8]) -> bool {
    use pkcs8::der::{Decode, Tag, Tagged, asn1::AnyRef};
    AnyRef::from_der(bytes).is_ok_and(|any| any.tag() == Tag::Sequence)
}

/// The text in UTF-8, with one kind of line end and without escaped line ends.
fn normalized(input: &[u8]) -> String {
    let text = unicode(input);
    let text = match decoded(&text) {
        Some(inner) if !is_der(&inner) => unicode(&inner).into_owned(),
        _ => text.into_owned(),
    };
    let text = match text.contains("\\n") {
        // Environment files and JSON escape a line end like this; some tools escape it twice.
        true => text.replace("\\r", "").replace("\\n", "\n").replace('\\', ""),
        false => text,
    };
    let lines = text.split(['\n', '\r']).map(str::trim);
    // In a block with headers, a blank line ends the headers. In a block without headers, the
    // parser treats the lines before a blank line as headers.
    let keeps_blank = text.contains("Proc-Type");
    let mut normalized = String::with_capacity(text.len());
    for line in lines.filter(|line| keeps_blank || !line.is_empty()) {
        normalized.push_str(line);
        normalized.push('\n');
    }
    normalized
}

fn unicode(input: &[u8]) -> Cow<'_, str> {
    let utf16 = |read: fn([u8; 2]) -> u16| {
        let units = input.chunks_exact(2).filter_map(|pair| Some(read(pair.try_into().ok()?)));
        Cow::Owned(String::from_utf16_lossy(&units.collect::<Vec<_>>()))
    };
    match input {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes),
        _ => String::from_utf8_lossy(input),
    }
}

/// The content of a text that is entirely base64, if the content is PEM or DER.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let base64: String = text.trim_start_matches('\u{feff}').split_ascii_whitespace().collect();
    let inner = STANDARD_NO_PAD.decode_to_vec(base64.trim_end_matches('=')).ok()?;
    let is_pem = unicode(&inner).contains(BEGIN);
    (is_pem || is_der(&inner)).then_some(inner)
}
