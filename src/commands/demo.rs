//! `chartwell demo`

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use opentelemetry_proto::tonic::trace::v1::Span as Message;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Failure;
use super::program::Program;
use super::serve::run;
use super::stop::stop_signal;
use super::token::{expiry, tokens};
use crate::app::App;
use crate::auth::{Claims, Scope};
use crate::clickhouse::ClickHouse;
use crate::config::{Account, Config, Secret};
use crate::demo::{self, AssistantStory, ExperimentStory, ProductStory, Story, assistants};
use crate::ingest::Reading;
use crate::ingest::anonymise::Personal;
use crate::ingest::endpoints::Ingestion;
use crate::ingest::otlp::Exported;
use crate::ingest::otlp::spans::{self, SpanReading};
use crate::rows::Row;
use crate::studio::Studio;

#[derive(Debug, Args)]
pub struct DemoFlags {
    /// Events of agents to make, when there are none yet; for every 100 of them, the last 60 days also have
    /// about 50 spans of assistants and 10 events of voice calls, the last 30 days about 40 events and spans of experiments,
    /// and all days about 60 events of the product
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
    /// Not there when a release told it that had no assistants yet.
    #[serde(default)]
    assistants: Option<AssistantStory>,
    /// Likewise, without the product.
    #[serde(default)]
    product: Option<ProductStory>,
    /// Likewise, without experiments.
    #[serde(default)]
    experiments: Option<ExperimentStory>,
}

impl Told {
    fn of(Story { seed, events, from, to, incident }: Story) -> Self {
        Self { seed, events, from, to, incident, assistants: None, product: None, experiments: None }
    }

    fn events(&self) -> Story {
        let Self { seed, events, from, to, incident, .. } = *self;
        Story { seed, from, to, events, incident }
    }
}

pub fn demo(mut config: Config, flags: &DemoFlags) -> Result<(), Failure> {
    let account: Account = ACCOUNT.parse()?;
    config.server.accounts = vec![account.clone()];
    let program = Program::start(&config)?;
    let rules = rules(&config.server.data_dir)?;
    config.alerts.alerts.get_or_insert(rules);
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
        let app = App::new(&config, program.clickhouse.clone(), Studio::new(Some(&token))).await?;
        // An operational database that is not ours is only read.
        if config.clickhouse.admin_db_url.is_none() {
            introduce_assistants(&program.clickhouse, &account).await?;
        }
        Telling { folder: &config.server.data_dir, ingestion: &app.serving.ingestion, account: &account }
            .tell(flags)
            .await?;
        run(&config, app, stop_signal()?, None, |url| introduce(url, &token)).await
    })
}

/// The rules that watch the demo, in its data folder.
fn rules(folder: &Path) -> Result<PathBuf, Failure> {
    let path = folder.join("alerts.toml");
    if !path.exists() {
        fs::write(&path, demo::ALERTS)?;
    }
    Ok(path)
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

/// Puts the names of the assistants that are missing into the table that stands in for the operational database.
async fn introduce_assistants(clickhouse: &ClickHouse, account: &Account) -> Result<(), Failure> {
    let table = format!("`{}`.assistants", account.admin_database());
    let rows: Vec<String> =
        assistants().map(|[code, name, profile]| format!("('{code}', '{name}', '{profile}')")).collect();
    let made = format!("VALUES('code String, name String, profile_code String', {})", rows.join(", "));
    clickhouse
        .execute(&format!(
            "INSERT INTO {table} (code, name, profile_code) SELECT * FROM {made} WHERE code NOT IN (SELECT code FROM {table})"
        ))
        .await?;
    Ok(())
}

/// Fills the account, or tells what has happened since it was filled.
struct Telling<'a> {
    folder: &'a Path,
    ingestion: &'a Ingestion,
    account: &'a Account,
}

impl Telling<'_> {
    async fn tell(&self, flags: &DemoFlags) -> Result<(), Failure> {
        let path = self.folder.join("demo.json");
        let now = Utc::now();
        let told = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Told>(&text).ok());
        let (story, mut told) = match told {
            None => {
                let story = Story::new(flags.seed, flags.events, flags.days, now);
                (story, Told::of(story))
            }
            Some(told) => {
                let since = told.events().continued(now);
                (since, Told { events: told.events + since.events, to: now, ..told })
            }
        };
        self.events(&story).await?;
        // Whoever is stopped between the two goes on with the second.
        fs::write(&path, serde_json::to_vec_pretty(&told)?)?;
        let (story, all) = match told.assistants {
            None => {
                let story = AssistantStory::new(told.seed, told.events, told.from, now);
                (story, story)
            }
            Some(before) => {
                let since = before.continued(now);
                (since, before.with(&since))
            }
        };
        self.assistants(&story).await?;
        told.assistants = Some(all);
        fs::write(&path, serde_json::to_vec_pretty(&told)?)?;
        let (story, all) = match told.product {
            None => {
                let story = ProductStory::new(told.seed, told.events, told.from, now);
                (story, story)
            }
            Some(before) => {
                let since = before.continued(now);
                (since, before.with(&since))
            }
        };
        self.product(&story).await?;
        told.product = Some(all);
        fs::write(&path, serde_json::to_vec_pretty(&told)?)?;
        let (story, all) = match told.experiments {
            None => {
                let story = ExperimentStory::new(told.seed, told.events, told.from, now);
                (story, story)
            }
            Some(before) => {
                let since = before.continued(now);
                (since, before.with(&since))
            }
        };
        self.experiments(&story).await?;
        told.experiments = Some(all);
        fs::write(&path, serde_json::to_vec_pretty(&told)?)?;
        Ok(())
    }

    async fn events(&self, story: &Story) -> Result<(), Failure> {
        let progress = progress("events", story.events)?;
        self.take(story.events().map(|events| {
            progress.inc(events.len() as u64);
            Ok(events)
        }))
        .await?;
        progress.finish_and_clear();
        Ok(())
    }

    /// Spans and voice calls.
    async fn assistants(&self, story: &AssistantStory) -> Result<(), Failure> {
        let progress = progress("runs of assistants", story.runs)?;
        self.take_spans(story.to, story.spans().inspect(|(runs, _)| progress.inc(*runs)).map(|(_, spans)| spans))
            .await?;
        self.take(story.voice().map(Ok)).await?;
        self.ingestion.intake.settled().await;
        progress.finish_and_clear();
        Ok(())
    }

    /// What is told of experiments, and the runs in their conversations.
    async fn experiments(&self, story: &ExperimentStory) -> Result<(), Failure> {
        let progress = progress("visitors of experiments", story.visitors)?;
        self.take(story.events().map(|(visitors, events)| {
            progress.inc(visitors);
            Ok(events)
        }))
        .await?;
        self.take_spans(story.to, story.spans()).await?;
        self.ingestion.intake.settled().await;
        progress.finish_and_clear();
        Ok(())
    }

    /// Usage of the product.
    async fn product(&self, story: &ProductStory) -> Result<(), Failure> {
        let progress = progress("sessions of the product", story.sessions)?;
        self.take(story.events().map(|(sessions, events)| {
            progress.inc(sessions);
            Ok(events)
        }))
        .await?;
        self.ingestion.intake.settled().await;
        progress.finish_and_clear();
        Ok(())
    }

    /// Stores spans, hour by hour; they are read as those are that come to `/v1/traces`.
    async fn take_spans(
        &self,
        now: DateTime<Utc>,
        hours: impl Iterator<Item = Vec<Exported<Message>>>,
    ) -> Result<(), Failure> {
        let Self { ingestion, account, .. } = self;
        let reading = Reading { now, retention_days: 0, salt: ingestion.intake.salt(account)? };
        let reading = SpanReading { reading, prices: &ingestion.prices, coverage: ingestion.coverage(account)? };
        let read = |span| spans::read(span, reading).map_err(|refused| format!("a span: {}", refused.detail).into());
        self.take(hours.map(|spans| spans.into_iter().map(read).collect())).await
    }

    /// Stores rows, hour by hour.
    async fn take<'r, R: Row<'r> + Personal>(
        &self,
        hours: impl Iterator<Item = Result<Vec<R>, Failure>>,
    ) -> Result<(), Failure> {
        let intake = &self.ingestion.intake;
        let mut batch: Vec<R> = Vec::with_capacity(BATCH);
        for rows in hours {
            batch.extend(rows?);
            if batch.len() >= BATCH {
                intake.take_as_they_are(self.account, &std::mem::take(&mut batch)).await?;
            }
        }
        intake.take_as_they_are(self.account, &batch).await?;
        Ok(())
    }
}

fn progress(of: &str, length: u64) -> Result<ProgressBar, Failure> {
    let style = format!("making {of}  {{bar:40}} {{human_pos}} of {{human_len}}  {{eta}} left");
    Ok(ProgressBar::new(length).with_style(ProgressStyle::with_template(&style)?))
}

fn introduce(url: &str, token: &str) {
    let (agents, assistants) = (format!("{url}/api/v1/recommendations"), format!("{url}/api/v1/assistants"));
    let (product, experiments) = (format!("{url}/api/v1/product"), format!("{url}/api/v1/experiments"));
    println!(
        "
Chartwell has {ACCOUNT} data to look at.

  Charts   {url}/
  API docs {url}/docs

Token (30 days):

  export TOKEN={token}

Try:

  What became of suggestions?
  curl -sH \"Authorization: Bearer $TOKEN\" '{agents}/charts/assisted-text-per-source?range=28d&aggregation_level=day'
  curl -sH \"Authorization: Bearer $TOKEN\" '{agents}/totals?range=7d&compare=previous_period'
  curl -sH \"Authorization: Bearer $TOKEN\" -H 'Accept: text/csv' '{agents}/agents?sort=-characters_saved&limit=10'

  Which version of an assistant fails more often than the one before, and why?
  curl -sH \"Authorization: Bearer $TOKEN\" '{assistants}/charts/error-rate?range=28d&aggregation_level=day&split_by=assistant_version&assistant_codes={regressed}'
  curl -sH \"Authorization: Bearer $TOKEN\" '{assistants}/errors?range=28d&assistant_codes={regressed}'

  On which day did what cost how much, and which runs were it?
  curl -sH \"Authorization: Bearer $TOKEN\" '{assistants}/charts/cost?range=28d&aggregation_level=day&split_by=assistant'
  curl -sH \"Authorization: Bearer $TOKEN\" '{assistants}/models?range=28d&sort=-cost_usd'
  curl -sH \"Authorization: Bearer $TOKEN\" '{assistants}/traces?range=28d&assistant_codes={looping}&limit=5'

  Who found the new feature, what broke for whom, and who comes back?
  curl -sH \"Authorization: Bearer $TOKEN\" '{product}/adoption?range=28d'
  curl -sH \"Authorization: Bearer $TOKEN\" '{product}/funnel?range=28d&steps=page_viewed;route_pattern:eq:/conversations/:id&steps=feature_viewed;feature:eq:{launched}&window=1d'
  curl -sH \"Authorization: Bearer $TOKEN\" '{product}/client-errors?range=28d&sort=-affected_users'
  curl -sH \"Authorization: Bearer $TOKEN\" '{product}/retention?range=91d&period=week&cohort_event=page_viewed&return_event=page_viewed&cohort_by=first_ever'

  Which experiment can be shipped, which cannot be told apart, and which cannot be trusted, and why?
  curl -sH \"Authorization: Bearer $TOKEN\" '{experiments}?range=30d&sort=-units'
  curl -sH \"Authorization: Bearer $TOKEN\" '{experiments}/{winning}/results?range=30d&goal_event=success'
  curl -sH \"Authorization: Bearer $TOKEN\" '{experiments}/{flat}/results?range=30d&goal_event=success&minimum_effect=0.3'
  curl -sH \"Authorization: Bearer $TOKEN\" '{experiments}/{losing}/health?range=30d'

Ctrl-C stops it; what it made is kept.
",
        regressed = demo::REGRESSED,
        looping = demo::LOOPING,
        launched = demo::LAUNCHED,
        winning = demo::WINNING,
        flat = demo::FLAT,
        losing = demo::LOSING,
    );
}
