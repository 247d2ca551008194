//! What must not be a guard, and is not: asked of the types themselves. Every line has a neighbour
//! that is one, so that the question can't be wrong unnoticed.

use crate::support::implements::{check, table};
use crate::support::users::{Admin, Member, NotBob, Profile, User};
use rocket::data::FromData;
use rocket::request::FromRequest;
use rocket::serde::json::Json;
use rocket_jwt_extended::{
    AccessToken, AnyToken, Cookies, CurrentUser, Fresh, Headers, IgnoreRevocation, In, JsonBody,
    Jwt, LoadUser, NoClaims, Optional, OrForward, QueryString, RefreshToken, Rejection,
    RequestFree, Require, Token, TokenGuard, WithBody,
};

/// Claims can't be read into it.
struct NotReadable;

#[test]
fn a_wrapper_that_could_let_somebody_in_without_a_token_can_not_be_wrapped() {
    check(table! {
        TokenGuard |
            AccessToken => true, RefreshToken => true, AnyToken => true,
            Fresh => true, Fresh<RefreshToken> => true, In<Headers> => true,
            IgnoreRevocation<Fresh> => true, Require<NotBob, AccessToken> => true,
            CurrentUser<User> => true, Fresh<CurrentUser<User>> => true,
            Require<NotBob, CurrentUser<User>> => true, In<(Cookies, Headers), Fresh> => true,
            Optional => false, OrForward<AccessToken> => false,
            Fresh<Optional> => false, Fresh<OrForward<AccessToken>> => false,
            In<Headers, Optional> => false, IgnoreRevocation<Optional> => false,
            Require<NotBob, Optional> => false, Require<NotBob, OrForward<AccessToken>> => false,
            CurrentUser<User, Optional> => false,
            CurrentUser<User, OrForward<AccessToken>> => false,
            Option<AccessToken> => false, Result<AccessToken, Rejection> => false,
            Fresh<Option<AccessToken>> => false, &'static Jwt => false, WithBody => false,
            Token<NoClaims> => false, () => false;
        FromRequest<'static> |
            Optional<Fresh> => true, Fresh<Optional> => false,
            Optional<Require<NotBob, AccessToken>> => true,
            Require<NotBob, Optional> => false,
            Optional<CurrentUser<User>> => true, CurrentUser<User, Optional> => false,
            OrForward<Fresh> => true, Fresh<OrForward<AccessToken>> => false,
            Optional<AccessToken> => true, Optional<Optional> => false,
            OrForward<AccessToken> => true, OrForward<Optional> => false,
            Optional<OrForward<AccessToken>> => false,
            WithBody => false, Token<NoClaims> => false, &'static Jwt => true, Jwt => false;
    });
}

#[test]
fn a_permission_or_a_user_goes_with_a_guard_of_its_custom_claims_only() {
    check(table! {
        TokenGuard |
            Require<Admin, AccessToken<Profile>> => true, Require<Admin, AccessToken> => false,
            Require<NotBob, AccessToken<Profile>> => false,
            CurrentUser<Member> => true, CurrentUser<Member, AccessToken<Profile>> => true,
            CurrentUser<Member, AccessToken> => false,
            CurrentUser<User, AccessToken<Profile>> => false,
            Require<Admin, CurrentUser<Member>> => true, Require<Admin, CurrentUser<User>> => false,
            In<Headers> => true, In<(Headers, Cookies, QueryString, JsonBody)> => true,
            In<()> => false, In<String> => false, In<Option<Headers>> => false,
            AccessToken<Profile> => true, AccessToken<NotReadable> => false;
    });
}

/// `CurrentUser<U>` is not even a type without a loader: it is bound by it.
#[test]
fn a_user_is_what_can_be_loaded() {
    check(table! {
        LoadUser | User => true, Member => true, Profile => false, NotReadable => false,
            String => false, () => false;
    });
}

#[test]
fn only_what_needs_no_request_is_verified_without_one() {
    check(table! {
        RequestFree |
            AccessToken => true, RefreshToken<Profile> => true, AnyToken => true, Fresh => true,
            IgnoreRevocation<AccessToken> => true, In<Headers> => true,
            Require<NotBob, AccessToken> => true, Require<Admin,
            Fresh<AccessToken<Profile>>> => true,
            CurrentUser<User> => false, Fresh<CurrentUser<User>> => false,
            Require<NotBob, CurrentUser<User>> => false, In<Headers, CurrentUser<User>> => false,
            IgnoreRevocation<CurrentUser<User>> => false,
            Optional => false, OrForward<AccessToken> => false;
    });
}

#[test]
fn a_data_guard_takes_every_guard_and_optional_and_nothing_else() {
    check(table! {
        FromData<'static> |
            WithBody => true, WithBody<Fresh, Json<Profile>> => true,
            WithBody<Optional> => true, WithBody<Optional<In<JsonBody>>, Json<Profile>> => true,
            WithBody<Require<NotBob, CurrentUser<User>>> => true,
            WithBody<Fresh<Optional>> => false, WithBody<OrForward<AccessToken>> => false,
            WithBody<Option<AccessToken>> => false, WithBody<()> => false,
            WithBody<Result<AccessToken, Rejection>> => false,
            WithBody<AccessToken, String> => false, AccessToken => false;
    });
}
