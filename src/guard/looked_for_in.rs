//! The guard for a token in a certain place.

use std::marker::PhantomData;

use super::sealed::{Admit, IntoToken};
use super::{policy_wrapper, AccessToken, Admission, Denied, Policy, RequestFree, TokenGuard};
use crate::location::Location;
use crate::token::Token;

/// Lets in what `G` lets in, with the token looked for in `L` only: one of [`Headers`], [`Cookies`],
/// [`QueryString`], [`JsonBody`], or a tuple of them, in that order.
///
/// `In<JsonBody, …>` can succeed only inside [`WithBody`](crate::WithBody), as a request guard cannot
/// read a body: as a request guard it fails the launch.
///
/// # Example
///
/// ```rust
/// # #[macro_use] extern crate rocket;
/// use rocket_jwt_extended::{Cookies, Headers, In};
///
/// #[get("/page")]
/// fn page(token: In<(Cookies, Headers)>) -> String {
///     token.identity().into()
/// }
/// # fn main() {}
/// ```
#[derive(Debug, Clone)]
pub struct In<L, G = AccessToken> {
    inner: G,
    locations: PhantomData<fn() -> L>,
}

impl<L, G> In<L, G> {
    fn around(inner: G) -> Self {
        Self { inner, locations: PhantomData }
    }
}

policy_wrapper!([L: Locations, G: TokenGuard] In<L, G>, G::POLICY.at(L::LOCATIONS));

impl<L: Locations, G: RequestFree> RequestFree for In<L, G> {}

impl<L: Locations, G: RequestFree> IntoToken for In<L, G> {
    fn into_token(self) -> Token<G::Claims> {
        self.inner.into_token()
    }
}

/// The places [`In`] looks into. Sealed: the four places and their tuples implement it.
pub trait Locations: sealed::Sealed + 'static {
    /// The places, in order.
    const LOCATIONS: &'static [Location];
}

mod sealed {
    pub trait Sealed {}
}

/// One place, to be put into tuples.
trait Place {
    const PLACE: Location;
}

macro_rules! place {
    ($($(#[$doc:meta])* $place:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $place;

        impl Place for $place {
            const PLACE: Location = Location::$place;
        }

        impl sealed::Sealed for $place {}

        impl Locations for $place {
            const LOCATIONS: &'static [Location] = &[Self::PLACE];
        }
    )*};
}

place! {
    /// For [`In`]: the header `header_name`.
    Headers;
    /// For [`In`]: the cookie of the token's type.
    Cookies;
    /// For [`In`]: the parameter `query_string_name`.
    QueryString;
    /// For [`In`]: the member of a JSON body, inside [`WithBody`](crate::WithBody).
    JsonBody;
}

macro_rules! places {
    ($($place:ident)*) => {
        impl<$($place: sealed::Sealed),*> sealed::Sealed for ($($place,)*) {}

        #[allow(private_bounds)]
        impl<$($place: Place + sealed::Sealed + 'static),*> Locations for ($($place,)*) {
            const LOCATIONS: &'static [Location] = &[$($place::PLACE),*];
        }
    };
}

places!(A);
places!(A B);
places!(A B C);
places!(A B C D);
