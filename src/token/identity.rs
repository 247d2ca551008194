//! The identity to which a token is issued.

use std::borrow::Cow;

use uuid::Uuid;

use super::claims::Claims;

/// An identity to which a token can be issued: its text becomes the `sub` claim (RFC 7519 §4.1.2).
///
/// Strings, integers and UUIDs are identities. An application's user type can implement this trait,
/// and add claims.
///
/// # Example
///
/// ```rust
/// use std::borrow::Cow;
/// use rocket_jwt_extended::{Claims, Identity};
///
/// struct User { id: u64, role: String }
///
/// impl Identity for User {
///     fn identity(&self) -> Cow<'_, str> {
///         self.id.to_string().into()
///     }
///
///     fn claims(&self) -> Claims {
///         Claims::from_iter([("role".to_string(), self.role.clone().into())])
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an identity",
    note = "pass a string, an integer or a `Uuid`, or implement `Identity` for the application's user type",
    note = "pass the value inside an `Option`, not the `Option`: a token without an identity cannot be issued"
)]
pub trait Identity {
    /// The identity as text. Issuing a token to an empty identity is an error.
    fn identity(&self) -> Cow<'_, str>;

    /// Claims of every token issued to this identity. They override those of the
    /// [`additional_claims`](crate::JwtFairing::additional_claims) hook, and are overridden by
    /// those of the builder.
    fn claims(&self) -> Claims {
        Claims::new()
    }
}

impl<T: Identity + ?Sized> Identity for &T {
    fn identity(&self) -> Cow<'_, str> {
        (**self).identity()
    }

    fn claims(&self) -> Claims {
        (**self).claims()
    }
}

impl Identity for str {
    fn identity(&self) -> Cow<'_, str> {
        self.into()
    }
}

impl Identity for String {
    fn identity(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

impl Identity for Cow<'_, str> {
    fn identity(&self) -> Cow<'_, str> {
        self.as_ref().into()
    }
}

macro_rules! by_display {
    ($($ty:ty)*) => {$(
        impl Identity for $ty {
            fn identity(&self) -> Cow<'_, str> {
                self.to_string().into()
            }
        }
    )*};
}

by_display!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize Uuid);
