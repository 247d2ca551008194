//! Texts that point to a secret instead of being one: a path, a URL, a variable that was not
//! replaced.
//!
//! If such a text were used as the secret, anybody who can read the configuration could sign
//! tokens. The rules look for characters that random secrets do not have: base64 may contain `/`
//! and `+`, and may even begin with `/`, but contains no `.`, `~`, `:` or `\`.

/// What a text points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reference {
    /// The path of a file.
    Path,
    /// A URL, or the name of an entry in a secret store.
    Elsewhere,
    /// A variable or template that was not replaced.
    Unresolved,
    /// A secret after a prefix with the name of its encoding, such as `base64:…`.
    Prefixed,
}

/// Where a secret's text was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// In the configuration, or in code.
    Text,
    /// In the file that the configuration names.
    File,
}

impl Reference {
    /// The reason why it is refused as a secret, and how to fix it.
    pub(crate) fn refusal(self, source: Source) -> &'static str {
        match (self, source) {
            (Self::Path, Source::Text) => {
                "is the path of a file, not a secret; name the file in `secret_key_file`"
            }
            (Self::Path, Source::File) => {
                "names a file that holds a path, not a secret; name the file at that path instead, or \
                 write the secret itself to this one"
            }
            (Self::Elsewhere, Source::Text) => {
                "points to a secret that is kept elsewhere, and this crate does not fetch it; \
                 write the secret to a file and name that file in `secret_key_file`"
            }
            (Self::Elsewhere, Source::File) => {
                "names a file that points to a secret that is kept elsewhere, and this crate does \
                 not fetch it; fetch it before the launch, and write the secret itself to the file"
            }
            (Self::Unresolved, Source::Text) => {
                "is a placeholder that nothing replaced, not a secret; set it by \
                 ROCKET_JWT='{secret_key=\"…\"}', or name a file in `secret_key_file`"
            }
            (Self::Unresolved, Source::File) => {
                "names a file that holds a placeholder that nothing replaced, not a secret; let the \
                 program that writes the file fill in the secret itself"
            }
            (Self::Prefixed, Source::Text) => {
                "begins with the name of its encoding; keep only what follows the colon, and set \
                 `secret_key_encoding = \"base64\"` or `\"hex\"` (or `secret_key_file`, if it is \
                 in a file)"
            }
            (Self::Prefixed, Source::File) => {
                "names a file that begins with the name of an encoding; keep only what follows the \
                 colon, and set `secret_key_encoding = \"base64\"` or `\"hex\"`"
            }
        }
    }
}

/// The target of the text, if the text is a reference and not a secret.
pub(crate) fn reference(text: &str) -> Option<Reference> {
    let text = text.trim().trim_matches(['"', '\'']);
    if is_unresolved(text) {
        return Some(Reference::Unresolved);
    }
    if ["base64:", "hex:", "base64,"].iter().any(|start| starts_with(text, start)) {
        return Some(Reference::Prefixed);
    }
    if is_elsewhere(text) {
        return Some(Reference::Elsewhere);
    }
    is_path(text).then_some(Reference::Path)
}

/// Whether a text can only be a path, so that it may be shown.
pub(crate) fn is_path(text: &str) -> bool {
    let text = text.trim();
    // `curl` and Docker write this before the path of a file that contains the value.
    let text = ["@/", "file=/", "file:/"]
        .iter()
        .find(|start| starts_with(text, start))
        .map_or(text, |start| text.get(start.len() - 1..).unwrap_or(text));
    if has_symbols_of_passwords(text) {
        return false;
    }
    let has_drive = matches!(text.as_bytes(), [drive, b':', b'\\' | b'/', ..]
        if drive.is_ascii_alphabetic());
    let starts = ["./", "../", ".\\", "..\\", "~/", "~\\", "\\\\"];
    // A random password may begin with any of these, but also contains other characters.
    let is_of_path = |c: char| c.is_alphanumeric() || "/\\._-~: ".contains(c);
    if (has_drive || starts.iter().any(|start| text.starts_with(start)))
        && text.chars().all(is_of_path)
        || starts_with(text, "file:")
    {
        return true;
    }
    if has_extension(text) {
        return true;
    }
    if text.contains(char::is_whitespace) || !text.contains('/') {
        return false;
    }
    let mut parts = text.split('/').filter(|part| !part.is_empty());
    let Some(first) = parts.next() else { return false };
    // In random base64 of this length, some part mixes upper and lower case.
    let is_word = |part: &str| {
        let rest = part.chars().skip_while(|c| !c.is_alphabetic()).skip(1);
        let mixes = rest.clone().any(char::is_uppercase) && part.contains(char::is_lowercase);
        part.contains(char::is_alphabetic)
            && (!mixes || is_camel_case(part))
            && !part.contains(['+', '='])
    };
    let are_words = is_word(first) && parts.clone().all(is_word);
    let is_folder = |part: &str| FOLDERS.contains(&part.to_ascii_lowercase().as_str());
    if is_folder(first) && (are_words || first.len() >= 5 || text.contains(['-', '_', '.'])) {
        return true;
    }
    if text.starts_with('/') && is_folder(first) && parts.next().is_some_and(is_folder) {
        return true;
    }
    // An absolute path of plain words, or the home folder of another user.
    are_words && (text.starts_with('/') || (text.starts_with('~') && first.len() > 1))
}

/// Whether the text consists of words of some length that begin with capital letters, and at most a
/// year or a number after them.
fn is_camel_case(part: &str) -> bool {
    let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let words = letters.chars().filter(char::is_ascii_uppercase).count();
    part.len() - letters.len() <= 4
        && letters.chars().all(|c| c.is_ascii_alphabetic() || "-_.".contains(c))
        && letters.len() * 2 >= words * 5
}

/// The folders in which secrets are usually kept, as the first part of a path.
const FOLDERS: [&str; 38] = [
    "run",
    "etc",
    "var",
    "opt",
    "usr",
    "srv",
    "mnt",
    "tmp",
    "home",
    "root",
    "proc",
    "dev",
    "app",
    "data",
    "users",
    "private",
    "vault",
    "conf",
    "config",
    "configs",
    "credentials",
    "creds",
    "keys",
    "key",
    "secret",
    "secrets",
    "cert",
    "certs",
    "ssl",
    "tls",
    "pki",
    "docker",
    "kv",
    "projects",
    "media",
    "volumes",
    "workspace",
    "parameter",
];

const EXTENSIONS: [&str; 24] = [
    "pem", "key", "crt", "cer", "cert", "der", "pub", "p8", "pk8", "p12", "pfx", "jks", "jwk",
    "json", "txt", "secret", "env", "toml", "yaml", "yml", "conf", "asc", "gpg", "ppk",
];

fn has_extension(text: &str) -> bool {
    let name = text.rsplit(['/', '\\']).next().unwrap_or_default();
    name.rsplit_once('.').is_some_and(|(_, end)| {
        EXTENSIONS.iter().any(|extension| extension.eq_ignore_ascii_case(end))
    })
}

/// Schemes of secret stores that are written without `//`, and tags of YAML and Ansible.
const STORES: [&str; 37] = [
    "vault:",
    "env:",
    "arn:",
    "op:",
    "sops:",
    "ssm:",
    "sm:",
    "gsm:",
    "gcp:",
    "aws:",
    "azure:",
    "kms:",
    "akv:",
    "bws:",
    "secret:",
    "secrets:",
    "secretsmanager:",
    "keyring:",
    "keychain:",
    "doppler:",
    "infisical:",
    "consul:",
    "data:",
    "docker:",
    "k8s:",
    "kubernetes:",
    "ref+",
    "!vault",
    "!secret",
    "!env",
    "!ref",
    "!sub",
    "!getatt",
    "secretkeyref:",
    "configmapkeyref:",
    "valuefrom:",
    "$ansible_vault;",
];

/// Whether a text contains characters that occur in no path and no URL, but in nearly every random
/// password with symbols.
fn has_symbols_of_passwords(text: &str) -> bool {
    text.contains(['^', '*', '`', '"', '\'', '<', '>', '{', '}'])
}

fn is_elsewhere(text: &str) -> bool {
    if has_symbols_of_passwords(text) {
        return false;
    }
    let has_scheme = text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    (has_scheme && !starts_with(text, "file:"))
        || STORES.iter().any(|start| starts_with(text, start))
        || starts_with(text, "@microsoft.keyvault(")
}

/// Whether a setting that is no key has a variable or template that was not replaced. Unlike a random
/// password, it contains brackets and percent signs for no other reason, so that they may be
/// anywhere in the text.
pub(crate) fn has_placeholder(text: &str) -> bool {
    let text = text.trim();
    let marks = [("<", ">"), ("{", "}"), ("$(", ")")];
    let has_mark = marks.iter().any(|(start, end)| {
        let mut rests = text.split(start).skip(1);
        rests.any(|rest| rest.split_once(end).is_some_and(|(name, _)| is_name_like(name)))
    });
    // `%TENANT%`, but not the digits of percent-encoding.
    let has_variable = text.split('%').skip(1).any(|name| {
        name.len() > 2
            && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
            && name.contains(|c: char| !c.is_ascii_hexdigit())
    }) && text.matches('%').count() > 1;
    let is_list = text.starts_with('[') && !text.starts_with("[[");
    has_mark || has_variable || (!is_list && is_placeholder(text))
}

fn is_unresolved(text: &str) -> bool {
    is_placeholder(text) || is_upper_name(text)
}

/// Whether a text has the marks of a variable or template.
pub(crate) fn is_placeholder(text: &str) -> bool {
    // Marks around the whole text.
    let wrapped = [
        ("<", ">"),
        ("{", "}"),
        ("[", "]"),
        ("%", "%"),
        ("__", "__"),
        ("[[", "]]"),
        ("((", "))"),
        ("%%", "%%"),
        ("@", "@"),
        ("~", "~"),
        ("$(", ")"),
        ("${", "}"),
        ("#{", "}"),
        ("`", "`"),
        ("@@", "@@"),
    ];
    if wrapped.iter().any(|(start, end)| inside(text, start, end).is_some_and(is_name_like)) {
        return true;
    }
    let quoted = [("ENC(", ")"), ("ENC[", "]"), ("<%", "%>")];
    if quoted.iter().any(|(start, end)| inside(text, start, end).is_some()) {
        return true;
    }
    // Marks within the text. A template contains no other characters than these; a random password
    // may contain the same marks, but also contains other characters.
    let is_template =
        text.chars().all(|c| c.is_ascii_alphanumeric() || " _-.:/,|()'\"?${}#%".contains(c));
    let marks = [("${", "}"), ("{{", "}}"), ("#{", "}"), ("%{", "}")];
    let has_mark = is_template
        && marks.iter().any(|(start, end)| {
            let rest = text.split_once(start).map(|(_, rest)| rest);
            let name = rest.and_then(|rest| rest.split_once(end)).map(|(name, _)| name);
            name.is_some_and(is_name_like)
        });
    let calls =
        ["process.env", "os.environ", "getenv(", "import.meta.env", "env(", "ENV['", "ENV[\""];
    has_mark || calls.iter().any(|call| text.contains(call)) || is_variable(text)
}

/// `$JWT_SECRET`, `$jwtSecret`: the text is only a variable.
fn is_variable(text: &str) -> bool {
    let name = text.strip_prefix("$env:").or_else(|| text.strip_prefix('$'));
    name.is_some_and(|name| {
        is_upper_name(name)
            || (name.chars().all(|c| c.is_ascii_alphabetic() || c == '_') && name.len() > 1)
    })
}

/// `JWT_SIGNING_KEY`: the text is only the name of a variable. A cookie, a header or a file may have
/// such a name.
fn is_upper_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.contains('_')
}

/// A name, a path or words, such as those between the brackets of a template.
fn is_name_like(name: &str) -> bool {
    let name = name.trim();
    // A UUID in braces has more digits.
    name.chars().filter(char::is_ascii_digit).count() <= 4
        && name.chars().filter(|c| c.is_ascii_alphabetic()).count() >= 2
        && name.chars().all(|c| c.is_ascii_alphanumeric() || " _-.:/,|()[]'\"?$&@".contains(c))
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn inside<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_suffix(end)
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}
