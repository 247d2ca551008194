//! How hard a secret is to guess, judged without a dictionary of passwords.
//!
//! A text that describes a secret (`your-secret-key-change-in-production`) is published in some tutorial
//! or template, or is tried by anybody who has read one. A password meter does not help: it takes ten
//! words of a dictionary for a strong passphrase, and these are ten such words. So the words by which
//! secrets are described are taken away, with everything that repeats or counts up, and what is left
//! must be worth [`MIN_BITS`].

use memchr::memmem;

/// A key of as many random bits is out of reach for anybody who tries keys against a token.
const MIN_BITS: f64 = 80.0;

/// Secrets that look random and are in the documentation of others: of jwt.io, of Flask, of FastAPI, of
/// tutorials of Spring, of RFC 7515, and of Rocket.
const PUBLISHED: [&str; 14] = [
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970",
    "413f4428472b4b6250655368566d5970337336763979244226452948404d6351",
    "357638792f423f4428472b4b6250655368566d597133743677397a2443264629",
    "3cfa76ef14937c1c0ea519f8fc057a80fcd04a7420f8e8bcd0a7567c272e007b",
    // RFC 7515 appendix A.1.
    "aym1sysppbydfgzld3umj1qzkobwvmkoqq-estjqlr_t-1qs0gzh75aktmn3yj0ips4hcguutwjazzr1z9caow",
    "jwtauthenticationhighsecuredpasswordvvvp1oh7xzyr",
    "byym000ollmqg6vvvp1oh7xzyr7ghuw1qvuc5dcgt3snm",
    "3ek6fd+o0+c7tzbnvfjpmkndi2yaraakzqlk8o2ikoxqu4nf7edah8s3twphwrdwt6r",
    "5367566b59703373367639792f423f4528482b4d6251655468576d5a71347437",
    "9a4f2c8d3b7a1e6f45c8a0b3f267d8b1d4e6f3c8a9d2b5f8e3a9c8b5f6v8a3d9",
    // The guide of Rocket.
    "hpryyvrimyxpw5sbb1xecmn1kfsdcqkvbi2qjxbvhqk=",
    "django-insecure-",
];

/// Words by which secrets are described. Those of two letters stand only for themselves; longer ones
/// are found within others, too.
const WORDS: &str = "\
    secret secrets key keys jwt token tokens json web bearer your yours my our mine its super top \
    mega ultra very really quite truly highly this that these those which with without from into \
    and or but not never ever always only just some any other another here there where when then \
    than the for are was has have had will would shall should must may might can could cannot dont \
    doesnt isnt wont change changed changes changeme changethis replace replaced replaceme update \
    updated edit set use used using put enter insert write fill add paste type choose pick create \
    created make made generate generated generator provide define keep kept store save saved read \
    load remember forget please production prod develop developer development dev staging stage \
    test tests tested testing debug local localhost sandbox example examples sample demo default \
    defaults placeholder dummy fake mock temp temporary todo fixme tbd insecure unsafe unsecure \
    secure secured security safe safely strong stronger weak long longer longest short least less \
    more most enough minimum min maximum max character characters char chars letter letters length \
    size bit bits byte bytes digit digits number numbers random randomly value values string text \
    phrase word words name field variable env dotenv environment config configuration setting \
    settings option private public shared share symmetric signing sign signed signature signer \
    verify verifying verification encryption encrypt encrypted decrypt encode encoded decode base64 \
    base64url base hex hash hashed hashing hmac hs256 hs384 hs512 sha256 sha512 sha sha1 sha2 rsa \
    algorithm crypto cryptographic cryptographically entropy salt pepper nonce pass passwd password \
    passwords passphrase auth authn authz authenticate authentication authorization authorize oauth \
    oauth2 oidc login logout account access refresh session sessions cookie cookies csrf api apis \
    app apps application applications server servers service services client backend back end \
    frontend front web website site page project company organization org team corp domain host \
    admin administrator root user users username guest owner master main global system internal \
    first second third one two three four five six seven eight nine ten zero sixty thirty hundred \
    outside inside source code commit committed git github gitlab repository repo docker compose \
    kubernetes container image cloud aws azure gcp heroku vercel netlify supabase firebase hasura \
    postgres postgrest mysql redis mongo database graphql rest laravel symfony django flask fastapi \
    python rails ruby express node nodejs nest nestjs next nextjs nextauth react angular vue svelte \
    spring boot springboot java kotlin dotnet aspnet golang rust rocket actix axum strapi keycloak \
    mercure hub bezkoder traefik gitea grafana airflow superset minio openssl rand uuid hello world \
    foo bar baz qux lorem ipsum dolor sit amet consectetur adipiscing elit quick brown fox jumps \
    jumped over lazy dog abc xyz abcd qwerty qwertz azerty qwertyuiop asdfghjkl zxcvbnm asdf zxcv \
    let letmein welcome iloveyou monkey dragon trustno hunter correct horse battery staple super \
    instead complex complexity simple easy hard guess guessed guessable brute force attack hacker \
    hackers compromised leak leaked know known nobody everybody someone anyone else share sharing \
    important note warning caution attention required require requires needed need needs want \
    valid invalid expire expires expired expiration issuer audience subject claim claims life time \
    data info information thing things stuff something anything whatever blah yes now today year \
    good great best better new old real own kept like such unique same different special symbols \
    least32 in to of is it be as at by on do me we us an if so no up go ok id db ci cd ui vm pk sk";

/// Whether the secret can be guessed.
pub(crate) fn is_guessable(secret: &[u8]) -> bool {
    let lower = secret.to_ascii_lowercase();
    let text = String::from_utf8_lossy(&lower);
    PUBLISHED.iter().any(|published| text.contains(published)) || bits(secret, &lower) < MIN_BITS
}

/// What is left of a secret is worth at most this many bits.
fn bits(secret: &[u8], lower: &[u8]) -> f64 {
    let mut counts = vec![true; secret.len()];
    leave_out_words(lower, &mut counts);
    leave_out_patterns(lower, &mut counts);
    let rest: Vec<u8> =
        secret.iter().zip(&counts).filter(|(_, counts)| **counts).map(|(byte, _)| *byte).collect();
    rest.len() as f64 * alphabet(&rest).log2()
}

fn leave_out_words(lower: &[u8], counts: &mut [bool]) {
    for word in WORDS.split_ascii_whitespace().map(str::as_bytes) {
        for at in memmem::find_iter(lower, word) {
            let end = at + word.len();
            // Short ones are in every random text.
            let stands_alone = || {
                let before = at.checked_sub(1).and_then(|at| lower.get(at));
                [before, lower.get(end)]
                    .into_iter()
                    .flatten()
                    .all(|beside| !beside.is_ascii_alphabetic())
            };
            if word.len() > 2 || stands_alone() {
                counts.iter_mut().take(end).skip(at).for_each(|counts| *counts = false);
            }
        }
    }
}

/// What repeats or counts up or down, and what separates words.
fn leave_out_patterns(lower: &[u8], counts: &mut [bool]) {
    const COPY: usize = 4;
    for (at, byte) in lower.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| lower.get(at));
        let earlier = at.checked_sub(2).and_then(|at| lower.get(at));
        // Steps that go on: `aaa`, `123`, `cba`, and from `9` to `a`.
        let step = |from: u8, to: u8| match (from, to) {
            (b'9', b'a' | b'0') => Some(1),
            (from, to) => Some(i16::from(to) - i16::from(from)).filter(|step| step.abs() <= 1),
        };
        let goes_on = match (earlier, before) {
            (Some(&earlier), Some(&before)) => {
                step(earlier, before).is_some() && step(earlier, before) == step(before, *byte)
            }
            _ => false,
        };
        let separates = byte.is_ascii_whitespace() || b"-_.,:;!?'\"=*#/".contains(byte);
        if (goes_on || separates)
            && let Some(counts) = counts.get_mut(at)
        {
            *counts = false;
        }
    }
    for at in 0..lower.len() {
        let Some(copy) = lower.get(at..at + COPY) else { break };
        let earlier = lower.get(..at + COPY - 1).unwrap_or_default();
        if earlier.windows(COPY).any(|window| window == copy) {
            counts.iter_mut().skip(at).take(COPY).for_each(|counts| *counts = false);
        }
    }
}

/// How many characters there are of the kinds that occur.
fn alphabet(rest: &[u8]) -> f64 {
    if rest.iter().all(u8::is_ascii_hexdigit) {
        return if rest.iter().all(u8::is_ascii_digit) { 10.0 } else { 16.0 };
    }
    let size = |is_of_kind: fn(&u8) -> bool, size: f64| match rest.iter().any(is_of_kind) {
        true => size,
        false => 0.0,
    };
    let sizes = size(u8::is_ascii_lowercase, 26.0)
        + size(u8::is_ascii_uppercase, 26.0)
        + size(u8::is_ascii_digit, 10.0)
        + size(u8::is_ascii_punctuation, 32.0)
        + size(|byte| !byte.is_ascii_graphic(), 160.0);
    sizes.max(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::is_guessable;
    use crate::keys::reference::reference;

    /// Whether a launch outside debug takes it.
    fn is_good(text: &str) -> bool {
        reference(text).is_none() && !is_guessable(text.as_bytes())
    }

    #[test]
    fn a_text_that_describes_a_secret_is_guessable() {
        let texts = [
            // jwt.io, Supabase, Mercure, NestJS, BezKoder, Laravel, Spring, Flask, FastAPI, Django.
            "your-256-bit-secret",
            "a-string-secret-at-least-256-bits-long",
            "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
            "super-secret-jwt-token-with-at-least-32-characters-long",
            "!ChangeThisMercureHubJWTSecretKey!",
            "DO NOT USE THIS VALUE. INSTEAD, CREATE A COMPLEX SECRET AND KEEP IT SAFE OUTSIDE OF THE SOURCE CODE.",
            "======================BezKoder=Spring===========================",
            "your-super-secret-jwt-key-change-this-in-production",
            "your-secret-key-here-change-in-production",
            "your_jwt_secret_key_here_make_it_long_and_random",
            "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
            "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
            "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
            "django-insecure-8k2^z0w)q1@v7x%n5c3b!m6l9k4j2h1g0f8d7s5a",
            // Templates of compose files and of `.env`.
            "change_me_to_a_very_long_random_string",
            "changeme_changeme_changeme_changeme",
            "replace-this-with-a-secure-random-string-of-64-characters",
            "please-change-this-secret-before-deploying-to-production",
            "mysupersecretjwtkeythatisatleast32characterslong",
            "ThisIsASecretKeyForJWTAuthenticationDoNotShare",
            "my-app-development-secret-key-not-for-production",
            "JWT_SECRET_FOR_LOCAL_DEVELOPMENT_ONLY_1234567890",
            "example-secret-key-that-is-long-enough-for-hs256",
            "test-secret-test-secret-test-secret-test",
            "secretsecretsecretsecretsecretsecret",
            "this is my super secret key for signing tokens",
            "insecure-default-key-for-testing-purposes-only!!",
            "generate_a_random_string_with_openssl_rand_-hex_32",
            // Patterns.
            "0123456789abcdef0123456789abcdef",
            "abcdefghijklmnopqrstuvwxyz123456",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "12345678901234567890123456789012",
            "deadbeefdeadbeefdeadbeefdeadbeef",
            "qwertyuiopasdfghjklzxcvbnm123456",
            "00000000000000000000000000000000",
            "passwordpasswordpasswordpassword1234",
            "thequickbrownfoxjumpsoverthelazydog",
        ];
        let strong: Vec<_> =
            texts.into_iter().filter(|text| !is_guessable(text.as_bytes())).collect();
        assert!(strong.is_empty(), "{strong:#?}");
        assert!(is_guessable(&[0; 64]));
        assert!(is_guessable(&(0..=63).collect::<Vec<u8>>()));
    }

    #[test]
    fn a_text_that_points_to_a_secret_is_none() {
        let texts = [
            "/run/secrets/production-jwt-secret-key",
            "/run/secrets/jwt",
            "/etc/ssl/private/jwt_secret",
            "/srv/app/KEY",
            "/home/ada/jwt",
            "/Users/Ada/Documents/jwtSecret",
            "./secrets/jwt",
            "../jwt-secret",
            "~/jwt/secret",
            "~ada/secret",
            "C:\\secrets\\jwt.txt",
            "d:/secrets/jwt",
            "\\\\share\\secrets\\jwt",
            "file:///run/secrets/jwt",
            "file:secret.txt",
            "secrets/jwt-production",
            "config/jwt",
            "jwt-production-signing.key",
            "https://vault.example.test/v1/secret/jwt",
            "s3://bucket/jwt-secret",
            "vault:secret/data/jwt#key",
            "env:JWT_SECRET",
            "op://vault/item/jwt-secret",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:jwt-AbCdEf",
            "projects/my-project/secrets/jwt/versions/latest",
            "ref+awsssm://jwt/secret",
            "sops:jwt",
            "!vault |",
            "$ANSIBLE_VAULT;1.1;AES256",
            "@Microsoft.KeyVault(SecretUri=https://x.vault.azure.net/secrets/jwt)",
            "${JWT_SECRET}",
            "${JWT_SECRET:-default}",
            "prefix-${jwt.secret}-suffix",
            "$JWT_SECRET",
            "$jwtSecret",
            "$(cat /run/secrets/jwt)",
            "{{ secret }}",
            "{{ .Values.jwt.secret }}",
            "{{ vault('jwt') }}",
            "#{jwtSecret}",
            "%JWT_SECRET%",
            "%{JWT_SECRET}",
            "<secret>",
            "<your secret of at least 32 characters>",
            "<%= ENV['JWT_SECRET'] %>",
            "ENC[AES256_GCM,data:abc,iv:def,tag:ghi,type:str]",
            "ENC(G6N718UuyPE5bHyWKyuLQSm02auQPUtm)",
            "__JWT_SECRET__",
            "process.env.JWT_SECRET",
            "PRODUCTION_JWT_SIGNING_SECRET_KEY",
            "base64:c29tZSByYW5kb20gYnl0ZXMgb2Ygc29tZSBsZW5ndGg=",
            "hex:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
            "\"/run/secrets/jwt\"",
        ];
        let missed: Vec<_> = texts.into_iter().filter(|text| reference(text).is_none()).collect();
        assert!(missed.is_empty(), "{missed:#?}");
    }

    /// Words as dice choose them, of three to nine letters.
    const DICE: &str = "abacus abdomen ability ablaze abrasive absurd acorn acrobat action acutely \
        aground airtight alarm almanac amber ambush amulet anchor anvil apricot aqueduct arbor \
        armchair artisan aspirin atlas auburn avenue awning backlit badger bagpipe balcony bamboo \
        banjo barley basil bathtub beacon bedrock begonia bellhop bicycle bison blimp bobsled bonsai \
        botany boxcar brisket broth bubble buckle bugle bunkbed cabbage cactus calcium camel candle \
        canoe carbon carousel cashew catfish celery cement chalk cheddar chimney chowder cinema \
        citrus clammy clarinet clover cobalt cobweb coconut comet condor copper coral cosmos cowboy \
        coyote cradle crayon cricket crouton crumpet cubicle cupcake cymbal dagger daisy dandruff";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(700))]

        /// Fifteen of each case, so over ten thousand in all.
        #[test]
        fn random_secrets_are_good(
            bytes in any::<[u8; 64]>().no_shrink(),
            words in prop::sample::subsequence(DICE.split_ascii_whitespace().collect::<Vec<_>>(), 8)
                .no_shrink(),
        ) {
            use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
            use base64::Engine;
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let uuid = uuid::Uuid::from_bytes(bytes[..16].try_into().unwrap());
            // As `pwgen` and password managers make them.
            let printable: String = bytes.iter().map(|byte| char::from(33 + byte % 94)).collect();
            for text in [
                STANDARD.encode(&bytes[..32]),
                STANDARD.encode(bytes),
                STANDARD_NO_PAD.encode(&bytes[..24]),
                format!("/{}", STANDARD.encode(&bytes[..32])),
                URL_SAFE_NO_PAD.encode(&bytes[..32]),
                hex[..32].to_string(),
                hex[..64].to_uppercase(),
                hex.clone(),
                uuid.to_string(),
                format!("{{{uuid}}}"),
                uuid.simple().to_string(),
                printable[..40].to_string(),
                words.join(" "),
                words.join("-"),
                words.concat(),
            ] {
                prop_assert!(is_good(&text), "{}", text);
            }
            prop_assert!(!is_guessable(&bytes[..32]), "{:?}", bytes);
        }
    }
}
