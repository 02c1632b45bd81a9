use std::borrow::Cow;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationError};

use super::values::Secret;

/// Who may ask: the keys that tokens are checked with.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Validate)]
pub struct AuthConfig {
    #[validate(custom(function = "long_enough"))]
    pub jwt_secret: Option<Secret>,
    #[validate(url(message = "is not a URL like https://id.example/jwks.json"))]
    pub jwks_url: Option<String>,
    pub jwks_file: Option<PathBuf>,
    /// The `iss` that tokens must have, when set.
    pub jwt_issuer: Option<String>,
    /// The `aud` that tokens must have, when set.
    pub jwt_audience: Option<String>,
}

impl AuthConfig {
    /// Whether there is nothing to check a token with.
    pub fn accepts_no_token(&self) -> bool {
        self.jwt_secret.is_none() && self.jwks_url.is_none() && self.jwks_file.is_none()
    }
}

/// HS256 is as strong as its secret: RFC 7518 asks for as many bytes as the hash has.
fn long_enough(secret: &Secret) -> Result<(), ValidationError> {
    if secret.reveal().len() >= 32 {
        return Ok(());
    }
    Err(ValidationError::new("length").with_message(Cow::from("is shorter than 32 bytes")))
}
