//! The forms in which tools write keys, made at run time by those tools.

use super::pem::{File, Kind, openssl, openssl_bytes, pair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A form, and the key in it.
pub type Named = (&'static str, Vec<u8>);

/// Every spelling of one PEM text.
fn spellings(name: &'static str, pem: &str) -> Vec<Named> {
    let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(pem.encode_utf16()).flat_map(order).collect()
    };
    let whole = STANDARD.encode(pem);
    let wrapped: Vec<_> = whole.as_bytes().chunks(64).collect();
    let texts = [
        pem.to_string(),
        pem.trim_end().to_string(),
        pem.replace('\n', "\r\n"),
        pem.replace('\n', "\r"),
        pem.replace('\n', "\\n"),
        pem.replace('\n', "\\r\\n"),
        pem.replace('\n', "\\\\n"),
        pem.replace('\n', " "),
        pem.replace('\n', "\n\n"),
        pem.replace('\n', "\n    "),
        format!("\u{feff}{pem}"),
        format!("Bag Attributes\n    friendlyName: ada\nKey Attributes: <No Attributes>\n{pem}"),
        format!("# a comment\n\n{pem}\n\n# and another\n"),
        format!("\"{}\"", pem.replace('\n', "\\n")),
        whole.clone(),
        whole.trim_end_matches('=').to_string(),
        String::from_utf8(wrapped.join(&b'\n')).unwrap() + "\n",
    ];
    let texts = texts.into_iter().map(String::into_bytes);
    texts
        .chain([utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)])
        .map(|text| (name, text))
        .collect()
}

/// Private keys of that kind that are taken.
pub fn private(kind: Kind) -> Vec<Named> {
    let pkcs8 = &pair(kind).private;
    let mut forms = spellings("PKCS#8", pkcs8);
    forms.push(("with its certificate", format!("{}{pkcs8}", certificate(kind)).into_bytes()));
    forms.push(("with its public half", format!("{pkcs8}{}", pair(kind).public).into_bytes()));
    match kind {
        Kind::Rsa => forms.extend(spellings("PKCS#1", &openssl(&["rsa", "-traditional"], pkcs8))),
        Kind::P256 | Kind::P384 => {
            let sec1 = openssl(&["ec"], pkcs8);
            assert!(sec1.contains("BEGIN EC PRIVATE KEY"));
            forms.extend(spellings("SEC1", &sec1));
            let curve = if kind == Kind::P256 { "prime256v1" } else { "secp384r1" };
            let generated = openssl(&["ecparam", "-name", curve, "-genkey"], "");
            assert!(generated.contains("BEGIN EC PARAMETERS"));
            forms.extend(spellings("SEC1 after its parameters", &generated));
            let bare = openssl(&["ec", "-no_public"], pkcs8);
            forms.push(("SEC1 without its public half", bare.into_bytes()));
        }
        _ => (),
    }
    forms
}

/// Public keys of that kind that are taken.
pub fn public(kind: Kind) -> Vec<Named> {
    let mut forms = spellings("SubjectPublicKeyInfo", &pair(kind).public);
    forms.extend(spellings("certificate", &certificate(kind)));
    let trusted = openssl(&["x509", "-trustout"], &certificate(kind));
    assert!(trusted.contains("BEGIN TRUSTED CERTIFICATE"));
    forms.push(("trusted certificate", trusted.into_bytes()));
    let text = openssl(&["x509", "-text"], &certificate(kind));
    forms.push(("certificate after its text", text.into_bytes()));
    if kind == Kind::Rsa {
        let pkcs1 = openssl(&["rsa", "-pubin", "-RSAPublicKey_out"], &pair(kind).public);
        assert!(pkcs1.contains("BEGIN RSA PUBLIC KEY"));
        forms.extend(spellings("PKCS#1", &pkcs1));
    }
    forms
}

/// A certificate of the key, signed by itself.
pub fn certificate(kind: Kind) -> String {
    let key = File::of(&pair(kind).private);
    openssl(&["req", "-x509", "-key", key.path(), "-subj", "/CN=ada", "-days", "1"], "")
}

/// What cannot be taken as a private key for ES256: name, text, and words of the refusal.
pub fn refused_private() -> Vec<(&'static str, Vec<u8>, [&'static str; 2])> {
    let pkcs8 = &pair(Kind::P256).private;
    let rsa = &pair(Kind::Rsa).private;
    let der = openssl_bytes(&["pkey", "-outform", "DER"], pkcs8.as_bytes()).unwrap();
    let explicit = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let explicit = [&["genpkey"], &explicit[..], &["-pkeyopt", "ec_param_enc:explicit"]].concat();
    let explicit = openssl(&explicit, "");
    let explicit_sec1 = openssl(&["ec", "-param_enc", "explicit"], &explicit);
    let pss =
        openssl(&["genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"], "");
    let encrypted = "`openssl pkcs8 -topk8 -nocrypt";
    let genpkey = "`openssl genpkey -algorithm EC";
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        (
            "encrypted PKCS#8",
            openssl(&["pkcs8", "-topk8", "-passout", "pass:x"], pkcs8).into_bytes(),
            ["is encrypted", encrypted],
        ),
        (
            "encrypted SEC1",
            openssl(&["ec", "-aes128", "-passout", "pass:x"], pkcs8).into_bytes(),
            ["is encrypted", encrypted],
        ),
        (
            "encrypted PKCS#1, with CRLF",
            openssl(&["rsa", "-aes128", "-traditional", "-passout", "pass:x"], rsa)
                .replace('\n', "\r\n")
                .into_bytes(),
            ["is encrypted", encrypted],
        ),
        ("OpenSSH", openssh(pkcs8).0, ["OpenSSH", "`ssh-keygen -p -m PKCS8"]),
        ("an OpenSSH public key", openssh(pkcs8).1, ["OpenSSH", "`ssh-keygen -e -m PKCS8"]),
        (
            "PuTTY",
            text("PuTTY-User-Key-File-3: ecdsa-sha2-nistp256\nEncryption: none\n"),
            ["PuTTY", "`puttygen"],
        ),
        (
            "a JWK",
            text(r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}"#),
            ["JSON Web Key", "convert"],
        ),
        ("DER", der.clone(), ["binary (DER)", "`openssl pkey -inform DER"]),
        (
            "DER in base64",
            STANDARD.encode(&der).into_bytes(),
            ["without its first and last line", "-----BEGIN"],
        ),
        (
            "a public key",
            text(&pair(Kind::P256).public),
            ["a public key where a private one belongs", "genpkey"],
        ),
        (
            "a certificate",
            certificate(Kind::P256).into_bytes(),
            ["is a certificate", "private key is in"],
        ),
        ("a request", request().into_bytes(), ["certificate request", "`openssl req -pubkey"]),
        (
            "two keys",
            text(&format!("{pkcs8}{}", pair(Kind::AnotherP256).private)),
            ["holds 2 keys", "leave the one"],
        ),
        ("RSA", text(rsa), ["an RSA key", genpkey]),
        ("RSA-PSS", pss.into_bytes(), ["an RSA key restricted to PSS", genpkey]),
        ("Ed448", text(&pair(Kind::Ed448).private), ["an Ed448 key", genpkey]),
        ("X25519", text(&pair(Kind::X25519).private), ["an X25519 key", genpkey]),
        (
            "secp256k1",
            openssl(&["ec"], &pair(Kind::Secp256k1).private).into_bytes(),
            ["secp256k1", genpkey],
        ),
        (
            "P-384 in SEC1",
            openssl(&["ec"], &pair(Kind::P384).private).into_bytes(),
            ["on P-384", genpkey],
        ),
        ("DSA", dsa().into_bytes(), ["a DSA key", genpkey]),
        ("explicit parameters", explicit.into_bytes(), ["writes its curve out", genpkey]),
        (
            "explicit parameters in SEC1",
            explicit_sec1.into_bytes(),
            ["writes its curve out", "-param_enc named_curve"],
        ),
        ("nothing", vec![], ["is empty", ""]),
        ("nonsense", text("nonsense"), ["is no PEM text", "-----BEGIN"]),
    ]
}

/// What cannot be taken as a public key for ES256.
pub fn refused_public() -> Vec<(&'static str, Vec<u8>, [&'static str; 2])> {
    let public = &pair(Kind::P256).public;
    let private = &pair(Kind::P256).private;
    let der = openssl_bytes(&["pkey", "-pubin", "-outform", "DER"], public.as_bytes()).unwrap();
    let encrypted = openssl(&["pkcs8", "-topk8", "-passout", "pass:x"], private);
    let compressed = openssl(&["ec", "-pubin", "-conv_form", "compressed"], public);
    let genpkey = "`openssl genpkey -algorithm EC";
    let of_private = ["a private key where a public one belongs", "`openssl pkey -pubout`"];
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("a private key", text(private), of_private),
        ("SEC1", openssl(&["ec"], private).into_bytes(), of_private),
        ("an encrypted key", encrypted.into_bytes(), of_private),
        ("both halves", text(&format!("{public}{private}")), of_private),
        ("OpenSSH", openssh(private).1, ["OpenSSH", "`ssh-keygen -e -m PKCS8"]),
        ("RFC 4716", rfc_4716(private), ["RFC 4716", "`ssh-keygen -i"]),
        (
            "a JWK",
            text(r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#),
            ["JSON Web Key", "convert"],
        ),
        ("a key set", text(r#"{ "keys": [{"kty":"EC"}] }"#), ["JSON Web Key", "convert"]),
        ("DER", der.clone(), ["binary (DER)", "-pubin"]),
        (
            "DER in base64",
            STANDARD.encode(&der).into_bytes(),
            ["without its first and last line", "-----BEGIN PUBLIC KEY-----"],
        ),
        ("a request", request().into_bytes(), ["certificate request", "`openssl req -pubkey"]),
        (
            "two certificates",
            certificate(Kind::P256).repeat(2).into_bytes(),
            ["holds 2 keys or certificates", "leave the one"],
        ),
        ("a compressed point", compressed.into_bytes(), ["compressed", "-conv_form uncompressed"]),
        ("a certificate of RSA", certificate(Kind::Rsa).into_bytes(), ["an RSA key", genpkey]),
        ("Ed448", text(&pair(Kind::Ed448).public), ["an Ed448 key", genpkey]),
        ("X25519", text(&pair(Kind::X25519).public), ["an X25519 key", genpkey]),
        ("secp256k1", text(&pair(Kind::Secp256k1).public), ["on secp256k1", genpkey]),
    ]
}

fn request() -> String {
    let key = File::of(&pair(Kind::P256).private);
    openssl(&["req", "-new", "-key", key.path(), "-subj", "/CN=ada"], "")
}

fn dsa() -> String {
    let parameters = File::of(openssl(&["dsaparam", "2048"], ""));
    openssl(&["genpkey", "-paramfile", parameters.path()], "")
}

fn ssh_keygen(arguments: &[&str]) -> Vec<u8> {
    let output = std::process::Command::new("ssh-keygen").args(arguments).output();
    let output = output.expect("`ssh-keygen` is on this machine");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn only_for_me(pem: &str) -> File {
    use std::os::unix::fs::PermissionsExt;
    let file = File::of(pem);
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    file
}

/// The private key in OpenSSH's form, and the line of its public half.
fn openssh(pem: &str) -> (Vec<u8>, Vec<u8>) {
    let file = only_for_me(&openssl(&["ec"], pem));
    let public = ssh_keygen(&["-y", "-f", file.path()]);
    ssh_keygen(&["-p", "-q", "-N", "", "-f", file.path()]);
    (std::fs::read(file.path()).unwrap(), public)
}

fn rfc_4716(pem: &str) -> Vec<u8> {
    let file = File::of(openssh(pem).1);
    ssh_keygen(&["-e", "-m", "RFC4716", "-f", file.path()])
}
