//! The code that guards share. A file that uses one of these macros imports the names that it
//! needs.

/// Implements `FromRequest` and `Sentinel` for a guard.
macro_rules! request_guard {
    ([$($generics:tt)*] $guard:ty) => {
        #[rocket::async_trait]
        impl<'r, $($generics)*> rocket::request::FromRequest<'r> for $guard {
            type Error = $crate::rejection::Rejection;

            async fn from_request(
                request: &'r rocket::Request<'_>,
            ) -> rocket::request::Outcome<Self, Self::Error> {
                $crate::guard::run::from_request(request).await
            }
        }

        impl<$($generics)*> rocket::Sentinel for $guard {
            fn abort(rocket: &rocket::Rocket<rocket::Ignite>) -> bool {
                $crate::guard::sentinel::aborts::<Self>(rocket)
            }
        }
    };
}

/// Implements one of the three guards that contain a token.
macro_rules! token_guard {
    ($guard:ident, $policy:expr) => {
        impl<C: CustomClaims> TokenGuard for $guard<C> {
            type Claims = C;

            const POLICY: Policy = $policy;

            fn token(&self) -> &Token<C> {
                &self.0
            }
        }

        impl<C: CustomClaims> RequestFree for $guard<C> {}

        impl<C: CustomClaims> IntoToken for $guard<C> {
            fn into_token(self) -> Token<C> {
                self.0
            }
        }

        impl<C: CustomClaims> Admit for $guard<C> {
            async fn admit(admission: Admission<'_, '_>) -> Result<Self, Reason> {
                let Admission { verified, location, blocklist_asked, .. } = admission;
                let token = Token::with_claims(verified.read()?, verified, location);
                Ok(Self(token.with_blocklist_asked(blocklist_asked)))
            }

            fn permits(&self) -> bool {
                true
            }
        }

        impl<C> $guard<C> {
            /// The token itself.
            pub fn into_inner(self) -> Token<C> {
                self.0
            }
        }

        impl<C> std::ops::Deref for $guard<C> {
            type Target = Token<C>;

            fn deref(&self) -> &Token<C> {
                &self.0
            }
        }

        $crate::guard::macros::request_guard!([C: CustomClaims] $guard<C>);
    };
}

/// Implements the methods, `Deref` and request guard of a wrapper; `$inner` is its field.
macro_rules! wrapper {
    ([$($generics:tt)*] $guard:ty, $inner:ident: $G:ident) => {
        impl<$($generics)*> $guard {
            /// The guard inside.
            pub fn into_inner(self) -> $G {
                self.$inner
            }
        }

        impl<$($generics)*> std::ops::Deref for $guard {
            type Target = $G;

            fn deref(&self) -> &$G {
                &self.$inner
            }
        }

        $crate::guard::macros::request_guard!([$($generics)*] $guard);
    };
}

/// Declares a wrapper that only changes the policy. Parameters beside `G` are only markers.
macro_rules! policy_wrapper {
    (
        $(#[$doc:meta])*
        $([$marker:ident: $bound:ident])? $guard:ident<G $(= $default:ty)?>, $change:expr
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $guard<$($marker,)? G $(= $default)?> {
            inner: G,
            $(marker: std::marker::PhantomData<fn() -> $marker>,)?
        }

        impl<$($marker: $bound,)? G: TokenGuard> TokenGuard for $guard<$($marker,)? G> {
            type Claims = G::Claims;

            const POLICY: Policy = $change;

            fn token(&self) -> &Token<G::Claims> {
                self.inner.token()
            }
        }

        impl<$($marker: $bound,)? G: TokenGuard> Admit for $guard<$($marker,)? G> {
            async fn admit(admission: Admission<'_, '_>) -> Result<Self, Reason> {
                let inner = G::admit(admission).await?;
                Ok(Self {
                    inner,
                    $(marker: std::marker::PhantomData::<fn() -> $marker>,)?
                })
            }

            fn permits(&self) -> bool {
                self.inner.permits()
            }
        }

        impl<$($marker: $bound,)? G: RequestFree> RequestFree for $guard<$($marker,)? G> {}

        impl<$($marker: $bound,)? G: RequestFree> IntoToken for $guard<$($marker,)? G> {
            fn into_token(self) -> Token<G::Claims> {
                self.inner.into_token()
            }
        }

        $crate::guard::macros::wrapper!(
            [$($marker: $bound,)? G: TokenGuard] $guard<$($marker,)? G>, inner: G
        );
    };
}

pub(super) use {policy_wrapper, request_guard, token_guard, wrapper};
