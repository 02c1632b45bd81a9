//! Asking, as benches do: a whole application on a socket, and a client that costs next to nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Ipv4Addr;
use std::net::TcpStream;
use std::time::Instant;

use chartwell::app::App;
use chartwell::auth::{Claims, Scope, Tokens};
use chartwell::clickhouse::ClickHouse;
use chartwell::config::{Config, Secret};
use chartwell::migrations::{Migrator, Target, migrations};
use chartwell::studio::Studio;
use chrono::Utc;

const SECRET: &str = "a secret of the benches, and long enough";

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Settings under which every question is asked of the engine.
pub fn config() -> Config {
    let mut config = Config::default();
    config.auth.jwt_secret = Some(Secret::new(SECRET));
    config.query.query_cache = false;
    config.server.query_rate_limit = 0;
    config
}

/// Brings the tables of the accounts up to date.
pub async fn migrate(config: &Config, clickhouse: &ClickHouse) -> Result<(), Failure> {
    let migrations = migrations()?;
    for account in &config.server.accounts {
        let target = Target {
            account: account.clone(),
            cluster: None,
            retention_days: config.ingest.retention_days,
            kafka_brokers: None,
            admin_db: None,
        };
        let migrator =
            Migrator { clickhouse, target, migrations: &migrations, is_alone: true, may_shorten_retention: false };
        migrator.run().await?;
    }
    Ok(())
}

/// The application of the account.
pub async fn application(config: &Config, clickhouse: ClickHouse) -> Result<App, Failure> {
    Ok(App::new(config, clickhouse, Studio::new(None)).await?)
}

/// Serves it; returns a client of the first account.
pub async fn serve(config: &Config, app: App) -> Result<Client, Failure> {
    let listener = chartwell::http::listen((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(chartwell::http::serve(listener, app.serving.router, 100, std::future::pending()));
    client(&address, config.server.accounts[0].as_str())
}

/// A client of an account.
pub fn client(address: &str, account: &str) -> Result<Client, Failure> {
    let claims = Claims {
        sub: "bench".to_owned(),
        account: account.to_owned(),
        exp: u64::try_from(Utc::now().timestamp())? + 24 * 3_600,
        scope: Scope::ALL.map(Scope::name).join(" "),
        grants: Default::default(),
        limits: None,
        iss: None,
        aud: None,
    };
    let token = Tokens { secret: &Secret::new(SECRET), issuer: None, audience: None }.sign(&claims);
    let connection = BufReader::new(TcpStream::connect(address)?);
    connection.get_ref().set_nodelay(true)?;
    Ok(Client { address: address.to_owned(), token, connection })
}

/// Asks on one connection, one question after the other.
pub struct Client {
    pub address: String,
    token: String,
    connection: BufReader<TcpStream>,
}

/// What a question took.
pub struct Asked {
    pub waited_ms: f64,
    /// What the engine says it took, all statements of the question together.
    pub engine_ms: f64,
    pub rows_read: u64,
}

impl Client {
    /// Asks a question below `/api/v1/`, whatever the answer; its status.
    #[allow(dead_code, reason = "in most benches nothing is refused")]
    pub fn try_ask(&mut self, path: &str) -> Result<u16, Failure> {
        Ok(self.answer(path)?.0)
    }

    /// Asks a question below `/api/v1/`.
    pub fn ask(&mut self, path: &str) -> Result<Asked, Failure> {
        let asked = Instant::now();
        let (_, body) = self.answer(path)?;
        let waited_ms = asked.elapsed().as_secs_f64() * 1e3;
        let answer: serde_json::Value = serde_json::from_slice(&body)?;
        let meta = &answer["meta"];
        let engine_ms = meta["elapsed_ms"].as_f64().ok_or_else(|| format!("{path} tells no time: {answer}"))?;
        Ok(Asked { waited_ms, engine_ms, rows_read: meta["rows_read"].as_u64().unwrap_or(0) })
    }

    /// The status and the body of an answer.
    fn answer(&mut self, path: &str) -> Result<(u16, Vec<u8>), Failure> {
        let request = format!(
            "GET /api/v1/{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n",
            self.address, self.token
        );
        self.connection.get_mut().write_all(request.as_bytes())?;
        let (mut line, mut length) = (String::new(), 0);
        self.connection.read_line(&mut line)?;
        let status = line.split(' ').nth(1).ok_or("the connection was closed")?.parse()?;
        loop {
            line.clear();
            self.connection.read_line(&mut line)?;
            if let Some(told) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = told.trim().parse()?;
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body)?;
        Ok((status, body))
    }
}

/// Milliseconds that this process, the engine in it, has kept cores busy: unlike what is waited, hardly more on a
/// busy machine. To a hundredth of a second, so it is for many questions together.
pub fn busy_ms() -> Result<f64, Failure> {
    let told = std::fs::read_to_string("/proc/self/stat")?;
    let behind_the_name = told.rsplit(')').next().unwrap_or_default();
    // `utime` and `stime`, in hundredths of a second.
    let ticks = behind_the_name.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? * 10.0)
}

pub fn quantile(values: &mut [f64], rank: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * rank).round() as usize]
}
