//! Secrets that are published, in every encoding.

use std::sync::LazyLock;

use memchr::memmem;

use super::readings::readings;

/// Random-looking secrets from public documentation: jwt.io, Flask, FastAPI, Hasura, tutorials for
/// Spring and ASP.NET, RFC 7515, RFC 7520, and Rocket. They keep their published case, since base64
/// in another case decodes to other bytes.
const PUBLISHED: [&str; 28] = [
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970",
    "413f4428472b4b6250655368566d5970337336763979244226452948404d6351",
    "357638792f423f4428472b4b6250655368566d597133743677397a2443264629",
    "3cfa76ef14937c1c0ea519f8fc057a80fcd04a7420f8e8bcd0a7567c272e007b",
    "5367566b59703373367639792f423f4528482b4d6251655468576d5a71347437",
    "9a4f2c8d3b7a1e6f45c8a0b3f267d8b1d4e6f3c8a9d2b5f8e3a9c8b5f6v8a3d9",
    // RFC 7515 appendix A.1 and RFC 7520 §3.5.
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
    "JWTAuthenticationHIGHsecuredPasswordVVVp1OH7Xzyr",
    "ByYM000OLlMQG6VVVp1OH7Xzyr7gHuw1qvUC5dcGt3SNM",
    "YVBy0OLlMQG6VVVp1OH7Xzyr7gHuw1qvUC5dcGt3SBM",
    "3EK6FD+o0+c7tzBNVfjpMkNDi2yARAAKzQlk8O2IKoxQu4nF7EdAh8s3TwpHwrdWT6R",
    // Rocket's guide.
    "hPRYyVRiMyxpw5sBB1XeCMN1kFsDCqKvBi2QJxBVHQk=",
    "django-insecure-",
    // Hashes of the empty string and of a single line end, which a pipe computes if its first
    // command failed, and of two words.
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
     47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "d41d8cd98f00b204e9800998ecf8427e",
    "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
    "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
    // Examples of AWS and of RFC 9562, and the digits of pi.
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "123e4567-e89b-12d3-a456-426614174000",
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "14159265358979323846264338327950",
];

/// A random secret may contain decoded entries of fewer bytes by chance.
const MIN_DECODED: usize = 16;

/// Each entry in lower case, and its decoded bytes.
static NOTATIONS: LazyLock<Vec<(String, Vec<Vec<u8>>)>> = LazyLock::new(|| {
    PUBLISHED
        .iter()
        .map(|published| {
            let decoded = readings(published.as_bytes())
                .into_iter()
                .skip(1)
                .filter(|bytes| bytes.len() >= MIN_DECODED)
                .collect();
            (published.to_ascii_lowercase(), decoded)
        })
        .collect()
});

/// Whether one of a secret's decodings contains a published secret, in any encoding of either.
pub(super) fn is_published(secret_readings: &[Vec<u8>]) -> bool {
    secret_readings.iter().any(|reading| {
        let lower = reading.to_ascii_lowercase();
        NOTATIONS.iter().any(|(text, decoded)| {
            memmem::find(&lower, text.as_bytes()).is_some()
                || decoded.iter().any(|bytes| memmem::find(reading, bytes).is_some())
        })
    })
}
