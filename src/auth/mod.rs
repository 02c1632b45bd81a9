//! Who asks: tokens, what they allow, and the keys they are checked with.
//!
//! This is a security boundary. A token becomes a [`Principal`] in [`token`] and nowhere else; a
//! handler gets it through the guard of its route, which has checked the scope that the route's own
//! description declares.

mod jwks;
mod principal;
mod refused;
mod signature;
mod token;

pub use jwks::{JwksError, KeySet};
pub use principal::{Grants, OutsideGrant, Principal, Reader, Scope};
pub use refused::TokenRefused;
pub use signature::{KnownRequests, SignatureRefused, Signatures, Signed, SignedIn};
pub use token::{Authenticator, Claims, Limits, Tokens};
