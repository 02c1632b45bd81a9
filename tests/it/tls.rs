//! Certificates: whom the program trusts, with an authority of the tests' own.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::program::Program;
use crate::support::{SECRET, serve_engine};

/// An authority, and what it certifies for this machine.
fn authority(name: &str) -> (String, ServerConfig) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![server.der().clone()], key).unwrap();
    (authority.pem(), config)
}

/// Serves the engine with TLS; gives the URL.
async fn serve_encrypted(config: ServerConfig) -> String {
    let engine = serve_engine().await.replace("http://", "");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, engine) = (acceptor.clone(), engine.clone());
            tokio::spawn(async move {
                // A client that does not trust us goes away.
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut engine = TcpStream::connect(engine).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut engine).await;
            });
        }
    });
    url
}

/// Runs `chartwell migrate`, which trusts the authorities of a file; gives what it says when it fails.
async fn migrate(url: &str, trusted: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_chartwell"));
    program
        .arg("migrate")
        .current_dir(folder.path())
        .env("CHARTWELL_JWT_SECRET", SECRET)
        .env("CHARTWELL_ACCOUNTS", "tls")
        .env("CHARTWELL_CLICKHOUSE_URL", url)
        .env("CHARTWELL_CLICKHOUSE_WAIT_SECONDS", "1")
        .env("CHARTWELL_LOG", "error")
        .env("SSL_CERT_FILE", trusted)
        .env("SSL_CERT_DIR", folder.path());
    let output = tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_trusted_by_the_authorities_of_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, others, none] = ["ours.pem", "others.pem", "none.pem"].map(|name| folder.path().join(name));
    let (pem, config) = authority("ours");
    std::fs::write(&ours, pem).unwrap();
    std::fs::write(&others, authority("others").0).unwrap();
    let url = serve_encrypted(config).await;
    migrate(&url, &ours).await.unwrap();
    let unknown = migrate(&url, &others).await.unwrap_err();
    assert!(unknown.contains("UnknownIssuer") && unknown.contains("CHARTWELL_CLICKHOUSE_URL"), "{unknown}");
    let without = migrate(&url, &none).await.unwrap_err();
    assert!(without.contains("SSL_CERT_FILE") && without.contains("ca-certificates"), "{without}");
    assert_eq!((unknown.lines().count(), without.lines().count()), (1, 1));
}

#[test]
fn without_authorities_it_starts_and_says_what_it_lacks_where_somebody_is_to_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none.pem");
    let without = |settings: &[(&str, &str)]| {
        let none = none.to_str().unwrap();
        let settings = [&[("SSL_CERT_FILE", none), ("SSL_CERT_DIR", none)], settings].concat();
        Program::try_start(folder.path(), "tls", &settings)
    };
    drop(without(&[]).unwrap_or_else(|log| panic!("{log}")));
    for (name, url) in [
        ("CHARTWELL_JWKS_URL", "https://id.example/jwks.json"),
        ("CHARTWELL_ENTITY_SERVICE_URL", "https://names.example"),
        ("CHARTWELL_OWN_TRACES_URL", "https://traces.example/v1/traces"),
    ] {
        let log = without(&[(name, url)]).err().expect("it does not start");
        assert!(log.contains(name) && log.contains("ertificate"), "{name}: {log}");
    }
}
