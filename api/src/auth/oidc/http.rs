//! Requests to the identity provider: bounded in bytes and time, without redirects.

use std::{sync::Arc, time::Duration};

use oauth2::{HttpRequest, HttpResponse};
use serde::de::DeserializeOwned;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use url::{Host, Url};

/// For a whole request.
const PATIENCE: Duration = Duration::from_secs(5);
/// Key sets of large providers have some 20 KiB.
const MAX_BYTES: u64 = 512 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("{0}")]
    Asked(#[from] ureq::Error),
    #[error("status {0}")]
    Status(u16),
    #[error("not the expected JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{0} is neither https nor on this machine")]
    Insecure(Url),
    #[error("none of the keys can be used")]
    NoKeys,
    #[error("the document is of another issuer: {0}")]
    OtherIssuer(String),
    #[error("{0}")]
    Answer(oauth2::http::Error),
    #[error("the server is stopping")]
    Stopping,
}

/// A client that trusts the certificate authorities of this machine (`SSL_CERT_FILE` names others).
#[derive(Clone)]
pub struct Http(ureq::Agent);

impl Http {
    pub fn new() -> Self {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "a certificate authority of this machine cannot be read");
        }
        let roots = found.certs.iter().map(|der| Certificate::from_der(der).to_owned());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::from(roots))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(PATIENCE))
            // A redirect may lead into our own network.
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("logbook/", env!("CARGO_PKG_VERSION")))
            .build();
        Self(agent.into())
    }

    /// Sends a request. Blocks.
    ///
    /// # Errors
    /// When there is no response in time, it is too long, or its status is 5xx.
    pub fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, mut body) = self.0.run(request)?.into_parts();
        if head.status.is_server_error() {
            return Err(HttpError::Status(head.status.as_u16()));
        }
        let bytes = body.with_config().limit(MAX_BYTES).read_to_vec()?;
        Ok(HttpResponse::from_parts(head, bytes))
    }

    /// The JSON at an address. Blocks.
    ///
    /// # Errors
    /// As [`Http::send`]; any status but 200; anything but the JSON wanted.
    pub fn get<T: DeserializeOwned>(&self, url: &Url, bearer: Option<&str>) -> Result<T, HttpError> {
        let mut request =
            oauth2::http::Request::get(secure(url)?.as_str()).header("accept", "application/json");
        if let Some(token) = bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = self.send(request.body(Vec::new()).map_err(HttpError::Answer)?)?;
        match answer.status().as_u16() {
            200 => Ok(serde_json::from_slice(answer.body())?),
            status => Err(HttpError::Status(status)),
        }
    }
}

/// The address, if nobody in between can change its responses: https, or this machine.
///
/// # Errors
/// [`HttpError::Insecure`]
pub fn secure(url: &Url) -> Result<&Url, HttpError> {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "https" || (url.scheme() == "http" && here) {
        Ok(url)
    } else {
        Err(HttpError::Insecure(url.clone()))
    }
}
