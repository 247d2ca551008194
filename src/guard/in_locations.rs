//! The guard for a token in certain locations.

use super::access::AccessToken;
use super::admit::{Admission, Admit, IntoToken, RequestFree, TokenGuard};
use super::macros::policy_wrapper;
use crate::reason::Reason;
use crate::token::Token;
use crate::token::location::Location;
use crate::verify::policy::Policy;

policy_wrapper! {
    /// Accepts what `G` accepts, but looks for the token only in `L`: one of [`Headers`],
    /// [`Cookies`], [`QueryString`], [`JsonBody`], or a tuple of them, in that order.
    ///
    /// `In<JsonBody, …>` works only inside [`WithBody`](crate::WithBody), because a request guard
    /// cannot read a body. As a request guard it fails the launch.
    ///
    /// # Example
    ///
    /// ```rust
    /// # use rocket::get;
    /// use rocket_jwt_extended::{Cookies, Headers, In};
    ///
    /// #[get("/page")]
    /// fn page(token: In<(Cookies, Headers)>) -> String {
    ///     token.identity().into()
    /// }
    /// # fn main() {}
    /// ```
    [L: Locations] In<G = AccessToken>, G::POLICY.at(L::LOCATIONS)
}

/// The locations in which [`In`] looks. Sealed: it is implemented for the four locations and their
/// tuples.
pub trait Locations: sealed::Sealed + 'static {
    /// The locations, in order.
    const LOCATIONS: &'static [Location];
}

mod sealed {
    pub trait Sealed {}
}

/// One location, an element of the tuples.
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
