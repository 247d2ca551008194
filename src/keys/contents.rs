//! Texts that replaced a secret by mistake: an error page, a pointer, a whole document.
//!
//! A file that a deployment writes contains whatever its command printed, and any bytes are an HMAC
//! key. The rules look for marks that random secrets do not have.

use super::reference::Source;

/// The kind of a text that is not a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contents {
    /// The pointer that Git LFS stores instead of a large file.
    LfsPointer,
    /// HTML or XML, usually an error page.
    Markup,
    Json,
    /// Names and values: YAML, INI or TOML.
    Table,
    /// A file encrypted by SOPS, age, PGP or Ansible.
    Encrypted,
    /// The message of a command that failed.
    ErrorMessage,
    /// `JWT_SECRET=…`.
    Assignment,
    /// A token, signed or encrypted.
    Token,
    /// The text that programs write for a missing value.
    Missing,
    /// A secret in quotes, written by a program that quotes its output.
    Quoted,
    /// Several lines.
    Lines,
}

impl Contents {
    /// The reason why it is refused as a secret, and how to fix it.
    pub(crate) fn refusal(self, source: Source) -> String {
        let (what, cure) = self.described();
        match source {
            Source::Text => format!("is {what}; {cure}"),
            Source::File => format!("names a file whose content is {what}; {cure}"),
        }
    }

    /// The same for a key in PEM. `None` for contents that have a refusal of PEM, or may be PEM.
    pub(crate) fn refusal_as_pem(self, source: Source) -> Option<String> {
        let is_told = matches!(
            self,
            Self::LfsPointer | Self::Markup | Self::Encrypted | Self::ErrorMessage | Self::Missing
        );
        is_told.then(|| self.refusal(source).replace("secret", "key"))
    }

    fn described(self) -> (&'static str, &'static str) {
        match self {
            Self::LfsPointer => (
                "a Git LFS pointer, not a secret",
                "fetch the file with `git lfs pull`, or keep the secret out of the repository",
            ),
            Self::Markup => (
                "a page of HTML or XML, not a secret",
                "check the address it was fetched from, and let the download fail on an error \
                 (`curl --fail`)",
            ),
            Self::Json => (
                "JSON, not a secret",
                "take the secret's value alone out of it, as with `jq -r` or `vault kv get -field=…`",
            ),
            Self::Table => (
                "YAML, INI or TOML, not a secret",
                "take the secret's value alone out of it (that of a Kubernetes `Secret` is base64)",
            ),
            Self::Encrypted => ("encrypted, not a secret", "decrypt it before the launch"),
            Self::ErrorMessage => (
                "an error message, not a secret",
                "correct the command that should have fetched the secret, and let it stop on errors",
            ),
            Self::Assignment => {
                ("an assignment, not a secret", "keep only the value that follows the name")
            }
            Self::Token => (
                "a token, not a secret",
                "a token is what is signed with the secret, and everybody who has it could sign others",
            ),
            Self::Missing => (
                "what programs write for a missing value, not a secret",
                "check the name under which the secret is looked up",
            ),
            Self::Quoted => (
                "in quotes, which would be part of the secret",
                "remove them (`jq -r` writes none)",
            ),
            Self::Lines => (
                "of more than one line, and a secret has only one",
                "keep one secret on one line, such as `openssl rand -hex 64` writes; for base64 that \
                 is wrapped, set `secret_key_encoding = \"base64\"`",
            ),
        }
    }
}

/// The kind of the text, if it is not a secret. The caller decides about several lines.
pub(crate) fn contents(text: &str) -> Option<Contents> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let first_line = lower.lines().next().unwrap_or_default();
    if lower.starts_with("version https://git-lfs") {
        return Some(Contents::LfsPointer);
    }
    if is_encrypted(&lower) {
        return Some(Contents::Encrypted);
    }
    if is_markup(&lower) {
        return Some(Contents::Markup);
    }
    if is_json(text) {
        return Some(Contents::Json);
    }
    if is_error(&lower, first_line) {
        return Some(Contents::ErrorMessage);
    }
    if is_assignment(first_line, '=') || first_line.starts_with("export ") {
        return Some(Contents::Assignment);
    }
    if is_table_of_names(&lower) {
        return Some(Contents::Table);
    }
    if ["null", "nil", "none", "undefined", "<nil>", "<none>", "<no value>", "[object object]"]
        .contains(&lower.as_str())
    {
        return Some(Contents::Missing);
    }
    if is_token(text) {
        return Some(Contents::Token);
    }
    is_quoted(text).then_some(Contents::Quoted)
}

/// Whether a text contains line breaks. Random bytes may contain them too, but are not text.
pub(crate) fn has_lines(secret: &[u8]) -> bool {
    std::str::from_utf8(secret).is_ok_and(|text| {
        text.trim_end().contains(['\n', '\r'])
            && text.chars().all(|c| !c.is_control() || c.is_whitespace())
    })
}

fn is_encrypted(lower: &str) -> bool {
    const STARTS: [&str; 4] =
        ["age-encryption.org/", "$ansible_vault;", "-----begin age ", "-----begin pgp message"];
    STARTS.iter().any(|start| lower.starts_with(start))
        || lower.contains("enc[aes256_gcm,") && lower.contains('\n')
        || (lower.contains("\"sops\":") || lower.contains("\nsops:"))
}

fn is_markup(lower: &str) -> bool {
    let Some(rest) = lower.strip_prefix('<') else { return false };
    let after_name = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == ':');
    let is_tag =
        after_name.len() < rest.len() && after_name.starts_with(['>', ' ', '\n', '\r', '/']);
    let is_prolog = ["!doctype", "!--", "?xml"].iter().any(|start| rest.starts_with(start));
    is_prolog || (is_tag && (rest.contains("</") || rest.contains("/>")))
}

fn is_json(text: &str) -> bool {
    // A malformed document has these marks too.
    let first_member = text.strip_prefix('{').and_then(|rest| rest.trim_start().strip_prefix('"'));
    let has_members = first_member
        .and_then(|rest| rest.split_once('"'))
        .is_some_and(|(name, rest)| is_name(name) && rest.trim_start().starts_with(':'));
    has_members
        || (text.starts_with(['{', '[']) && serde_json::from_str::<serde_json::Value>(text).is_ok())
}

fn is_error(lower: &str, first_line: &str) -> bool {
    const PHRASES: [&str; 21] = [
        "no such file",
        "permission denied",
        "command not found",
        "not found",
        "access denied",
        "accessdenied",
        "not authorized",
        "unauthorized",
        "403 forbidden",
        "bad gateway",
        "internal server error",
        "connection refused",
        "timed out",
        "could not resolve",
        "failed to ",
        "unable to ",
        "cannot ",
        "could not ",
        "no value found",
        "is not recognized",
        "no secret exists",
    ];
    const STARTS: [&str; 15] = [
        "an error occurred",
        "error:",
        "error ",
        "fatal:",
        "panic:",
        "usage:",
        "warning:",
        "http/1",
        "http/2",
        "traceback (most recent",
        "code: ",
        "curl: (",
        "exception ",
        "error\n",
        "* ",
    ];
    let has_words = first_line.split_ascii_whitespace().count() >= 2;
    // `cat: /run/secrets/jwt: …`, in any language.
    let of_command = first_line.split_once(": ").is_some_and(|(command, rest)| {
        is_name(command) && rest.contains(": ") && rest.split_ascii_whitespace().count() >= 2
    });
    has_words
        && (of_command
            || STARTS.iter().any(|start| lower.starts_with(start))
            || (PHRASES.iter().any(|phrase| first_line.contains(phrase))
                && (first_line.contains(": ") || first_line.split_ascii_whitespace().count() <= 8)))
}

/// Words that occur in names of secrets.
const NAMES: [&str; 12] = [
    "jwt",
    "secret",
    "secrets",
    "key",
    "token",
    "password",
    "passphrase",
    "signing",
    "hmac",
    "hs256",
    "hs512",
    "value",
];

/// Whether a line consists of a secret's name, an assignment sign and a value.
fn is_assignment(line: &str, sign: char) -> bool {
    let Some((name, value)) = line.split_once(sign) else { return false };
    let name = name.trim().trim_start_matches("export ").trim_matches(['"', '\'', ' ']);
    is_name(name)
        && name.split(['_', '-', '.', ' ']).any(|word| NAMES.contains(&word))
        // The padding of base64 is not a value.
        && value.contains(|c: char| c != '=' && !c.is_whitespace())
}

fn is_table_of_names(lower: &str) -> bool {
    let mut lines = lower.lines().filter(|line| !line.trim_start().starts_with('#'));
    let Some(first) = lines.next() else { return false };
    let is_pair = |line: &str| {
        line.split_once(':').is_some_and(|(name, rest)| {
            is_name(name.trim().trim_start_matches("- "))
                && (rest.is_empty() || rest.starts_with(' '))
        })
    };
    let is_table = |line: &str| line.starts_with('[') && line.ends_with(']');
    if first == "---" || first.starts_with("%yaml") {
        return true;
    }
    let rest = lines.filter(|line| !line.trim().is_empty());
    let pairs = rest.clone().filter(|line| is_pair(line)).count();
    (is_pair(first) && pairs > 0)
        || is_assignment(first, ':') && first.contains(": ")
        || (is_table(first) && rest.clone().any(|line| line.contains('=')))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
}

/// Whether a text is a token (RFC 7515, RFC 7516): its header is JSON in base64url.
fn is_token(text: &str) -> bool {
    let is_part = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    let parts = text.split('.');
    text.starts_with("eyJ") && [3, 5].contains(&parts.clone().count()) && parts.clone().all(is_part)
}

/// Whether a text that needs no quotes is in quotes. A random password may begin and end with
/// quotes, but has other symbols between them.
fn is_quoted(text: &str) -> bool {
    ['"', '\'', '`'].iter().any(|quote| {
        text.strip_prefix(*quote).and_then(|rest| rest.strip_suffix(*quote)).is_some_and(|inner| {
            inner.len() >= 8
                && inner.chars().all(|c| c.is_ascii_alphanumeric() || "+/=_-".contains(c))
        })
    })
}
