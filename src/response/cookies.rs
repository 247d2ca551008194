//! Tokens in cookies.

use rocket::http::{Cookie, CookieJar};
use rocket::time::{Duration, OffsetDateTime};

use super::scopes::CARRIER;
use super::scopes::scope::Scope;
use crate::config::browser_rules::{MAX_PAIR, domain_flaw};
use crate::error::Error;
use crate::issue::pair::TokenPair;
use crate::issue::spec::Signed;
use crate::jwt::Jwt;
use crate::reason::Reason;
use crate::settings::{Settings, TokenNames};
use crate::token::claims::NoClaims;
use crate::token::kind::TokenType;

/// The `Max-Age` of the cookie of a token that never expires: the longest that browsers accept (RFC
/// 6265bis §5.5).
const LONGEST: Duration = Duration::days(400);

impl Jwt {
    /// Returns a writer that sets and unsets tokens in cookies.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::post;
    /// use rocket::http::CookieJar;
    /// use rocket_jwt_extended::{Error, Jwt};
    ///
    /// #[post("/login", data = "<name>")]
    /// fn login(jwt: &Jwt, jar: &CookieJar<'_>, name: &str) -> Result<(), Error> {
    ///     let pair = jwt.token_pair(name).fresh().issue()?;
    ///     jwt.cookies(jar).set_pair(&pair)
    /// }
    ///
    /// #[post("/logout")]
    /// fn logout(jwt: &Jwt, jar: &CookieJar<'_>) {
    ///     jwt.cookies(jar).unset();
    /// }
    /// # fn main() {}
    /// ```
    pub fn cookies<'a, 'r>(&'a self, jar: &'a CookieJar<'r>) -> CookieWriter<'a, 'r> {
        CookieWriter { jwt: self, jar, max_age: None, domain: None, also_unset: Ok(Vec::new()) }
    }
}

/// Sets and unsets the cookies of tokens; made with [`Jwt::cookies()`].
///
/// A token's cookie is `HttpOnly`. Unless switched off, a second cookie contains the token's CSRF
/// value, which the page's scripts can read. Both have the configured `Secure`, `SameSite`, path
/// and domain. They are session cookies, which browsers remove when they are closed, unless
/// `session_cookie` is `false`.
///
/// The response that sets or unsets them also clears other scopes in which a browser may have a
/// cookie of the same name: the host alone if a domain is configured, the path `/` if another path
/// is configured, and, if the request had one of these cookies, the domains above its host.
///
/// # Example
///
/// ```rust
/// # use rocket::post;
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
#[must_use = "`.set_…()` sets cookies and `.unset_…()` unsets them"]
pub struct CookieWriter<'a, 'r> {
    jwt: &'a Jwt,
    jar: &'a CookieJar<'r>,
    max_age: Option<Duration>,
    domain: Option<String>,
    /// The scopes, or the reason why they are invalid.
    also_unset: Result<Vec<Scope>, &'static str>,
}

impl<'a, 'r> CookieWriter<'a, 'r> {
    /// How long the browser keeps the cookies, instead of the configured time. Zero removes them
    /// immediately. An implicit refresh sets the configured time again.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// The domain of the cookies, instead of the configured one. If browsers would ignore the
    /// domain, setting the cookies fails with an error, and unsetting them logs an error and uses
    /// the configured domain. An implicit refresh uses the configured domain.
    pub fn domain(mut self, domain: &str) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Also clears the cookies in this domain and path, where an earlier configuration may have set
    /// them. `None` stands for the host alone. Each call adds a scope.
    ///
    /// `/`, the domains above the request's host, and the host alone are cleared without this call.
    /// Browsers only accept a removal for the request's host and the domains above it.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::post;
    /// use rocket::http::CookieJar;
    /// use rocket_jwt_extended::{Error, Jwt};
    ///
    /// #[post("/login", data = "<name>")]
    /// fn login(jwt: &Jwt, jar: &CookieJar<'_>, name: &str) -> Result<(), Error> {
    ///     let pair = jwt.token_pair(name).fresh().issue()?;
    ///     // Until last month these cookies had the path `/app`.
    ///     jwt.cookies(jar).also_unset(None, "/app").set_pair(&pair)
    /// }
    /// # fn main() {}
    /// ```
    pub fn also_unset<'d>(mut self, domain: impl Into<Option<&'d str>>, path: &str) -> Self {
        if let Ok(scopes) = &mut self.also_unset {
            match Scope::new(domain.into(), path) {
                Some(scope) => scopes.push(scope),
                None => self.also_unset = Err(BAD_SCOPE),
            }
        }
        self
    }

    /// Sets the cookies of an access token.
    ///
    /// # Errors
    ///
    /// If the token is not a valid access token, has no `csrf` claim, or browsers would not keep
    /// its cookie. In these cases no cookie is set.
    pub fn set_access(&self, token: &str) -> Result<(), Error> {
        self.set_text(TokenType::Access, token)
    }

    /// Sets the cookies of a refresh token.
    ///
    /// # Errors
    ///
    /// If the token is not a valid refresh token, has no `csrf` claim, or browsers would not keep
    /// its cookie. In these cases no cookie is set.
    pub fn set_refresh(&self, token: &str) -> Result<(), Error> {
        self.set_text(TokenType::Refresh, token)
    }

    /// Sets the cookies of both tokens.
    ///
    /// # Errors
    ///
    /// If a token of the pair has expired, or browsers would not keep its cookie. In these cases no
    /// cookie is set.
    pub fn set_pair(&self, pair: &TokenPair) -> Result<(), Error> {
        let [access, refresh] = pair.signed();
        let mut all = self.cookies(&CookieToken::of(access))?;
        all.extend(self.cookies(&CookieToken::of(refresh))?);
        self.add(all)
    }

    /// Unsets the cookies of the access token, even if the request does not have them.
    pub fn unset_access(&self) {
        self.unset_type(TokenType::Access);
    }

    /// Unsets the cookies of the refresh token, even if the request does not have them.
    pub fn unset_refresh(&self) {
        self.unset_type(TokenType::Refresh);
    }

    /// Unsets all four cookies.
    pub fn unset(&self) {
        self.unset_access();
        self.unset_refresh();
    }

    fn set_text(&self, token_type: TokenType, token: &str) -> Result<(), Error> {
        let token = self.jwt.decode::<NoClaims>(token)?;
        if token.token_type() != token_type {
            return Err(Error::Cookie("the token is of the other type than its cookie"));
        }
        let token = CookieToken {
            token_type,
            encoded: token.encoded(),
            csrf: token.csrf(),
            expires_at: token.expires_at(),
        };
        self.add(self.cookies(&token)?)
    }

    fn cookies(&self, token: &CookieToken<'_>) -> Result<Vec<Cookie<'static>>, Error> {
        if self.domain.as_deref().is_some_and(|domain| domain_flaw(domain).is_some()) {
            return Err(Error::Cookie(BAD_DOMAIN));
        }
        cookies(self.jwt, token, self.max_age, self.domain.as_deref())
    }

    fn add(&self, cookies: Vec<Cookie<'static>>) -> Result<(), Error> {
        match &self.also_unset {
            Ok(scopes) => self.carry(scopes),
            Err(text) => return Err(Error::Cookie(text)),
        }
        cookies.into_iter().for_each(|cookie| self.jar.add(cookie));
        Ok(())
    }

    /// Passes the scopes to the response. The jar is the only channel for this; the fairing removes
    /// this cookie from the response again.
    fn carry(&self, scopes: &[Scope]) {
        if scopes.is_empty() {
            return;
        }
        let earlier = self.jar.get_pending(CARRIER).map(|cookie| cookie.value().to_string());
        let all = earlier.into_iter().chain([Scope::join(scopes)]).collect::<Vec<_>>().join("\n");
        self.jar.add((CARRIER, all));
    }

    /// Adds an expired cookie. The jar's own removal sends nothing for a cookie that the request
    /// does not have, for example because its path is another one.
    fn unset_type(&self, token_type: TokenType) {
        match &self.also_unset {
            Ok(scopes) => self.carry(scopes),
            Err(text) => log::error!("JWT: {text}"),
        }
        let domain = self.domain.as_deref().filter(|domain| {
            let is_legal = domain_flaw(domain).is_none();
            if !is_legal {
                log::error!("JWT: {BAD_DOMAIN}");
            }
            is_legal
        });
        let settings = self.jwt.settings();
        let names = settings.names(token_type);
        for (name, path, http_only) in [
            (&names.cookie_name, &names.cookie_path, true),
            (&names.csrf_cookie_name, &names.csrf_cookie_path, false),
        ] {
            let domain = domain.filter(|_| !is_for_the_host(name));
            let mut cookie = build_cookie(settings, name, "", path, http_only, domain);
            cookie.set_max_age(Duration::ZERO);
            cookie.set_expires(OffsetDateTime::UNIX_EPOCH);
            self.jar.add(cookie);
        }
    }
}

/// A valid token of this server, with the data that its cookies need.
pub(crate) struct CookieToken<'a> {
    token_type: TokenType,
    encoded: &'a str,
    csrf: Option<&'a str>,
    expires_at: Option<OffsetDateTime>,
}

impl<'a> CookieToken<'a> {
    /// A token that was just signed.
    pub(crate) fn of(signed: &'a Signed) -> Self {
        Self {
            token_type: signed.token_type,
            encoded: &signed.encoded,
            csrf: signed.csrf.as_deref(),
            expires_at: signed.expires_at,
        }
    }
}

/// The cookies of a token: the token's own and, unless switched off, the one with its CSRF value.
pub(crate) fn cookies(
    jwt: &Jwt,
    token: &CookieToken<'_>,
    max_age: Option<Duration>,
    domain: Option<&str>,
) -> Result<Vec<Cookie<'static>>, Error> {
    let settings = jwt.settings();
    let now = jwt.now();
    let leeway = settings.decode_leeway;
    if token.expires_at.is_some_and(|exp| exp.saturating_add(leeway) <= now) {
        return Err(Error::Rejected(jwt.reject(Reason::Expired.into())));
    }
    let TokenNames { cookie_name, cookie_path, csrf_cookie_name, csrf_cookie_path, .. } =
        settings.names(token.token_type);
    let mut cookies =
        vec![build_cookie(settings, cookie_name, token.encoded, cookie_path, true, domain)];
    if settings.cookie_csrf_protect && settings.csrf_in_cookies {
        let csrf = token.csrf.ok_or(Error::Cookie("the token has no `csrf` claim"))?;
        let path = csrf_cookie_path;
        cookies.push(build_cookie(settings, csrf_cookie_name, csrf, path, false, domain));
    }

    check_kept(&cookies, token.token_type, domain)?;

    let remaining = || token.expires_at.map_or(LONGEST, |exp| (exp - now).min(LONGEST));
    let max_age = max_age.or_else(|| (!settings.session_cookie).then(remaining));
    if let Some(max_age) = max_age.map(|age| age.max(Duration::ZERO)) {
        for cookie in &mut cookies {
            cookie.set_max_age(max_age);
            cookie.set_expires(now.saturating_add(max_age));
        }
    }
    Ok(cookies)
}

const BAD_DOMAIN: &str =
    "`.domain()` needs a domain name of at least two labels, since browsers ignore any other";
const BAD_SCOPE: &str = "`.also_unset()` needs a domain name and a path that begins with `/`";

/// Whether the name is for a cookie without a domain: browsers refuse it with one (RFC 6265bis
/// §4.1.3.2).
fn is_for_the_host(name: &str) -> bool {
    name.to_ascii_lowercase().starts_with("__host-")
}

/// Checks that browsers will keep the cookies: they drop invalid ones without an error.
fn check_kept(
    cookies: &[Cookie<'_>],
    token_type: TokenType,
    domain: Option<&str>,
) -> Result<(), Error> {
    for cookie in cookies {
        // The cookie as it is sent, including its equals sign.
        if cookie.stripped().encoded().to_string().len() > MAX_PAIR + 1 {
            return Err(Error::Cookie(match token_type {
                TokenType::Refresh => {
                    "the refresh token's cookie would have more than 4096 bytes of name and value, \
                     which browsers drop: put less into its claims, or send it otherwise"
                }
                _ => {
                    "the access token's cookie would have more than 4096 bytes of name and value, \
                     which browsers drop: put less into its claims, or send it otherwise"
                }
            }));
        }
        if domain.is_some() && is_for_the_host(cookie.name()) {
            return Err(Error::Cookie(
                "browsers drop a cookie with a domain whose name begins with `__Host-`",
            ));
        }
    }
    Ok(())
}

fn build_cookie(
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
