//! `chartwell demo`

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Failure;
use super::program::Program;
use super::serve::run;
use super::token::{expiry, tokens};
use crate::app::App;
use crate::auth::{Claims, Scope};
use crate::config::{Account, Config, Secret};
use crate::demo::Story;
use crate::ingest::Intake;
use crate::page::Page;
use crate::rows::Event;

#[derive(Debug, Args)]
pub struct DemoFlags {
    /// Events to make, when there are none yet
    #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000), value_name = "N")]
    events: u64,
    /// Days before now that they are spread over
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=90), value_name = "D")]
    days: u32,
    /// The same seed makes the same data
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
}

const ACCOUNT: &str = "demo";
const TOKEN_LASTS: Duration = Duration::from_secs(30 * 86_400);
/// Events that are stored at once.
const BATCH: usize = 20_000;

/// What was told so far, in `demo.json` of the data folder.
#[derive(Serialize, Deserialize)]
struct Told {
    seed: u64,
    events: u64,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    incident: DateTime<Utc>,
}

pub fn demo(mut config: Config, flags: &DemoFlags) -> Result<(), Failure> {
    let account: Account = ACCOUNT.parse()?;
    config.server.accounts = vec![account.clone()];
    let program = Program::start(&config)?;
    let secret = secret(&mut config)?;
    let claims = Claims {
        sub: "demo".to_owned(),
        account: ACCOUNT.to_owned(),
        exp: expiry(TOKEN_LASTS),
        scope: Scope::ALL.map(Scope::name).join(" "),
        grants: Default::default(),
        limits: None,
        iss: None,
        aud: None,
    };
    let token = tokens(&config, &secret).sign(&claims);
    program.runtime.block_on(async {
        program.migrate(&config, false).await?;
        let app = App::new(&config, program.clickhouse.clone(), Page::new(Some(&token))).await?;
        tell(&config.server.data_dir, flags, &app.ingestion.intake, &account).await?;
        run(&config, app, |url| introduce(url, &token)).await
    })
}

/// The secret of the settings, or one of this data folder.
fn secret(config: &mut Config) -> Result<Secret, Failure> {
    if let Some(secret) = &config.auth.jwt_secret {
        return Ok(secret.clone());
    }
    let path = config.server.data_dir.join("jwt-secret");
    let secret = match fs::read_to_string(&path) {
        Ok(secret) => secret,
        Err(_) => {
            let made = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?.write_all(made.as_bytes())?;
            made
        }
    };
    let secret = Secret::new(secret.trim());
    config.auth.jwt_secret = Some(secret.clone());
    Ok(secret)
}

/// Fills the account, or tells what has happened since it was filled.
async fn tell(folder: &Path, flags: &DemoFlags, intake: &Intake, account: &Account) -> Result<(), Failure> {
    let path = folder.join("demo.json");
    let now = Utc::now();
    let told = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Told>(&text).ok());
    let (story, pace) = match told {
        None => {
            let story = Story::new(flags.seed, flags.events, flags.days, now);
            (story, story)
        }
        Some(Told { seed, events, from, to, incident }) => {
            let pace = Story { seed, events, from, to, incident };
            (pace.continued(now), pace)
        }
    };
    let progress = ProgressBar::new(story.events);
    progress.set_style(ProgressStyle::with_template("making events  {bar:40} {human_pos} of {human_len}  {eta} left")?);
    let mut batch: Vec<Event<'static>> = Vec::with_capacity(BATCH);
    for events in story.events() {
        batch.extend(events);
        if batch.len() >= BATCH {
            progress.inc(batch.len() as u64);
            intake.take_as_they_are(account, &std::mem::take(&mut batch)).await?;
        }
    }
    intake.take_as_they_are(account, &batch).await?;
    intake.settled().await;
    progress.finish_and_clear();
    let told = Told {
        seed: pace.seed,
        events: pace.events + if story.from == pace.from { 0 } else { story.events },
        from: pace.from,
        to: now,
        incident: pace.incident,
    };
    fs::write(&path, serde_json::to_vec_pretty(&told)?)?;
    Ok(())
}

fn introduce(url: &str, token: &str) {
    let api = format!("{url}/api/v1/recommendations");
    println!(
        "
Chartwell has {ACCOUNT} data to look at.

  Charts   {url}/
  API docs {url}/docs

Token (30 days):

  {token}

Try:

  curl -sH 'Authorization: Bearer {token}' '{api}/charts/assisted-text-per-source?range=28d&aggregation_level=day'
  curl -sH 'Authorization: Bearer {token}' '{api}/totals?range=7d&compare=previous_period'
  curl -sH 'Authorization: Bearer {token}' -H 'Accept: text/csv' '{api}/agents?sort=-characters_saved&limit=10'

Ctrl-C stops it; what it made is kept.
"
    );
}
