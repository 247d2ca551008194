//! The registered claims of a payload, in one list.

use super::slot::Slot;

/// Declares the claims that this crate interprets: those of RFC 7519 §4.1, OIDC's `sid`, and the
/// three for token types, freshness and CSRF double submit. The most frequent ones come first,
/// since names are compared in this order.
macro_rules! registered_claims {
    ($($field:ident: $name:literal,)*) => {
        /// The names of all registered claims.
        pub(crate) const REGISTERED: &[&str] = &[$($name),*];

        /// The claims that the checks read.
        #[derive(Debug, Default)]
        pub(crate) struct Slots<'a> {
            $(pub(crate) $field: Slot<'a>,)*
            /// The claim that `identity_claim` names, unless that is `sub`.
            pub(super) identity: Option<Slot<'a>>,
        }

        impl<'a> Slots<'a> {
            /// The slot of the claim with that name, if the checks read it.
            pub(super) fn slot(&mut self, name: &str, identity_claim: &str) -> Option<&mut Slot<'a>> {
                Some(match name {
                    $($name => &mut self.$field,)*
                    other if other == identity_claim => self.identity.get_or_insert_default(),
                    _ => return None,
                })
            }
        }
    };
}

registered_claims! {
    sub: "sub",
    exp: "exp",
    iat: "iat",
    nbf: "nbf",
    jti: "jti",
    sid: "sid",
    csrf: "csrf",
    kind: "type",
    fresh: "fresh",
    iss: "iss",
    aud: "aud",
}

impl Slots<'_> {
    /// Called after the payload was read. If `identity_claim` names another claim, the identity is
    /// never taken from `sub`.
    pub(super) fn complete(&mut self, identity_claim: &str) {
        if identity_claim != "sub" {
            self.identity.get_or_insert_default();
        }
    }
}
