//! Prices: what costs are after they were computed anew, told once more in Rust; whatever happens in between, once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use chartwell::config::Config;
use chartwell::ingest::PriceBook;
use chartwell::prices::{Recompute, Window, models_without_price};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::program::Program;
use crate::support::{SECRET, TestApp, Via, claims, eventually, json_of, sign, span, target};

/// Prices in billionths of a dollar for a million tokens.
#[derive(Clone, Copy)]
struct Price {
    model: &'static str,
    input: i128,
    cached: i128,
    output: i128,
    is_additive: bool,
    /// The first day, and the day after the last.
    days: (&'static str, Option<&'static str>),
}

const BEFORE: &[Price] = &[
    Price {
        model: "gpt-5",
        input: 1_250_000_000,
        cached: 125_000_000,
        output: 10_000_000_000,
        is_additive: false,
        days: ("2020-01-01", None),
    },
    Price {
        model: "dear*",
        input: 75_000_000_000,
        cached: 1,
        output: 333_333_333,
        is_additive: true,
        days: ("2020-01-01", None),
    },
];

const AFTER: &[Price] = &[
    Price {
        model: "gpt-5",
        input: 1_000_000_000,
        cached: 123_456_789,
        output: 9_876_543_210,
        is_additive: false,
        days: ("2020-01-01", Some("2026-02-03")),
    },
    Price {
        model: "gpt-5*",
        input: 7_654_321,
        cached: 500_000,
        output: 1_500_000,
        is_additive: true,
        days: ("2020-01-01", None),
    },
    Price {
        model: "new's \\ model",
        input: 3_000_000_000,
        cached: 300_000_000,
        output: 15_000_000_000,
        is_additive: false,
        days: ("2026-02-02", None),
    },
];

fn decimal(billionths: i128) -> String {
    format!("{}.{:09}", billionths / 1_000_000_000, billionths % 1_000_000_000)
}

/// A price book as it is written.
fn book(prices: &[Price]) -> String {
    let rows = prices.iter().map(|price| {
        let to = price.days.1.map(|day| format!("valid_to = \"{day}\"\n")).unwrap_or_default();
        format!(
            "[[price]]\nprovider = \"openai\"\nmodel_pattern = '''{}'''\nvalid_from = \"{}\"\n{to}input = \"{}\"\ncache_read = \"{}\"\noutput = \"{}\"\ncache_mode = \"{}\"\n\n",
            price.model, price.days.0, decimal(price.input), decimal(price.cached), decimal(price.output),
            if price.is_additive { "additive" } else { "subtract" },
        )
    });
    rows.collect()
}

/// A call, as tests count it.
#[derive(Clone)]
struct Call {
    start: DateTime<Utc>,
    operation: &'static str,
    provider: &'static str,
    model: &'static str,
    tokens: Option<(u32, u32, u32)>,
    /// Attribute and value by which its emitter tells a cost, and what that is.
    told: Option<(&'static str, Value, Option<i128>)>,
}

impl Call {
    fn any(random: &mut fastrand::Rng) -> Self {
        let from: DateTime<Utc> = "2026-01-30T00:00:00Z".parse().unwrap();
        let amount = random.u32(0..5_000_000);
        let dollars = f64::from(amount) / 1e6;
        let billionths = i128::from(amount) * 1_000;
        Self {
            start: from + chrono::Duration::microseconds(random.i64(0..6 * 86_400_000_000)),
            operation: ["chat", "chat", "embeddings", "execute_tool"][random.usize(..4)],
            provider: ["openai", "Azure.AI.OpenAI", "", "other"][random.usize(..4)],
            model: ["gpt-5", "gpt-5-mini", "dear-1", "new's \\ model", "unknown", ""][random.usize(..6)],
            tokens: (random.u8(..8) > 0).then(|| (random.u32(..50_000), random.u32(..60_000), random.u32(..9_000))),
            told: match random.u8(..16) {
                0 => Some(("gen_ai.usage.cost", json!(dollars), Some(billionths))),
                1 => Some(("cost.usd", json!(dollars.to_string()), Some(billionths))),
                2 => Some(("cost_usd", json!(dollars), Some(billionths))),
                3 => Some(("gen_ai.usage.cost.amount", json!(dollars), Some(billionths))),
                // What is no cost is not told.
                4 => Some(("gen_ai.usage.cost", json!("free"), None)),
                5 => Some(("cost_usd", json!(-0.5), None)),
                6 => Some(("gen_ai.usage.cost.amount", json!(dollars), None)),
                _ => None,
            },
        }
    }

    fn document(&self, number: usize) -> Value {
        let mut attributes = json!({
            "gen_ai.operation.name": self.operation, "gen_ai.provider.name": self.provider, "gen_ai.response.model": self.model,
            "gen_ai.agent.name": if number.is_multiple_of(2) { "triage" } else { "answers" },
        });
        if let Some((input, cached, output)) = self.tokens {
            attributes["gen_ai.usage.input_tokens"] = json!(input);
            attributes["gen_ai.usage.cache_read.input_tokens"] = json!(cached);
            attributes["gen_ai.usage.output_tokens"] = json!(output);
        }
        if let Some((name, value, amount)) = &self.told {
            attributes[*name] = value.clone();
            if *name == "gen_ai.usage.cost.amount" {
                attributes["gen_ai.usage.cost.currency"] = json!(if amount.is_some() { "USD" } else { "EUR" });
            }
        }
        span(number as u64, 1, self.start, 100, &attributes)
    }

    /// What it costs by a price book, in billionths.
    fn cost(&self, prices: &[Price]) -> Option<i128> {
        if let Some((_, _, Some(told))) = &self.told {
            return Some(*told);
        }
        let (input, cached, output) = self.tokens?;
        if self.operation == "execute_tool" || self.provider == "other" {
            return None;
        }
        let day = self.start.format("%Y-%m-%d").to_string();
        let fits = |price: &&Price| {
            let is_model = match price.model.strip_suffix('*') {
                Some(beginning) => self.model.starts_with(beginning),
                None => self.model == price.model,
            };
            is_model && *price.days.0 <= *day && price.days.1.is_none_or(|to| *day < *to)
        };
        let price = prices.iter().find(fits)?;
        let full = if price.is_additive { input } else { input.saturating_sub(cached) };
        let millionths =
            i128::from(full) * price.input + i128::from(cached) * price.cached + i128::from(output) * price.output;
        let (whole, rest) = (millionths / 1_000_000, millionths % 1_000_000);
        Some(whole + i128::from(rest > 500_000 || (rest == 500_000 && whole % 2 == 1)))
    }
}

fn window(from: &str, to: &str) -> Window {
    Window { from: from.parse().unwrap(), to: to.parse().unwrap() }
}

/// The costs that are stored, in billionths, by the number of the call.
async fn stored(app: &TestApp) -> BTreeMap<usize, Option<i128>> {
    #[derive(clickhouse::Row, serde::Deserialize)]
    struct CostRow {
        trace: u64,
        cost: Option<i64>,
    }
    let sql = format!(
        "SELECT reinterpretAsUInt64(reverse(unhex(right(trace_id, 16)))) AS trace, CAST(cost_usd * 1000000000, 'Nullable(Int64)') AS cost FROM `{}_analytics`.assistants_tracing_spans",
        app.account
    );
    let rows: Vec<CostRow> = app.clickhouse.fetch(&sql).await.unwrap();
    rows.into_iter().map(|row| (row.trace as usize - 1, row.cost.map(i128::from))).collect()
}

/// Rollups say what rows say, split by all that could be wrong.
/// Costs change here without an insert, by which alone a server knows that answers of before are out of date: a run has
/// the data folder for itself, so no server has any.
fn asked_anew(config: &mut Config, prices: PathBuf) {
    config.ingest.prices = Some(prices);
    config.query.query_cache = false;
}

async fn assert_verified(app: &TestApp, of: &str) {
    for question in
        ["charts/cost?split_by=model&", "charts/cost?split_by=status&", "totals?", "charts/tokens?split_by=provider&"]
    {
        for level in ["", "&aggregation_level=hour"] {
            if question.starts_with("totals") && !level.is_empty() {
                continue;
            }
            let path = format!(
                "/api/v1/assistants/{question}datetime_from=2026-01-30&datetime_to=2026-02-05&verify=true{level}"
            );
            let answer = app.get(&path).await;
            assert!(answer["meta"]["source"].as_str().unwrap().starts_with("assistant_"), "{answer}");
            assert_eq!(answer["meta"]["verification"]["different"], 0, "{of}: {path}: {}", answer["meta"]);
        }
    }
}

fn total(calls: &[Call], prices: &[Price]) -> i128 {
    calls.iter().filter(|call| call.operation != "execute_tool").filter_map(|call| call.cost(prices)).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn costs_after_a_run_are_what_the_price_book_says_and_told_costs_stay() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prices.toml");
    std::fs::write(&file, book(BEFORE)).unwrap();
    let app = TestApp::start_with("prices_random", Via::Pipe, |config| asked_anew(config, file)).await;
    let calls: Vec<Call> = (0..3_000).map(|_| Call::any(&mut random)).collect();
    let documents: Vec<Value> = calls.iter().enumerate().map(|(number, call)| call.document(number)).collect();
    app.store_spans(&documents).await;
    let before = stored(&app).await;
    for (number, call) in calls.iter().enumerate() {
        assert_eq!(before[&number], call.cost(BEFORE), "seed {seed}: {:?}", call.document(number));
    }
    assert_verified(&app, "before").await;

    let target = target("prices_random");
    let recompute = Recompute { clickhouse: &app.clickhouse, target: &target };
    let (from, to) = ("2026-01-31T13:07:11Z", "2026-02-04T02:00:00Z");
    let part = window(from, to);
    let is_in = |call: &Call| part.from <= call.start && call.start < part.to;
    let changed = recompute.run(part, &PriceBook::read(&book(AFTER)).unwrap(), &|_| {}).await.unwrap();
    let after = stored(&app).await;
    let mut different = 0;
    for (number, call) in calls.iter().enumerate() {
        let wanted = call.cost(if is_in(call) { AFTER } else { BEFORE });
        assert_eq!(after[&number], wanted, "seed {seed}: {:?}", call.document(number));
        different += u64::from(wanted != before[&number]);
    }
    assert_eq!(changed, different, "seed {seed}");
    assert!(different > 100);
    assert_verified(&app, "after").await;

    // Again changes nothing; the whole window changes the rest; and the old prices bring the old costs back.
    assert_eq!(recompute.run(part, &PriceBook::read(&book(AFTER)).unwrap(), &|_| {}).await.unwrap(), 0);
    let whole = window("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z");
    assert!(recompute.run(whole, &PriceBook::read(&book(AFTER)).unwrap(), &|_| {}).await.unwrap() > 0);
    assert_verified(&app, "whole").await;
    assert!(recompute.run(whole, &PriceBook::read(&book(BEFORE)).unwrap(), &|_| {}).await.unwrap() > 0);
    assert_eq!(stored(&app).await, before, "seed {seed}");
    assert_verified(&app, "back").await;
    let totals = app.get("/api/v1/assistants/totals?datetime_from=2026-01-30&datetime_to=2026-02-05").await;
    let cost = totals["totals"].as_array().unwrap().iter().find(|total| total["id"] == "cost").unwrap();
    let shown = decimal(total(&calls, BEFORE));
    assert_eq!(cost["value"], shown.trim_end_matches('0').trim_end_matches('.'), "{totals}");
    let noted: Vec<u64> =
        app.clickhouse.fetch("SELECT count() FROM prices_random_analytics._price_changes").await.unwrap();
    assert_eq!(noted, [0]);

    let models =
        models_without_price(&app.clickhouse, &target, whole, &PriceBook::read(&book(AFTER)).unwrap()).await.unwrap();
    let wanted = calls
        .iter()
        .filter(|call| call.operation != "execute_tool" && call.tokens.is_some() && call.cost(BEFORE).is_none());
    let mut by_model: BTreeMap<(&str, &str), (u64, u64, u64)> = BTreeMap::new();
    for call in wanted {
        let counts = by_model.entry((call.provider, call.model)).or_default();
        counts.0 += 1;
        counts.1 += u64::from(call.tokens.unwrap().0);
        counts.2 += u64::from(call.cost(AFTER).is_some());
    }
    let shown: BTreeMap<(&str, &str), (u64, u64, u64)> = models
        .iter()
        .map(|model| ((&*model.provider, &*model.model), (model.calls, model.input_tokens, model.calls_with_price)))
        .collect();
    assert_eq!(shown, by_model, "seed {seed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_that_come_in_meanwhile_are_counted_once() {
    let mut random = fastrand::Rng::with_seed(11);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prices.toml");
    std::fs::write(&file, book(BEFORE)).unwrap();
    let app = TestApp::start_with("prices_meanwhile", Via::Tcp, |config| asked_anew(config, file)).await;
    let calls: Vec<Call> = (0..2_000).map(|_| Call::any(&mut random)).collect();
    let documents: Vec<Value> = calls.iter().enumerate().map(|(number, call)| call.document(number)).collect();
    app.store_spans(&documents[..500]).await;
    let target = target("prices_meanwhile");
    let recompute = Recompute { clickhouse: &app.clickhouse, target: &target };
    let whole = window("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z");
    let recomputing = async {
        for prices in [AFTER, BEFORE, AFTER] {
            recompute.run(whole, &PriceBook::read(&book(prices)).unwrap(), &|_| {}).await.unwrap();
        }
    };
    let storing = async {
        for documents in documents[500..].chunks(50) {
            app.store_spans(documents).await;
        }
    };
    tokio::join!(recomputing, storing);
    assert_verified(&app, "meanwhile").await;
    recompute.run(whole, &PriceBook::read(&book(AFTER)).unwrap(), &|_| {}).await.unwrap();
    let after = stored(&app).await;
    for (number, call) in calls.iter().enumerate() {
        assert_eq!(after[&number], call.cost(AFTER), "{:?}", call.document(number));
    }
    assert_verified(&app, "after").await;
}

const ACCOUNT: &str = "prices_program";

/// Runs `chartwell prices …` on a folder.
fn prices(words: &[&str], folder: &Path, book: &Path, points: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chartwell"))
        .arg("prices")
        .args(words)
        .env("CHARTWELL_DATA_DIR", folder)
        .env("CHARTWELL_ACCOUNTS", ACCOUNT)
        .env("CHARTWELL_JWT_SECRET", SECRET)
        .env("CHARTWELL_RETENTION_DAYS", "0")
        .env("CHARTWELL_PRICES", book)
        .env("FAILPOINTS", points)
        .env_remove("RUST_BACKTRACE")
        .current_dir(folder)
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const RECOMPUTE: [&str; 5] = ["recompute", "--from", "2026-01-01", "--to", "2026-02-28"];

/// Serves with a price book, does something, and stops.
async fn serving(folder: &Path, book: &Path, work: impl AsyncFnOnce(&Program)) {
    let settings = [("CHARTWELL_RETENTION_DAYS", "0"), ("CHARTWELL_PRICES", book.to_str().unwrap())];
    let mut program = Program::start_with(folder, ACCOUNT, &settings);
    work(&program).await;
    program.signal("-TERM");
    program.wait();
}

async fn ask(program: &Program, path: &str) -> Value {
    let request = reqwest::Client::new().get(format!("{}{path}", program.url)).bearer_auth(sign(&claims(ACCOUNT)));
    json_of(request.send().await.unwrap()).await
}

/// The cost, as the rollup has it.
async fn cost_of_rollup(program: &Program) -> (String, Value) {
    let path = "/api/v1/assistants/totals?datetime_from=2026-01-30&datetime_to=2026-02-05&verify=true";
    let totals = ask(program, path).await;
    let cost = totals["totals"].as_array().unwrap().iter().find(|total| total["id"] == "cost").unwrap();
    (cost["value"].as_str().unwrap().to_owned(), totals["meta"]["verification"].clone())
}

/// The cost, as rollup and rows have it.
async fn cost(program: &Program) -> String {
    let (cost, verification) = cost_of_rollup(program).await;
    assert_eq!(verification["different"], 0, "{verification}");
    cost
}

fn shown(billionths: i128) -> String {
    decimal(billionths).trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_between_any_two_steps_is_finished_and_counts_once() {
    let mut random = fastrand::Rng::with_seed(5);
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = [("before.toml", BEFORE), ("after.toml", AFTER)].map(|(name, prices)| {
        let file = folder.path().join(name);
        std::fs::write(&file, book(prices)).unwrap();
        file
    });
    let calls: Vec<Call> = (0..400).map(|_| Call::any(&mut random)).collect();
    let documents: Vec<Value> = calls.iter().enumerate().map(|(number, call)| call.document(number)).collect();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    serving(&data, &before, async |program| {
        let export = json!({"resourceSpans": [{"scopeSpans": [{"spans": documents}]}]});
        let request =
            reqwest::Client::new().post(format!("{}/v1/traces", program.url)).bearer_auth(sign(&claims(ACCOUNT)));
        assert!(request.json(&export).send().await.unwrap().status().is_success());
        let deadline = Instant::now() + Duration::from_secs(60);
        while cost_of_rollup(program).await.0 != shown(total(&calls, BEFORE)) {
            assert!(Instant::now() < deadline, "{}", program.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;

    let places = ["prices-begun", "prices-noted", "prices-before-rollup", "prices-after-rollup", "prices-after-set"];
    for (round, place) in places.into_iter().cycle().take(10).enumerate() {
        let (book, prices_now) = if round % 2 == 0 { (&after, AFTER) } else { (&before, BEFORE) };
        // In the first month, or in the second.
        let points = format!("{place}={}return", if round >= 5 && place != "prices-begun" { "1*off->" } else { "" });
        let killed = prices(&RECOMPUTE, &data, book, &points);
        assert!(killed.status.code().is_none(), "{place}: {}", told(&killed));
        if round % 3 == 0 {
            // The next start finishes it, with the prices that it began with, whatever they are now.
            serving(&data, &before, async |program| {
                assert_eq!(cost(program).await, shown(total(&calls, prices_now)), "{place}: {}", program.log());
            })
            .await;
        }
        let again = prices(&RECOMPUTE, &data, book, "");
        assert!(again.status.success(), "{}", told(&again));
        let again = prices(&RECOMPUTE, &data, book, "");
        assert!(told(&again).contains("0 calls have another cost"), "{}", told(&again));
        serving(&data, book, async |program| {
            assert_eq!(cost(program).await, shown(total(&calls, prices_now)), "{place}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_without_a_price_are_listed_and_a_book_with_a_mistake_names_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prices.toml");
    std::fs::write(&file, book(BEFORE)).unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let none = prices(&["check"], &data, &file, "");
    assert!(
        none.status.success() && told(&none).contains("every model that was called has a price"),
        "{}",
        told(&none)
    );
    let call = Call {
        start: "2026-02-02T10:00:00Z".parse().unwrap(),
        operation: "chat",
        provider: "openai",
        model: "new's \\ model",
        tokens: Some((1_000, 0, 100)),
        told: None,
    };
    serving(&data, &file, async |program| {
        let export = json!({"resourceSpans": [{"scopeSpans": [{"spans": [call.document(0), call.document(1)]}]}]});
        let request =
            reqwest::Client::new().post(format!("{}/v1/traces", program.url)).bearer_auth(sign(&claims(ACCOUNT)));
        assert!(request.json(&export).send().await.unwrap().status().is_success());
        // Beside it can be looked; to change rows, the folder is its own.
        eventually(Duration::from_secs(60), || async {
            let beside = prices(&["check", "--from", "2026-02-01", "--to", "2026-02-02"], &data, &file, "");
            told(&beside).contains("new's")
        })
        .await;
        let busy = prices(&["recompute", "--from", "2026-02-01", "--to", "2026-02-02"], &data, &file, "");
        assert!(!busy.status.success() && told(&busy).contains("in use by another process"), "{}", told(&busy));
    })
    .await;
    let window = ["check", "--from", "2026-02-01", "--to", "2026-02-02"];
    let listed = prices(&window, &data, &file, "");
    assert_eq!(listed.status.code(), Some(1), "{}", told(&listed));
    for text in ["new's \\ model", "2000", "200", "2026-02-02T10:00:00Z", "one model has no price"] {
        assert!(told(&listed).contains(text), "{text}: {}", told(&listed));
    }
    assert!(prices(&["check", "--from", "2026-02-03"], &data, &file, "").status.success());
    std::fs::write(&file, book(AFTER)).unwrap();
    assert!(told(&prices(&window, &data, &file, "")).contains("gives a cost to calls that have a price now"));
    let preview = told(&prices(&[&RECOMPUTE[..], &["--dry-run"]].concat(), &data, &file, ""));
    assert!(preview.contains("2026-02") && preview.contains("0.009"), "{preview}");
    assert_eq!(prices(&window, &data, &file, "").status.code(), Some(1));
    let done = told(&prices(&RECOMPUTE, &data, &file, ""));
    assert!(done.contains("2 calls have another cost"), "{done}");
    assert!(prices(&window, &data, &file, "").status.success());

    for (text, why) in [
        (
            format!("{}[[price]]\nprovider = 'x'\nmodel_patern = 'y'\n", book(&BEFORE[..1])),
            "prices.toml:12: unknown field `model_patern`",
        ),
        (book(BEFORE).replace("75.000000000", "-75"), "prices.toml:10: a price is below zero"),
        (book(BEFORE).replace("0.000000001", "0.0000000001"), "prices.toml:10: a price has more than nine decimals"),
        (book(BEFORE).replace("additive", "sideways"), "prices.toml:17:"),
    ] {
        std::fs::write(&file, text).unwrap();
        let refused = prices(&["check"], &data, &file, "");
        assert_eq!(refused.status.code(), Some(1));
        let told = told(&refused);
        assert!(told.contains(why) && told.contains("(CHARTWELL_PRICES)"), "{why}: {told}");
    }
    let wrong = prices(&["recompute", "--from", "2026-02-02", "--to", "yesterday"], &data, &file, "");
    assert!(
        wrong.status.code() == Some(2) && told(&wrong).contains("it is no day like 2026-02-01"),
        "{}",
        told(&wrong)
    );
}
