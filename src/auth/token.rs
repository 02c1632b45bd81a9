//! Tokens: from the text in `Authorization` to a [`Principal`].
//!
//! Follows RFC 8725: the algorithm is fixed by the key and never by the token, `none` does not
//! exist, every claim is validated, and one uniform answer tells nothing about why a token failed.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Utc;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::jwks::KeySet;
use super::principal::{Grants, Principal, Scope};
use super::refused::TokenRefused;
use crate::config::{Account, AuthConfig, Secret};

/// Clocks may differ by this much; the contract allows a minute.
const LEEWAY_SECONDS: u64 = 30;
/// Characters of a token; a longer one is not even decoded.
const LONGEST_TOKEN: usize = 16_384;
/// Tokens that are remembered.
const MOST_REMEMBERED: u64 = 10_000;

/// The claims that a token has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    pub sub: String,
    pub account: String,
    pub exp: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grants: BTreeMap<String, Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<Audience>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub requests_per_minute: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Checks tokens.
pub struct Authenticator {
    secret: Option<DecodingKey>,
    keys: Option<Arc<KeySet>>,
    validation: Validation,
    accounts: Vec<Account>,
    /// Tokens that were accepted, by their hash, with the end of their time. Only those of the secret, which
    /// stays as it is for as long as the process lives; a key of a set can be withdrawn at any time.
    remembered: Cache<[u8; 32], (Arc<Principal>, u64)>,
}

impl Authenticator {
    pub fn new(config: &AuthConfig, keys: Option<Arc<KeySet>>, accounts: &[Account]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_exp = true;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "sub"]);
        match &config.jwt_audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                validation.required_spec_claims.insert("aud".to_owned());
            }
            None => validation.validate_aud = false,
        }
        if let Some(issuer) = &config.jwt_issuer {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        Self {
            secret: config.jwt_secret.as_ref().map(|secret| DecodingKey::from_secret(secret.reveal().as_bytes())),
            keys,
            validation,
            accounts: accounts.to_vec(),
            remembered: Cache::new(MOST_REMEMBERED),
        }
    }

    /// Checks the value of an `Authorization` header.
    pub async fn authenticate(&self, authorization: Option<&str>) -> Result<Arc<Principal>, TokenRefused> {
        let token = bearer(authorization.ok_or(TokenRefused::Invalid("missing"))?)?;
        let hash: [u8; 32] = Sha256::digest(token).into();
        if let Some((principal, ends)) = self.remembered.get(&hash)
            && Utc::now().timestamp().cast_unsigned() < ends
        {
            return Ok(principal);
        }
        let header = decode_header(token).map_err(|_| TokenRefused::Invalid("malformed"))?;
        if header.typ.as_deref().is_some_and(|kind| !["jwt", "at+jwt"].contains(&kind.to_ascii_lowercase().as_str())) {
            return Err(TokenRefused::Invalid("another type of token"));
        }
        if header.crit.is_some() {
            // It must be understood or refused, and none is understood.
            return Err(TokenRefused::Invalid("critical extensions"));
        }
        let claims = match header.alg {
            Algorithm::HS256 => {
                self.decode(token, self.secret.as_ref().ok_or(TokenRefused::Invalid("no secret"))?, Algorithm::HS256)?
            }
            Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA => {
                let keys = self.keys.as_ref().ok_or(TokenRefused::Invalid("no key set"))?;
                let id = header.kid.as_deref().ok_or(TokenRefused::Invalid("no key id"))?;
                let key = keys.find(id, header.alg).await?;
                self.decode(token, &key, header.alg)?
            }
            _ => return Err(TokenRefused::Invalid("algorithm")),
        };
        let ends = claims.exp;
        let principal = self.principal(claims)?;
        if header.alg == Algorithm::HS256 {
            self.remembered.insert(hash, (Arc::clone(&principal), ends));
        }
        Ok(principal)
    }

    fn decode(&self, token: &str, key: &DecodingKey, algorithm: Algorithm) -> Result<Claims, TokenRefused> {
        let validation = Validation { algorithms: vec![algorithm], ..self.validation.clone() };
        let decoded = decode::<Claims>(token, key, &validation).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => TokenRefused::Expired,
            ErrorKind::InvalidSignature => TokenRefused::Invalid("signature"),
            ErrorKind::InvalidAudience | ErrorKind::InvalidIssuer => TokenRefused::Invalid("issuer or audience"),
            ErrorKind::ImmatureSignature => TokenRefused::Invalid("not yet valid"),
            _ => TokenRefused::Invalid("claims"),
        })?;
        Ok(decoded.claims)
    }

    fn principal(&self, claims: Claims) -> Result<Arc<Principal>, TokenRefused> {
        if claims.sub.is_empty() || claims.sub.len() > 256 {
            return Err(TokenRefused::Invalid("subject"));
        }
        if claims.limits.as_ref().is_some_and(|limits| limits.requests_per_minute == 0) {
            return Err(TokenRefused::Invalid("limits"));
        }
        let account = self.accounts.iter().find(|account| account.as_str() == claims.account);
        let words: Vec<&str> = claims.scope.split(' ').collect();
        Ok(Arc::new(Principal {
            account: account.ok_or(TokenRefused::UnknownAccount)?.clone(),
            subject: claims.sub,
            scopes: Scope::ALL.into_iter().filter(|scope| words.contains(&scope.name())).collect(),
            grants: Grants(claims.grants),
            requests_per_minute: claims.limits.map(|limits| limits.requests_per_minute),
        }))
    }
}

fn bearer(authorization: &str) -> Result<&str, TokenRefused> {
    let (scheme, token) = authorization.split_once(' ').ok_or(TokenRefused::Invalid("malformed"))?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.len() > LONGEST_TOKEN {
        return Err(TokenRefused::Invalid("malformed"));
    }
    Ok(token.trim())
}

/// Signs tokens with the HS256 secret: for development, the demo and tests.
pub struct Tokens<'a> {
    pub secret: &'a Secret,
    pub issuer: Option<&'a str>,
    pub audience: Option<&'a str>,
}

impl Tokens<'_> {
    pub fn sign(&self, claims: &Claims) -> String {
        let claims = Claims {
            iss: self.issuer.map(str::to_owned),
            aud: self.audience.map(|audience| Audience::One(audience.to_owned())),
            ..claims.clone()
        };
        let key = EncodingKey::from_secret(self.secret.reveal().as_bytes());
        encode(&Header::new(Algorithm::HS256), &claims, &key).expect("HS256 signs any claims")
    }
}
