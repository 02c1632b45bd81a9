//! What the program asks of others by HTTP. All of it trusts the certificate authorities of this machine, or those that
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` name.

use std::error::Error;
use std::iter;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;

/// No client can be made.
#[derive(Debug, thiserror::Error)]
#[error(
    "no connection to others can be made: {0}; where authorities are missing, install `ca-certificates`, or name a file \
     of them in SSL_CERT_FILE"
)]
pub struct ClientError(String);

/// A client that asks as this builder says. Redirects are not followed: what was configured is asked and nobody else.
pub fn client(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, ClientError> {
    let made = builder.redirect(reqwest::redirect::Policy::none()).build();
    made.map_err(|error| ClientError(innermost(&error)))
}

/// The same for a thread that may wait.
pub fn blocking_client(builder: reqwest::blocking::ClientBuilder) -> Result<reqwest::blocking::Client, ClientError> {
    let made = builder.redirect(reqwest::redirect::Policy::none()).build();
    made.map_err(|error| ClientError(innermost(&error)))
}

/// Connections with TLS.
pub fn https(tcp: HttpConnector) -> Result<HttpsConnector<HttpConnector>, ClientError> {
    let builder = HttpsConnectorBuilder::new().try_with_platform_verifier();
    let builder = builder.map_err(|error| ClientError(innermost(&error)))?;
    Ok(builder.https_only().enable_http1().wrap_connector(tcp))
}

/// The cause that has no other: it says most.
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(Some(error), |&error| error.source());
    causes.last().map_or_else(String::new, ToString::to_string)
}
