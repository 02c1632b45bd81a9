//! Keys of an OAuth provider: a JWKS file, or a URL that is fetched, cached and fetched again when a
//! token names a key that is not known yet.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};

use super::refused::TokenRefused;
use crate::config::AuthConfig;
use crate::outbound::{self, ClientError};

/// The provider is asked again at most this often, however many unknown keys are named.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// Keys older than this are refreshed, so that a withdrawn one stops working.
const REFRESH_AFTER: Duration = Duration::from_secs(600);
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const LARGEST_SET: usize = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    #[error("the key set {path} cannot be read: {reason} (CHARTWELL_JWKS_FILE)")]
    File { path: PathBuf, reason: String },
    #[error("CHARTWELL_JWKS_URL: {0}")]
    Client(#[from] ClientError),
}

/// The keys that RS256, ES256 and EdDSA tokens are checked with.
pub struct KeySet {
    keys: RwLock<Arc<Keys>>,
    provider: Option<Provider>,
}

#[derive(Default)]
struct Keys {
    by_id: HashMap<String, (Algorithm, DecodingKey)>,
    fetched: Option<Instant>,
}

struct Provider {
    url: String,
    client: reqwest::Client,
    /// When the provider was asked last. Held while it is being asked: one request at a time.
    asked: tokio::sync::Mutex<Option<Instant>>,
}

impl KeySet {
    /// The keys of the settings. Those of the provider that was asked before stay: it may be away just now.
    pub fn from_config(config: &AuthConfig, before: Option<&Arc<Self>>) -> Result<Option<Arc<Self>>, JwksError> {
        if let Some(path) = &config.jwks_file {
            let error = |reason: String| JwksError::File { path: path.clone(), reason };
            let text = std::fs::read(path).map_err(|reason| error(reason.to_string()))?;
            let keys = Keys::read(&text).map_err(error)?;
            return Ok(Some(Arc::new(Self { keys: RwLock::new(Arc::new(keys)), provider: None })));
        }
        let Some(url) = &config.jwks_url else { return Ok(None) };
        let is_of_url = |before: &&Arc<Self>| before.provider.as_ref().is_some_and(|provider| provider.url == *url);
        if let Some(before) = before.filter(is_of_url) {
            return Ok(Some(Arc::clone(before)));
        }
        let client = outbound::client(reqwest::Client::builder().timeout(FETCH_TIMEOUT))?;
        let provider = Provider { url: url.clone(), client, asked: tokio::sync::Mutex::new(None) };
        Ok(Some(Arc::new(Self { keys: RwLock::default(), provider: Some(provider) })))
    }

    /// The key that a token names; it must be one for the token's algorithm.
    pub(super) async fn find(&self, id: &str, algorithm: Algorithm) -> Result<DecodingKey, TokenRefused> {
        let known = self.current();
        let is_fresh =
            self.provider.is_none() || known.fetched.is_some_and(|fetched| fetched.elapsed() < REFRESH_AFTER);
        let keys = if is_fresh && known.by_id.contains_key(id) { known } else { self.refreshed(id).await };
        match keys.by_id.get(id) {
            Some((of_key, key)) if *of_key == algorithm => Ok(key.clone()),
            Some(_) => Err(TokenRefused::Invalid("algorithm of the key")),
            None if keys.fetched.is_none() => Err(TokenRefused::KeysUnavailable),
            None => Err(TokenRefused::Invalid("unknown key")),
        }
    }

    fn current(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the provider, unless it was asked just now. Keys that are known stay good while it is away.
    async fn refreshed(&self, id: &str) -> Arc<Keys> {
        let Some(provider) = &self.provider else { return self.current() };
        let mut asked = provider.asked.lock().await;
        let current = self.current();
        let fetched_meanwhile =
            current.fetched.is_some_and(|fetched| fetched.elapsed() < REFRESH_AFTER) && current.by_id.contains_key(id);
        if fetched_meanwhile || asked.is_some_and(|asked| asked.elapsed() < ASK_AGAIN_AFTER) {
            return current;
        }
        *asked = Some(Instant::now());
        match provider.fetch().await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&keys);
                keys
            }
            Err(reason) => {
                tracing::warn!(url = provider.url, reason, "the key set could not be fetched; known keys stay in use");
                current
            }
        }
    }
}

impl Provider {
    async fn fetch(&self) -> Result<Keys, String> {
        let mut response = self
            .client
            .get(&self.url)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|error| error.to_string())?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| error.to_string())? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_SET {
                return Err("larger than 1 MiB".to_owned());
            }
        }
        Keys::read(&body)
    }
}

impl Keys {
    fn read(text: &[u8]) -> Result<Self, String> {
        let set: JwkSet = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let mut by_id = HashMap::new();
        for key in &set.keys {
            let (Some(id), Some(algorithm)) = (&key.common.key_id, algorithm_of(key)) else { continue };
            if let Ok(decoding) = DecodingKey::from_jwk(key) {
                by_id.insert(id.clone(), (algorithm, decoding));
            }
        }
        if by_id.is_empty() {
            return Err("it has no key with an id for RS256, ES256 or EdDSA".to_owned());
        }
        Ok(Self { by_id, fetched: Some(Instant::now()) })
    }
}

/// The one algorithm that a key is good for: by what it is, not by what a token says.
fn algorithm_of(key: &Jwk) -> Option<Algorithm> {
    if key.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
        return None;
    }
    let algorithm = match &key.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        _ => return None,
    };
    let declared = key.common.key_algorithm.map(|declared| declared.to_string());
    declared.is_none_or(|declared| declared == format!("{algorithm:?}")).then_some(algorithm)
}
