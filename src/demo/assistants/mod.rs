//! What assistants do in the demo, as an instrumentation would send it, and what is said on the phone.
//!
//! Their story: each assistant is released twice more, little by little; the last version of one of them is worse
//! than the one before, in errors, latency and cost; on one day another runs in circles, which is dear; and on
//! one day text becomes speech slowly.

mod calls;
mod cast;
mod run;
mod trace;

use chrono::{DateTime, Duration, Utc};
use opentelemetry_proto::tonic::trace::v1::Span as Message;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::chance::of_hour;
use super::people::{PROFILES, pick};
use super::plot::Plot;
use super::rhythm::{self, Slot};
use crate::ingest::otlp::Exported;
use crate::rows::{Event, hex};
use cast::{ASSISTANTS, Assistant, SHOP_GUIDE, Version};
pub use cast::{LOOPING, REGRESSED};
use run::{Casting, run};

/// The longest that assistants have been there.
const MOST_DAYS: i64 = 60;
/// To a thousand events of agents, so many runs, each of about six spans; and so many calls, each of about seven events.
const RUNS: u64 = 80;
const CALLS: u64 = 15;
/// People who ask.
const USERS: usize = 900;
/// Runs of the looping assistant that loop on the dear day.
const LOOPS: f64 = 0.4;
const STAGING: f64 = 0.05;
/// How long a release takes, of the whole story.
const ROLL_OUT: f64 = 0.05;
/// By how much it is in staging earlier.
const STAGED_BEFORE: f64 = 0.03;

/// The story of the assistants, or how it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AssistantStory {
    pub seed: u64,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub runs: u64,
    pub calls: u64,
    pub plot: Plot,
}

impl AssistantStory {
    /// The last days before `now`, in a centre whose agents have made so many events since then.
    pub fn new(seed: u64, events: u64, since: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let from = since.max(now - Duration::days(MOST_DAYS));
        let events = rhythm::as_many(events, (since, now), (from, now));
        let (runs, calls) = (events * RUNS / 1_000, events * CALLS / 1_000);
        Self { seed, from, to: now, runs, calls, plot: Plot { from, to: now } }
    }

    /// All spans, hour by hour, with how many runs they are of.
    pub fn spans(&self) -> impl Iterator<Item = (u64, Vec<Exported<Message>>)> {
        let story = *self;
        let users = users(story.seed);
        let slots = rhythm::slots(self.from, self.to, self.runs, |_| 1.0);
        slots.into_iter().map(move |slot| (slot.events, story.runs_of(&slot, &users)))
    }

    /// All that is told of voice calls, hour by hour.
    pub fn voice(&self) -> impl Iterator<Item = Vec<Event<'static>>> {
        let story = *self;
        rhythm::slots(self.from, self.to, self.calls, |_| 1.0).into_iter().map(move |slot| calls::calls(&story, &slot))
    }

    /// What has happened since, at the same pace.
    pub fn continued(&self, now: DateTime<Utc>) -> Self {
        let since = |amount| rhythm::as_many(amount, (self.from, self.to), (self.to, now));
        Self { from: self.to, to: now, runs: since(self.runs), calls: since(self.calls), ..*self }
    }

    /// This, and what came after it, told as one.
    pub fn with(&self, since: &Self) -> Self {
        Self { to: since.to, runs: self.runs + since.runs, calls: self.calls + since.calls, ..*self }
    }

    /// The runs of an hour, conversation by conversation.
    fn runs_of(&self, slot: &Slot, users: &[String]) -> Vec<Exported<Message>> {
        let mut random = of_hour(self.seed, 1, slot.from);
        let length_us = (slot.to - slot.from).num_microseconds().unwrap_or(1) as f64;
        let (mut spans, mut left) = (Vec::new(), slot.events);
        while left > 0 {
            let turns = left.min(1 + random.u64(..3) * random.u64(..2));
            left -= turns;
            let mut time = slot.from + Duration::microseconds((random.f64() * length_us) as i64);
            let assistant = assistant_of(random.f64());
            let is_staging = random.f64() < STAGING;
            let profile = if random.f64() < 0.85 { assistant.profile } else { pick(&PROFILES, &mut random) };
            // Some ask again and again.
            let user = &users[(random.f64() * random.f64() * USERS as f64) as usize];
            let conversation = format!("chat-{:016x}", random.u64(..));
            let mut before = None;
            for turn in 0..turns as usize {
                let casting = Casting {
                    assistant,
                    version: version_at(assistant, &self.plot, time, is_staging, &mut random),
                    topic: &assistant.topics[random.usize(..assistant.topics.len())],
                    environment: if is_staging { "staging" } else { "production" },
                    profile,
                    user,
                    conversation: &conversation,
                    turn,
                    in_circles: assistant.code == LOOPING
                        && self.plot.circles().contains(&time)
                        && random.f64() < LOOPS,
                    plot: &self.plot,
                    time,
                };
                let trace = run(casting, before.take(), &mut random);
                // A run that would not be over yet has begun earlier.
                let start = time.min(self.to - trace.lasted());
                if start < self.from {
                    continue;
                }
                before = Some(trace.root());
                time = start + trace.lasted() + Duration::milliseconds(4_000 + random.i64(0..40_000));
                spans.extend(trace.at(start));
            }
        }
        spans
    }
}

/// A run of the assistant of an experiment, in a conversation of its own, when it is over before the end of the story.
pub fn guided(
    (visitor, conversation): (&str, &str),
    (profile, thinks_first): (&'static str, bool),
    (time, to): (DateTime<Utc>, DateTime<Utc>),
    random: &mut fastrand::Rng,
) -> Option<impl Iterator<Item = Exported<Message>> + use<>> {
    let casting = Casting {
        assistant: &SHOP_GUIDE,
        version: &SHOP_GUIDE.versions[if thinks_first { 2 } else { 1 }],
        topic: &SHOP_GUIDE.topics[random.usize(..SHOP_GUIDE.topics.len())],
        environment: "production",
        profile,
        user: visitor,
        conversation,
        turn: 0,
        in_circles: false,
        // It asks no other assistant, whose version would depend on it.
        plot: &Plot { from: time, to },
        time,
    };
    let trace = run(casting, None, random);
    (time + trace.lasted() < to).then(|| trace.at(time))
}

/// Code and versions of that assistant: without and with a thought first.
pub fn guide() -> (&'static str, [&'static str; 2]) {
    (SHOP_GUIDE.code, [SHOP_GUIDE.versions[1].number, SHOP_GUIDE.versions[2].number])
}

/// Codes, names and profiles of the assistants, as the operational database knows them.
pub fn assistants() -> impl Iterator<Item = [&'static str; 3]> {
    ASSISTANTS.iter().chain([&SHOP_GUIDE]).map(|assistant| [assistant.code, assistant.name, assistant.profile])
}

fn assistant(code: &str) -> &'static Assistant {
    ASSISTANTS.iter().find(|assistant| assistant.code == code).expect("the cast has it")
}

/// The assistant at this place between 0 and 1, by their shares.
fn assistant_of(mut left: f64) -> &'static Assistant {
    let found = ASSISTANTS.iter().find(|assistant| {
        left -= assistant.share;
        left < 0.0
    });
    found.unwrap_or(&ASSISTANTS[0])
}

/// The version that answers at that time: while a release goes on, now the old one and now the new one.
fn version_at(
    assistant: &'static Assistant,
    plot: &Plot,
    time: DateTime<Utc>,
    is_staging: bool,
    random: &mut fastrand::Rng,
) -> &'static Version {
    let index = ASSISTANTS.iter().position(|known| known.code == assistant.code).unwrap_or(0) as f64;
    // The worse version has not been found out yet.
    let last = if assistant.code == REGRESSED { 0.84 } else { 0.60 + 0.03 * index };
    let released = [0.26 + 0.03 * index, last];
    let luck = random.f64();
    let is_out = |share: &f64| match is_staging {
        true => plot.at(share - STAGED_BEFORE) <= time,
        false => plot.at(share + ROLL_OUT * luck) <= time,
    };
    &assistant.versions[released.iter().filter(|share| is_out(share)).count()]
}

/// Digests of those who ask: their ids are nowhere else.
fn users(seed: u64) -> Vec<String> {
    (0..USERS).map(|number| hex(&Sha256::digest(format!("demo user {number} of {seed}")))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

    use super::*;
    use crate::ingest::otlp::spans::{self, SpanReading};
    use crate::ingest::{Coverage, PriceBook, Reading};
    use crate::json::Json;
    use crate::rows::Span;

    fn story() -> AssistantStory {
        let now = "2026-03-18T13:20:00Z".parse().unwrap();
        AssistantStory::new(7, 60_000, now - Duration::days(90), now)
    }

    /// The rows that the program makes of its spans.
    fn rows(story: &AssistantStory) -> Vec<Span<'static>> {
        let reading = Reading { now: story.to, retention_days: 0, salt: "salt" };
        let (prices, coverage) = (PriceBook::built_in(), Coverage::default());
        let reading = SpanReading { reading, prices: &prices, coverage: &coverage };
        story.spans().flat_map(|(_, spans)| spans).map(|span| spans::read(span, reading).unwrap()).collect()
    }

    fn voice(story: &AssistantStory) -> Vec<Event<'static>> {
        story.voice().flatten().collect()
    }

    fn number(event: &Event<'_>, field: &str) -> Option<f64> {
        if let Some(Json::Float(number)) = event.data.get(field) { Some(*number) } else { None }
    }

    fn median(mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// What a trace cost, by its id, in US dollars.
    fn costs(rows: &[Span<'_>]) -> HashMap<[u8; 16], f64> {
        let mut costs = HashMap::new();
        for row in rows {
            *costs.entry(row.trace_id).or_default() += row.columns.cost_billionths.unwrap_or(0) as f64 / 1e9;
        }
        costs
    }

    #[test]
    fn the_same_seed_tells_the_same_story() {
        let short = AssistantStory { runs: 300, calls: 60, ..story() };
        let other = AssistantStory { seed: 8, ..short };
        assert_eq!(rows(&short), rows(&short));
        assert_eq!(voice(&short), voice(&short));
        assert_ne!(rows(&short), rows(&other));
        assert_ne!(voice(&short), voice(&other));
    }

    #[test]
    fn it_lies_within_its_time_and_every_id_is_there_once() {
        let (story, rows) = (story(), rows(&story()));
        assert!((18_000..34_000).contains(&rows.len()), "{}", rows.len());
        let ends = rows.iter().filter_map(|row| row.end_time);
        assert!(ends.clone().count() > rows.len() - 40 && ends.max().unwrap() < story.to);
        assert!(rows.iter().all(|row| story.from <= row.start_time && row.start_time < story.to));
        let ids: HashSet<_> = rows.iter().map(|row| (row.trace_id, row.span_id)).collect();
        assert_eq!(ids.len(), rows.len());
        let runs = rows.iter().filter(|row| row.parent_id.is_none()).count() as u64;
        assert!((story.runs - 2..=story.runs).contains(&runs), "{runs} of {}", story.runs);

        let events = voice(&story);
        assert!(events.iter().all(|event| story.from <= event.time_utc && event.time_utc < story.to));
        assert_eq!(events.iter().map(|event| event.event_id).collect::<HashSet<_>>().len(), events.len());
        let calls = events.iter().filter(|event| &*event.event == "voice_call_ended").count() as u64;
        assert!((story.calls - 2..=story.calls).contains(&calls), "{calls} of {}", story.calls);
    }

    #[test]
    fn every_span_but_a_root_has_its_parent_and_lies_within_it() {
        let rows = rows(&story());
        let by_id: HashMap<_, _> = rows.iter().map(|row| ((row.trace_id, row.span_id), row)).collect();
        for row in &rows {
            let Some(parent) = row.parent_id else { continue };
            let parent = by_id[&(row.trace_id, parent)];
            assert!(parent.start_time <= row.start_time);
            assert!(parent.end_time.is_none_or(|end| row.end_time.unwrap() <= end));
        }
    }

    #[test]
    fn it_has_of_everything_that_can_be_asked_for() {
        let rows = rows(&story());
        let different = |of: fn(&Span<'static>) -> String| rows.iter().map(of).collect::<BTreeSet<_>>();
        let versions = different(|row| format!("{} {}", row.columns.assistant_code, row.columns.assistant_version));
        assert_eq!(versions.len(), 18, "{versions:?}");
        assert_eq!(different(|row| row.columns.environment.to_string()).len(), 2);
        assert!(different(|row| row.columns.profile_code.as_deref().unwrap().to_owned()).len() > 4);
        assert!(different(|row| row.columns.error_type.to_string()).len() > 7);
        assert!(different(|row| row.columns.tool_name.to_string()).len() > 10);
        assert!(different(|row| row.columns.user_id_hash.to_string()).len() > 300);
        let operations = different(|row| row.columns.operation.to_string());
        for operation in ["invoke_agent", "chat", "embeddings", "retrieval", "execute_tool", "speech_to_text"] {
            assert!(operations.contains(operation), "{operation}");
        }
        let calls: Vec<_> =
            rows.iter().filter(|row| ["chat", "embeddings"].contains(&&*row.columns.operation)).collect();
        let models: BTreeMap<_, BTreeSet<_>> = calls.iter().fold(BTreeMap::new(), |mut models, row| {
            let (provider, model) = (row.columns.provider.to_string(), row.columns.model.to_string());
            let is_priced = row.columns.cost_billionths.is_some();
            if row.columns.input_tokens.is_some() {
                models.entry(is_priced).or_insert_with(BTreeSet::new).insert((provider, model));
            }
            models
        });
        assert_eq!(models[&true].len(), 5, "{models:?}");
        assert_eq!(models[&true].iter().map(|(provider, _)| provider).collect::<BTreeSet<_>>().len(), 3);
        assert!(models[&false].contains(&("self_hosted".to_owned(), "intent-classifier-2".to_owned())));
        let share = |fits: &dyn Fn(&&Span<'static>) -> bool| {
            calls.iter().filter(|row| fits(row)).count() as f64 / calls.len() as f64
        };
        assert!((0.0005..0.01).contains(&share(&|row| row.columns.model.is_empty())));
        assert!(share(&|row| row.columns.time_to_first_token_ms.is_some()) > 0.25);
        assert!(share(&|row| row.columns.cached_input_tokens.is_some_and(|cached| cached > 0)) > 0.25);
        assert!(rows.iter().any(|row| row.end_time.is_none()));
        assert!(rows.iter().any(|row| !row.links.is_empty()) && rows.iter().any(|row| !row.events.is_empty()));
        // An assistant that another asked for help.
        assert!(rows.iter().any(|row| row.parent_id.is_some() && &*row.columns.operation == "invoke_agent"));
    }

    #[test]
    fn the_last_version_of_one_assistant_is_worse_and_no_other_is() {
        let rows = rows(&AssistantStory { runs: 9_000, ..story() });
        let costs = costs(&rows);
        for assistant in &ASSISTANTS {
            let of = |version: &Version| {
                let runs: Vec<_> = rows
                    .iter()
                    .filter(|row| row.parent_id.is_none() && *row.columns.assistant_code == *assistant.code)
                    .filter(|row| *row.columns.assistant_version == *version.number)
                    .collect();
                let failed = runs.iter().filter(|run| &*run.status_code == "ERROR").count() as f64;
                let durations =
                    runs.iter().filter_map(|run| Some((run.end_time? - run.start_time).num_milliseconds() as f64));
                let cost = median(runs.iter().map(|run| costs[&run.trace_id]).collect());
                let broken =
                    runs.iter().filter(|run| &*run.columns.error_type == "schema_validation_failed").count() as f64;
                (failed / runs.len() as f64, median(durations.collect()), cost, broken / runs.len() as f64)
            };
            let [_, before, last] = &assistant.versions;
            let (before, last) = (of(before), of(last));
            if assistant.code == REGRESSED {
                assert!(last.0 > 3.0 * before.0 && last.1 > 1.5 * before.1 && last.2 > 3.0 * before.2);
                assert!(before.3 == 0.0 && last.3 > 0.08, "{before:?} {last:?}");
            } else {
                assert!(last.0 < 0.06 && last.1 < 1.3 * before.1, "{}: {before:?} {last:?}", assistant.code);
                assert_eq!(last.3, 0.0);
            }
        }
    }

    #[test]
    fn one_day_is_dear() {
        let (story, rows) = (story(), rows(&story()));
        let mut by_day: BTreeMap<_, f64> = BTreeMap::new();
        for row in &rows {
            let cost = row.columns.cost_billionths.unwrap_or(0) as f64 / 1e9;
            *by_day.entry(row.start_time.date_naive()).or_default() += cost;
        }
        let dearest = by_day.iter().max_by(|one, other| one.1.total_cmp(other.1)).unwrap();
        assert_eq!(*dearest.0, story.plot.circles().start.date_naive());
        assert!(*dearest.1 > 5.0 * median(by_day.values().copied().collect()), "{by_day:?}");
    }

    #[test]
    fn on_one_day_callers_wait_for_speech() {
        let (story, events) = (AssistantStory { calls: 2_000, ..story() }, voice);
        let events = events(&story);
        let slow = story.plot.slow_speech();
        let of = |field: &str, is_slow: bool| {
            let turns = events.iter().filter(|event| slow.contains(&event.time_utc) == is_slow);
            turns.filter_map(|event| number(event, field)).collect::<Vec<_>>()
        };
        assert!(median(of("text_to_speech_ms", true)) > 4.0 * median(of("text_to_speech_ms", false)));
        assert!((0.8..1.25).contains(&(mean(&of("model_ms", true)) / mean(&of("model_ms", false)))));
        let parts: f64 =
            ["speech_to_text_ms", "model_ms", "text_to_speech_ms"].map(|part| mean(&of(part, false))).iter().sum();
        assert!((1.0..1.2).contains(&(mean(&of("first_audio_ms", false)) / parts)));
        let told = |event: &Event<'_>, field: &str| event.data.get(field).and_then(Json::as_str).map(str::to_owned);
        let ended: Vec<_> = events.iter().filter(|event| &*event.event == "voice_call_ended").collect();
        let outcomes: BTreeSet<_> = ended.iter().filter_map(|event| told(event, "outcome")).collect();
        assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), ["abandoned", "contained", "transferred"]);
        for event in ended {
            assert_eq!(
                told(event, "transfer_reason").is_some(),
                told(event, "outcome").as_deref() == Some("transferred")
            );
            assert!(["inbound", "outbound"].contains(&&*told(event, "direction").unwrap()));
        }
    }

    #[test]
    fn it_goes_on_where_it_stopped() {
        let (story, later) = (story(), "2026-03-19T13:20:00Z".parse().unwrap());
        let since = story.continued(later);
        let ids = |story: &AssistantStory| rows(story).iter().map(|row| row.trace_id).collect::<HashSet<_>>();
        let (told, new) = (ids(&story), ids(&since));
        assert!((30..200).contains(&new.len()), "{}", new.len());
        assert!(told.is_disjoint(&new));
        assert!(rows(&since).iter().all(|row| story.to <= row.start_time && row.start_time < later));
        assert!(voice(&since).iter().all(|event| story.to <= event.time_utc && event.time_utc < later));
        // Its days stay where they are.
        assert_eq!(story.with(&since).plot, story.plot);
        assert_eq!(story.with(&since).runs, story.runs + since.runs);
        let latest = rows(&since);
        let of_regressed = latest.iter().filter(|row| *row.columns.assistant_code == *REGRESSED);
        assert!(
            of_regressed.clone().count() > 0
                && of_regressed.clone().all(|row| &*row.columns.assistant_version == "2.5.0")
        );
    }
}
