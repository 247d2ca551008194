//! Tokens in cookies.

use rocket::http::{Cookie, CookieJar};
use rocket::time::{Duration, OffsetDateTime};

use crate::config::{KindNames, Settings};
use crate::error::Error;
use crate::jwt::Jwt;
use crate::pair::TokenPair;
use crate::token::TokenType;

/// How long a cookie for a token without end is kept: what browsers cap it at (RFC 6265bis §5.5).
const LONGEST: Duration = Duration::days(400);

/// Sets and unsets the cookies of tokens: by [`Jwt::cookies()`].
///
/// A token's cookie is `HttpOnly`; beside it, unless switched off, goes a cookie with its CSRF value
/// that the page's scripts can read. Both have the configured `Secure`, `SameSite`, path and domain.
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use rocket::http::CookieJar;
/// use rocket_jwt_extended::{Duration, Error, Jwt};
///
/// #[post("/login?<remember>", data = "<name>")]
/// fn login(jwt: &Jwt, jar: &CookieJar<'_>, name: &str, remember: bool) -> Result<(), Error> {
///     let pair = jwt.token_pair(name).fresh().issue()?;
///     let cookies = jwt.cookies(jar);
///     if remember { cookies.max_age(Duration::days(30)).set_pair(&pair) } else { cookies.set_pair(&pair) }
/// }
/// # fn main() {}
/// ```
#[must_use = "cookies are set by `.set_…()` and unset by `.unset_…()`"]
pub struct CookieWriter<'a, 'r> {
    jwt: &'a Jwt,
    jar: &'a CookieJar<'r>,
    max_age: Option<Duration>,
    domain: Option<String>,
}

impl<'a, 'r> CookieWriter<'a, 'r> {
    pub(crate) fn new(jwt: &'a Jwt, jar: &'a CookieJar<'r>) -> Self {
        Self { jwt, jar, max_age: None, domain: None }
    }

    /// How long the browser keeps the cookies, instead of what is configured. Zero is at once.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// The domain the cookies are for, instead of the configured one.
    pub fn domain(mut self, domain: &str) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Sets the cookies of an access token.
    ///
    /// # Errors
    ///
    /// If it is no valid access token, or has no `csrf` claim to go with it. No cookie is set then.
    pub fn set_access(&self, token: &str) -> Result<(), Error> {
        self.set(&[(TokenType::Access, token)])
    }

    /// Sets the cookies of a refresh token.
    ///
    /// # Errors
    ///
    /// If it is no valid refresh token, or has no `csrf` claim to go with it. No cookie is set then.
    pub fn set_refresh(&self, token: &str) -> Result<(), Error> {
        self.set(&[(TokenType::Refresh, token)])
    }

    /// Sets the cookies of both tokens.
    ///
    /// # Errors
    ///
    /// As [`set_access()`](Self::set_access) and [`set_refresh()`](Self::set_refresh): all cookies are
    /// set or none.
    pub fn set_pair(&self, pair: &TokenPair) -> Result<(), Error> {
        self.set(&[
            (TokenType::Access, pair.access_token()),
            (TokenType::Refresh, pair.refresh_token()),
        ])
    }

    /// Unsets the cookies of the access token, whether the request had them or not.
    pub fn unset_access(&self) {
        self.unset_kind(TokenType::Access);
    }

    /// Unsets the cookies of the refresh token, whether the request had them or not.
    pub fn unset_refresh(&self) {
        self.unset_kind(TokenType::Refresh);
    }

    /// Unsets all four cookies.
    pub fn unset(&self) {
        self.unset_access();
        self.unset_refresh();
    }

    fn set(&self, tokens: &[(TokenType, &str)]) -> Result<(), Error> {
        let mut all = Vec::new();
        for (kind, token) in tokens {
            all.extend(cookies(self.jwt, *kind, token, self.max_age, self.domain.as_deref())?);
        }
        all.into_iter().for_each(|cookie| self.jar.add(cookie));
        Ok(())
    }

    /// Written by hand: the jar sends no removal of a cookie that the request did not have, as when
    /// its path is another one.
    fn unset_kind(&self, kind: TokenType) {
        let settings = self.jwt.settings();
        let names = settings.kind(kind);
        for (name, path, http_only) in [
            (&names.cookie_name, &names.cookie_path, true),
            (&names.csrf_cookie_name, &names.csrf_cookie_path, false),
        ] {
            let mut cookie = base(settings, name, "", path, http_only, self.domain.as_deref());
            cookie.set_max_age(Duration::ZERO);
            cookie.set_expires(OffsetDateTime::UNIX_EPOCH);
            self.jar.add(cookie);
        }
    }
}

/// The cookies of a token: its own and, unless switched off, that of its CSRF value.
pub(crate) fn cookies(
    jwt: &Jwt,
    kind: TokenType,
    token: &str,
    max_age: Option<Duration>,
    domain: Option<&str>,
) -> Result<Vec<Cookie<'static>>, Error> {
    let settings = jwt.settings();
    let token = jwt.decode::<crate::NoClaims>(token)?;
    if token.token_type() != kind {
        return Err(Error::Cookie("the token is of the other type than its cookie"));
    }
    let KindNames { cookie_name, cookie_path, csrf_cookie_name, csrf_cookie_path, .. } =
        settings.kind(kind);
    let mut cookies = vec![base(settings, cookie_name, token.encoded(), cookie_path, true, domain)];
    if settings.csrf_protect && settings.csrf_in_cookies {
        let csrf = token.csrf().ok_or(Error::Cookie("the token has no `csrf` claim"))?;
        cookies.push(base(settings, csrf_cookie_name, csrf, csrf_cookie_path, false, domain));
    }

    let now = jwt.now();
    let remaining = || token.expires_at().map_or(LONGEST, |exp| (exp - now).min(LONGEST));
    let max_age = max_age.or_else(|| (!settings.session_cookie).then(remaining));
    if let Some(max_age) = max_age.map(|age| age.max(Duration::ZERO)) {
        for cookie in &mut cookies {
            cookie.set_max_age(max_age);
            cookie.set_expires(now.saturating_add(max_age));
        }
    }
    Ok(cookies)
}

fn base(
    settings: &Settings,
    name: &str,
    value: &str,
    path: &str,
    http_only: bool,
    domain: Option<&str>,
) -> Cookie<'static> {
    let mut cookie = Cookie::build((name.to_string(), value.to_string()))
        .path(path.to_string())
        .http_only(http_only)
        .secure(settings.cookie_secure)
        .same_site(settings.cookie_samesite);
    if let Some(domain) = domain.or(settings.cookie_domain.as_deref()) {
        cookie = cookie.domain(domain.to_string());
    }
    cookie.build()
}
