//! Experiments of the demo: three that run since 30 days, of visitors who ask an assistant and maybe get what they came for.
//!
//! Their story: one variant wins clearly; one does as well as the control, but its assistant thinks before it speaks, which
//! is slower and dearer, as the spans of its conversations show; and one cannot be judged, because a platform loses most
//! exposures of its variant.

use chrono::{DateTime, Duration, Utc};
use opentelemetry_proto::tonic::trace::v1::Span as Message;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::assistants::{guide, guided};
use super::chance::around;
use super::people::{PLATFORMS, PROFILES, pick};
use super::rhythm;
use crate::ingest::otlp::Exported;
use crate::json::{Json, Object};
use crate::rows::Event;

/// The longest that experiments have run.
const MOST_DAYS: i64 = 30;
/// To a thousand events of agents, so many visitors of each experiment, each of about four events.
const VISITORS: u64 = 24;
/// Visitors who come back some days later.
const RETURNING: f64 = 0.2;
/// The goal: an event of its own.
const GOAL: &str = "success";

/// The experiment whose variant wins.
pub const WINNING: &str = "suggested-replies";
/// The one whose variant does as well, slower and dearer.
pub const FLAT: &str = "plan-first";
/// The one that loses exposures.
pub const LOSING: &str = "new-greeting";

struct Experiment {
    id: &'static str,
    assistant: &'static str,
    variants: [&'static str; 2],
    /// The part of each variant's visitors who get what they came for.
    successes: [f64; 2],
    /// The platform that loses exposures of the second variant, and how many.
    loses: Option<(&'static str, f64)>,
}

const EXPERIMENTS: [Experiment; 3] = [
    Experiment {
        id: WINNING,
        assistant: "order-status",
        variants: ["control", "replies"],
        successes: [0.28, 0.46],
        loses: None,
    },
    Experiment { id: FLAT, assistant: "shop-guide", variants: ["control", "plan"], successes: [0.41; 2], loses: None },
    Experiment {
        id: LOSING,
        assistant: "billing-help",
        variants: ["control", "greeting"],
        successes: [0.36, 0.40],
        loses: Some(("zendesk", 0.9)),
    },
];

/// The story of the experiments, or how it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ExperimentStory {
    pub seed: u64,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    /// The number of its first visitor: who somebody is depends on nothing but the seed and that.
    pub first: u64,
    /// Of each experiment.
    pub visitors: u64,
}

/// A visitor of an experiment.
struct Visitor {
    experiment: &'static Experiment,
    /// Which variant it gets.
    arm: usize,
    profile: &'static str,
    platform: &'static str,
    id: String,
    conversation: String,
    /// When it comes.
    time: DateTime<Utc>,
    /// What it does is drawn from these.
    random: fastrand::Rng,
}

impl ExperimentStory {
    /// The last days before `now`, in a centre whose agents have made so many events since then.
    pub fn new(seed: u64, events: u64, since: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let from = since.max(now - Duration::days(MOST_DAYS));
        let events = rhythm::as_many(events, (since, now), (from, now));
        Self { seed, from, to: now, first: 0, visitors: events * VISITORS / 1_000 }
    }

    /// What has happened since, at the same pace.
    pub fn continued(&self, now: DateTime<Utc>) -> Self {
        let visitors = rhythm::as_many(self.visitors, (self.from, self.to), (self.to, now));
        Self { from: self.to, to: now, first: self.first + self.visitors, visitors, ..*self }
    }

    /// This, and what came after it, told as one.
    pub fn with(&self, since: &Self) -> Self {
        Self { to: since.to, visitors: self.visitors + since.visitors, ..*self }
    }

    /// What is told of visitors, hour by hour, with how many came of each experiment. What lies behind the end of the
    /// story is not told.
    pub fn events(&self) -> impl Iterator<Item = (u64, Vec<Event<'static>>)> {
        let to = self.to;
        self.hours().map(move |(count, visitors)| {
            let events = visitors.into_iter().flat_map(Visitor::events).filter(|event| event.time_utc < to);
            (count, events.collect())
        })
    }

    /// Runs of the assistant that thinks first, or does not, in the very conversations of its visitors.
    pub fn spans(&self) -> impl Iterator<Item = Vec<Exported<Message>>> {
        let to = self.to;
        self.hours().map(move |(_, visitors)| {
            visitors.into_iter().filter_map(|visitor| visitor.run(to)).flatten().collect::<Vec<_>>()
        })
    }

    fn hours(&self) -> impl Iterator<Item = (u64, Vec<Visitor>)> {
        let story = *self;
        let mut next = self.first;
        rhythm::slots(self.from, self.to, self.visitors, |_| 1.0).into_iter().map(move |slot| {
            let numbers = next..next + slot.events;
            next = numbers.end;
            let length_us = (slot.to - slot.from).num_microseconds().unwrap_or(1) as f64;
            let each = |number| EXPERIMENTS.iter().zip(1..).map(move |(experiment, part)| (number, experiment, part));
            let came = |(number, experiment, part)| {
                let mut visitor = Visitor::number(story.seed, number, experiment, part);
                visitor.time = slot.from + Duration::microseconds((visitor.random.f64() * length_us) as i64);
                visitor
            };
            (slot.events, numbers.flat_map(each).map(came).collect())
        })
    }
}

impl Visitor {
    /// Always the same for the same number. When it comes is not known yet.
    fn number(seed: u64, number: u64, experiment: &'static Experiment, part: u64) -> Self {
        let who = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ part.wrapping_mul(0xd1b5_4a32_d192_ed03);
        let mut random = fastrand::Rng::with_seed(seed ^ who);
        Self {
            experiment,
            arm: random.usize(..2),
            profile: pick(&PROFILES, &mut random),
            platform: pick(&PLATFORMS, &mut random),
            id: format!("guest-{:012x}", random.u64(..1 << 48)),
            conversation: format!("guest-chat-{:016x}", random.u64(..)),
            time: DateTime::UNIX_EPOCH,
            random,
        }
    }

    /// The version of the assistant that answers: where spans tell it too, the same.
    fn version(&self) -> &'static str {
        let (assistant, versions) = guide();
        if self.experiment.assistant == assistant { versions[self.arm] } else { "2.0.0" }
    }

    fn events(mut self) -> Vec<Event<'static>> {
        let began = self.time;
        let mut events = Vec::new();
        let lost = self.random.f64();
        let is_lost = self.arm == 1
            && self.experiment.loses.is_some_and(|(platform, share)| platform == self.platform && lost < share);
        if !is_lost {
            events.push(self.event("exposure", self.told([])));
            if self.random.f64() < RETURNING {
                self.time = began + Duration::milliseconds((self.random.f64() * 4.0 * 86_400e3) as i64);
                events.push(self.event("exposure", self.told([])));
            }
        }
        self.time = began;
        for _ in 0..1 + self.random.usize(..2) {
            self.pass(9_000.0);
            let slow = if self.experiment.id == FLAT && self.arm == 1 { 1.6 } else { 1.0 };
            let outcome = if self.random.f64() < 0.02 { "failed" } else { "answered" };
            let [latency, asked, answered] = [(1_150.0, 0.35), (820.0, 0.2), (140.0, 0.3)]
                .map(|(usual, spread)| around(&mut self.random, usual * slow, spread).round());
            let interaction = self.told([
                ("outcome", outcome.into()),
                ("latency_ms", Json::float(latency)),
                ("prompt_tokens", (asked as u32).into()),
                ("response_tokens", (answered as u32).into()),
                ("model", "gpt-4.1-mini-2025-04-14".into()),
            ]);
            events.push(self.event("interaction", interaction));
        }
        if self.random.f64() < self.experiment.successes[self.arm] {
            self.pass(95_000.0);
            events.push(self.event(GOAL, self.told([])));
        }
        events
    }

    fn run(self, to: DateTime<Utc>) -> Option<impl Iterator<Item = Exported<Message>> + use<>> {
        let mut random = fastrand::Rng::with_seed(self.random.get_seed() ^ 1);
        let is_guided = self.experiment.assistant == guide().0;
        let (who, how) = ((self.id.as_str(), self.conversation.as_str()), (self.profile, self.arm == 1));
        is_guided.then(|| guided(who, how, (self.time + Duration::milliseconds(250), to), &mut random)).flatten()
    }

    fn pass(&mut self, milliseconds: f64) {
        self.time += Duration::milliseconds(around(&mut self.random, milliseconds, 0.5) as i64);
    }

    /// What events of the experiment say, and this.
    fn told<const N: usize>(&self, more: [(&'static str, Json<'static>); N]) -> Object<'static> {
        let mut told = Object::from(more);
        told.insert("experiment_id", self.experiment.id);
        told.insert("variant", self.experiment.variants[self.arm]);
        told.insert("assistant_id", self.experiment.assistant);
        told.insert("assistant_version", self.version());
        told
    }

    fn event(&mut self, name: &'static str, data: Object<'static>) -> Event<'static> {
        Event {
            event_id: Uuid::from_u64_pair(self.random.u64(..), self.random.u64(..)),
            time_utc: self.time,
            event: name.into(),
            profile_code: Some(self.profile.into()),
            platform_session_id: None,
            platform: Some(self.platform.into()),
            agent_id: None,
            agent_email: None,
            agent_name: None,
            visitor_id: Some(self.id.clone().into()),
            conversation_id: Some(self.conversation.clone().into()),
            data,
            suggestions: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;

    fn story() -> ExperimentStory {
        let now = "2026-03-18T13:20:00Z".parse().unwrap();
        ExperimentStory::new(1, 90_000, now - Duration::days(90), now)
    }

    fn events(story: &ExperimentStory) -> Vec<Event<'static>> {
        story.events().flat_map(|(_, events)| events).collect()
    }

    fn text<'e>(event: &'e Event<'_>, field: &str) -> &'e str {
        match event.data.get(field) {
            Some(Json::Text(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_same_seed_tells_the_same_story_within_its_time_and_every_id_is_there_once() {
        let (story, told) = (story(), events(&story()));
        assert_eq!(told, events(&story));
        assert_ne!(told, events(&ExperimentStory { seed: 2, ..story }));
        assert!(told.iter().all(|event| story.from <= event.time_utc && event.time_utc < story.to));
        assert_eq!(told.iter().map(|event| event.event_id).collect::<HashSet<_>>().len(), told.len());
        assert!((600..800).contains(&story.visitors), "{}", story.visitors);
    }

    #[test]
    fn it_goes_on_with_others() {
        let later = story().continued("2026-03-20T13:20:00Z".parse().unwrap());
        let known: HashSet<_> = events(&story()).into_iter().map(|event| event.visitor_id).collect();
        let new = events(&later);
        assert!(!new.is_empty() && new.iter().all(|event| !known.contains(&event.visitor_id)));
        assert_eq!(story().with(&later).visitors, story().visitors + later.visitors);
    }

    #[test]
    fn each_tells_what_it_should() {
        let told = events(&story());
        let of = |name: &str, experiment: &str, platform: Option<&str>| {
            let mut visitors: BTreeMap<String, HashSet<String>> = BTreeMap::new();
            for event in told.iter().filter(|event| &*event.event == name && text(event, "experiment_id") == experiment)
            {
                if platform.is_none_or(|platform| event.platform.as_deref() == Some(platform)) {
                    let visitor = event.visitor_id.as_deref().unwrap().to_owned();
                    visitors.entry(text(event, "variant").to_owned()).or_default().insert(visitor);
                }
            }
            visitors.into_values().map(|visitors| visitors.len() as f64).collect::<Vec<_>>()
        };
        let rates = |experiment| {
            let (exposed, won) = (of("exposure", experiment, None), of(GOAL, experiment, None));
            [won[0] / exposed[0], won[1] / exposed[1]]
        };
        let [control, variant] = rates(WINNING);
        assert!(variant > 1.35 * control, "{control} {variant}");
        let [control, variant] = rates(FLAT);
        assert!((0.8..1.25).contains(&(variant / control)), "{control} {variant}");
        let lost = of("exposure", LOSING, Some("zendesk"));
        assert!(lost[1] < 0.25 * lost[0], "{lost:?}");
        let kept = of("exposure", LOSING, Some("genesys"));
        assert!((0.75..1.34).contains(&(kept[1] / kept[0])), "{kept:?}");
    }

    #[test]
    fn runs_are_in_conversations_of_their_experiment_and_one_variant_is_slower() {
        let exposed: BTreeMap<String, String> = events(&story())
            .iter()
            .filter(|event| &*event.event == "exposure" && text(event, "experiment_id") == FLAT)
            .map(|event| (event.conversation_id.as_deref().unwrap().to_owned(), text(event, "variant").to_owned()))
            .collect();
        let mut lengths: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for span in story().spans().flatten().map(|exported| exported.message) {
            let attribute = span.attributes.iter().find(|attribute| attribute.key == "gen_ai.conversation.id").unwrap();
            let conversation = format!("{:?}", attribute.value);
            let (_, variant) = exposed.iter().find(|(known, _)| conversation.contains(known.as_str())).unwrap();
            if span.parent_span_id.is_empty() && span.end_time_unix_nano > 0 {
                lengths.entry(variant.clone()).or_default().push(span.end_time_unix_nano - span.start_time_unix_nano);
            }
        }
        let median = |variant: &str| {
            let mut lengths = lengths[variant].clone();
            lengths.sort_unstable();
            lengths[lengths.len() / 2] as f64
        };
        assert!(median("plan") > 1.3 * median("control"), "{} {}", median("plan"), median("control"));
        assert!(lengths.values().map(Vec::len).sum::<usize>() as u64 > story().visitors * 9 / 10);
    }
}
