//! Reports settings for this crate that are in a place where they are not read. Otherwise a check
//! that the operator relies on would silently be missing.

use rocket::Config as RocketConfig;
use rocket::figment::value::{Dict, Value};
use rocket::figment::{Figment, Profile};

use super::names;
use super::read::Config;
use super::report::{Origin, Report, variable};

/// The table of this crate.
const TABLE: &str = "jwt";

/// Keys outside the table that an application or Rocket may use.
const OF_ANYBODY: &[&str] = &[
    "algorithm",
    "secret_key",
    "secret_key_file",
    "private_key",
    "public_key",
    "header_name",
    "header_type",
    "cookie_domain",
    "cookie_secure",
    "cookie_samesite",
    "session_cookie",
    "json_key",
];

/// Reports such keys in all profiles, and unknown keys in the table itself.
pub(super) fn check(config: &Config, figment: &Figment, report: &mut Report) {
    for (key, value) in &config.unknown {
        report.fault(&Origin::of(figment, value, key), unknown(figment, key, value));
    }
    // A provider that cannot be read has been reported as an error.
    let Ok(profiles) = rocket::figment::Provider::data(figment) else { return };
    for (profile, table) in &profiles {
        if figment.profile() != profile && is_meant_as_table(profile, table) {
            report.fault(
                &Origin::at(figment, table.values().next(), &format!("[{profile}]")),
                format_args!("is read as a profile; did you mean `[default.{TABLE}]`?"),
            );
            continue;
        }
        for (key, value) in table {
            match key == TABLE {
                true if !is_read(figment, profile) => {
                    unselected(figment, profile, value, &profiles, report);
                }
                true => (),
                false => stray_key(figment, profile, key, value, report),
            }
        }
    }
}

/// Whether a profile is this crate's table by mistake: Rocket reads a top-level table as a profile,
/// even if its whole name is in quotes.
fn is_meant_as_table(profile: &Profile, table: &Dict) -> bool {
    let name = profile.as_str().as_str().to_ascii_lowercase();
    let has_our_name = name.split(['.', '_', '-']).any(|word| word == TABLE);
    name == TABLE || (has_setting(table) && (has_our_name || is_slip_of_table(&name)))
}

/// The text about an unknown key.
fn unknown(figment: &Figment, key: &str, value: &Value) -> String {
    let is_profile =
        figment.profiles().any(|profile| profile == key) || ["debug", "release"].contains(&key);
    match value {
        Value::Dict(..) if is_profile => {
            format!("is no setting of JWT: the profile comes first, as in `[{key}.jwt]`")
        }
        Value::Dict(_, table) => nested(figment, key, value, table),
        _ => format!("is no setting of JWT: {}", names::advice(key)),
    }
}

/// The text about a table within the table.
fn nested(figment: &Figment, key: &str, value: &Value, table: &Dict) -> String {
    let profile = value.tag().profile().unwrap_or_else(|| figment.profile().clone());
    let group = key.strip_suffix('s').unwrap_or(key);
    let mut meant: Vec<_> = table
        .keys()
        .filter_map(|name| names::meant(&format!("{group}_{name}")).or_else(|| names::meant(name)))
        .map(|name| format!("`{name}`"))
        .collect();
    meant.dedup();
    let such = match meant.as_slice() {
        [] => String::new(),
        meant => format!(", such as {}", meant.join(" and ")),
    };
    format!(
        "is a table, and settings of JWT have none below them: write each in \
         `[{profile}.{TABLE}]` itself{such}"
    )
}

/// Reports a key outside the table.
fn stray_key(figment: &Figment, profile: &Profile, key: &str, value: &Value, report: &mut Report) {
    let name = key.to_ascii_lowercase().replace(['-', ' '], "_");
    let name = name.trim_matches('_');
    let name = name.strip_prefix("rocket_").unwrap_or(name);
    let path = match value {
        Value::Dict(..) => format!("[{profile}.{key}]"),
        _ => format!("{profile}.{key}"),
    };
    let origin = Origin::at(figment, Some(value), &path);
    let is_prefixed = name.starts_with("jwt_");
    match value {
        _ if is_table_of_profile(figment, name) => {
            report.fault(&origin, of_profile(figment, profile, name, value));
        }
        Value::Dict(..) if name == TABLE || is_prefixed => {
            report.fault(&origin, format_args!("is not read: write `[{profile}.{TABLE}]`"));
        }
        Value::Dict(_, table) if is_slip_of_table(name) && has_setting(table) => {
            report.warn(
                &origin,
                format_args!("is not read by JWT; did you mean `[{profile}.{TABLE}]`?"),
            );
        }
        _ if name == TABLE => {
            report.fault(
                &origin,
                format_args!("is not read: write its settings in the table `[{profile}.{TABLE}]`"),
            );
        }
        _ if Config::KEYS.contains(&key) && !OF_ANYBODY.contains(&key) => {
            report.warn(
                &origin,
                format_args!(
                    "is not read by JWT; if it is meant to be, {}",
                    cure(figment, profile, key, value)
                ),
            );
        }
        _ if is_prefixed => {
            report.fault(
                &origin,
                format_args!("is not read: {}", cure(figment, profile, key, value)),
            );
        }
        _ => (),
    }
}

/// Whether a name joins a profile's and the table's name, as in the variable `ROCKET_RELEASE_JWT`.
fn is_table_of_profile(figment: &Figment, name: &str) -> bool {
    const PROFILES: [&str; 8] =
        ["default", "global", "debug", "release", "production", "staging", "prod", "dev"];
    let profile = |name: &str| {
        PROFILES.contains(&name)
            || figment.profiles().any(|profile| profile == name)
            || figment.profile() == name
    };
    let parts = [name.strip_suffix("jwt"), name.strip_prefix("jwt")];
    parts.into_iter().flatten().any(|rest| {
        let rest = rest.trim_matches(['_', '.']);
        !rest.is_empty() && profile(rest)
    })
}

/// The text about such a name.
fn of_profile(figment: &Figment, profile: &Profile, name: &str, value: &Value) -> String {
    let named = name.strip_suffix(TABLE).or_else(|| name.strip_prefix(TABLE)).unwrap_or(name);
    let named = named.trim_matches(['_', '.']);
    match variable(figment, value, TABLE) {
        Some(table) => format!(
            "is not read: a variable has no profile, and its table applies to all profiles; write \
             {table}='{{key=\"value\"}}', or `[{named}.{TABLE}]` in a file"
        ),
        None if *profile == named => format!("is not read: write `[{profile}.{TABLE}]`"),
        None => format!("is not read: write `[{named}.{TABLE}]`"),
    }
}

/// The place to which a setting outside the table belongs.
fn cure(figment: &Figment, profile: &Profile, key: &str, value: &Value) -> String {
    let meant = names::meant(key);
    let Some(table) = variable(figment, value, TABLE) else {
        return match meant {
            Some(meant) => format!("write `{meant}` in the table `[{profile}.{TABLE}]`"),
            None => {
                format!("settings are in the table `[{profile}.{TABLE}]`; {}", names::advice(key))
            }
        };
    };
    let written = variable(figment, value, key).unwrap_or_default();
    match meant.and_then(|meant| Some((meant, Config::example(meant)?))) {
        Some((meant, example)) => format!(
            "the variable `{written}` is not part of the table; write \
             {table}='{{{meant}={example}}}'"
        ),
        None => format!(
            "the variable `{written}` is not part of the table; write \
             {table}='{{key=\"value\"}}'; {}",
            names::advice(key)
        ),
    }
}

/// Whether a name is this crate's table name with one wrong letter. Names of keys (RFC 7517) and of
/// other token forms do not count.
fn is_slip_of_table(name: &str) -> bool {
    names::is_slip_of(name, TABLE) && !["jwk", "jws", "jwe"].contains(&name)
}

/// Whether a table contains a key of this crate, so that it is probably meant for it.
fn has_setting(table: &Dict) -> bool {
    table.keys().any(|key| Config::KEYS.contains(&key.as_str()))
}

fn is_read(figment: &Figment, profile: &Profile) -> bool {
    [figment.profile(), &Profile::Default, &Profile::Global].contains(&profile)
}

/// Reports a table of a profile that is not selected, unless this looks intended, as it usually is.
fn unselected(
    figment: &Figment,
    profile: &Profile,
    value: &Value,
    profiles: &rocket::figment::value::Map<Profile, Dict>,
    report: &mut Report,
) {
    let selected = figment.profile();
    let has_table =
        |profile: &Profile| profiles.get(profile).is_some_and(|table| table.contains_key(TABLE));
    let origin = Origin::at(figment, Some(value), &format!("[{profile}.{TABLE}]"));
    let rockets = [
        Profile::Default,
        Profile::Global,
        RocketConfig::DEBUG_PROFILE,
        RocketConfig::RELEASE_PROFILE,
    ];
    let slip = [selected]
        .into_iter()
        .filter(|selected| !has_table(selected))
        .chain(rockets.iter().filter(|_| !rockets.contains(profile)))
        .find(|other| names::is_slip_of(profile.as_str().as_str(), other.as_str().as_str()));
    if let Some(meant) = slip {
        report.warn(
            &origin,
            format_args!(
                "is not read, as the profile is `{selected}`; did you mean `[{meant}.{TABLE}]`?"
            ),
        );
        return;
    }
    // Production settings that are not read, while the selected profile has no table. A secret in
    // `ROCKET_JWT` does not replace them.
    let debug = RocketConfig::DEBUG_PROFILE;
    if *selected != debug && *profile != debug && !has_table(selected) {
        report.warn(
            &origin,
            format_args!(
                "is not read, as the profile is `{selected}`, which has no such table; write \
                 `[{selected}.{TABLE}]`, or set `ROCKET_PROFILE={profile}`"
            ),
        );
    }
}
