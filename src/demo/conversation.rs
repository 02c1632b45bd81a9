//! Conversations: what agents are shown, accept, change and send.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::chance::of_hour;
use super::people::{AGENTS, Agent, SOURCES};
use super::rhythm::Slot;
use crate::json::{Json, Object};
use crate::rows::{Event, Suggestion};

const INCIDENT_HOURS: i64 = 10;

/// The contact centre.
pub struct Centre {
    seed: u64,
    agents: Vec<Agent>,
    incident: DateTime<Utc>,
}

/// A conversation on its way.
struct Conversation<'a> {
    agent: &'a Agent,
    number: u64,
    time: DateTime<Utc>,
    events: Vec<Event<'static>>,
}

impl Centre {
    pub fn new(seed: u64, incident: DateTime<Utc>) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let agents = (0..AGENTS).map(|number| Agent::number(number, &mut random)).collect();
        Self { seed, agents, incident }
    }

    /// Exactly as many events as the slot has; none at or after `end`.
    pub fn events(&self, slot: &Slot, end: DateTime<Utc>) -> Vec<Event<'static>> {
        let wanted = usize::try_from(slot.events).expect("events of an hour fit in memory");
        let mut random = of_hour(self.seed, 0, slot.from);
        let mut events = Vec::with_capacity(wanted + 64);
        while events.len() < wanted {
            events.extend(self.conversation(slot, end, &mut random));
        }
        events.truncate(wanted);
        events
    }

    fn conversation(&self, slot: &Slot, end: DateTime<Utc>, random: &mut fastrand::Rng) -> Vec<Event<'static>> {
        let length_ms = (slot.to - slot.from).num_milliseconds().max(1);
        let agent = loop {
            let agent = &self.agents[random.usize(..self.agents.len())];
            if random.f64() * 1.6 < agent.pace {
                break agent;
            }
        };
        let time = slot.from + Duration::milliseconds((random.f64() * length_ms as f64) as i64);
        let mut conversation = Conversation { agent, number: random.u64(..), time, events: Vec::new() };
        for _ in 0..2 + random.usize(..5) {
            self.message(&mut conversation, random);
        }
        // A conversation that is still going on is told up to now.
        let last = end - Duration::milliseconds(1);
        conversation.events.iter_mut().for_each(|event| event.time_utc = event.time_utc.min(last));
        conversation.events
    }

    /// Without suggestions half of the events are missing: as many messages are sent, none is shown.
    pub fn pace(&self, time: DateTime<Utc>) -> f64 {
        if self.is_broken(time) { 0.5 } else { 1.0 }
    }

    fn is_broken(&self, time: DateTime<Utc>) -> bool {
        self.incident <= time && time < self.incident + Duration::hours(INCIDENT_HOURS)
    }

    /// Suggestions are shown, some are accepted, and a message is sent.
    fn message(&self, conversation: &mut Conversation<'_>, random: &mut fastrand::Rng) {
        conversation.pass(8_000 + random.i64(0..70_000));
        let broken = self.is_broken(conversation.time);
        let mut suggestions = Vec::new();
        let shown = if broken { usize::from(random.f64() < 0.3) } else { random.usize(..=5).min(random.usize(..=5)) };
        for rank in 0..shown {
            let (source, _, _, acceptance, length) = source(conversation.time, random);
            let id = format!("{:016x}", random.u64(..));
            let length = ((length * (0.4 + 1.2 * random.f64())) as u32).max(3);
            let latency_ms = (if broken { 2_400.0 } else { 70.0 }) * (0.5 + random.f64() * random.f64() * 3.0);
            let recommendation = Object::from([
                ("recommendation_id", id.clone().into()),
                ("source", source.into()),
                ("rank", (rank as u32).into()),
                ("len_text", length.into()),
            ]);
            let mut shown = recommendation.clone();
            shown.insert("latency_ms", Json::float((latency_ms * 10.0).round() / 10.0));
            conversation.push("Recommendation Shown", shown, Vec::new(), random);
            let chance =
                acceptance * conversation.agent.fondness / (1.0 + 0.25 * rank as f64) * if broken { 0.25 } else { 1.0 };
            conversation.pass(300 + random.i64(0..4_000));
            if random.f64() < chance {
                conversation.push("Recommendation Accepted", recommendation, Vec::new(), random);
                suggestions.push(Suggestion {
                    id: id.into(),
                    source: source.into(),
                    len_text: length,
                    edited: random.f64() < 0.22,
                    rest: Object::default(),
                });
            } else if random.f64() < 0.08 {
                conversation.push("Recommendation Dismissed", recommendation, Vec::new(), random);
            }
        }
        conversation.pass(2_000 + random.i64(0..20_000));
        let assisted: u32 = suggestions.iter().map(|suggestion| suggestion.len_text).sum();
        let typed = if suggestions.is_empty() { 24 + random.u32(..220) } else { random.u32(..90) };
        conversation.push(
            "Send Message",
            Object::from([("text_length", (assisted + typed).into()), ("channel", "chat".into())]),
            suggestions,
            random,
        );
    }
}

/// A source of suggestions, by the shares that it has at this time.
fn source(time: DateTime<Utc>, random: &mut fastrand::Rng) -> (&'static str, f64, f64, f64, f64) {
    // From the beginning to the end of a year, over and over.
    let progress = (time.timestamp() as f64 / 31_557_600.0).fract();
    let share = |(_, first, later, _, _): &(&str, f64, f64, f64, f64)| first + (later - first) * progress;
    let mut left = random.f64() * SOURCES.iter().map(share).sum::<f64>();
    for source in SOURCES {
        left -= share(&source);
        if left < 0.0 {
            return source;
        }
    }
    SOURCES[0]
}

impl Conversation<'_> {
    fn pass(&mut self, milliseconds: i64) {
        self.time += Duration::milliseconds(milliseconds);
    }

    fn push(
        &mut self,
        event: &'static str,
        data: Object<'static>,
        suggestions: Vec<Suggestion<'static>>,
        random: &mut fastrand::Rng,
    ) {
        let agent = self.agent;
        self.events.push(Event {
            event_id: Uuid::from_u64_pair(random.u64(..), random.u64(..)),
            time_utc: self.time,
            event: event.into(),
            profile_code: Some(agent.profile.into()),
            platform_session_id: Some(format!("session-{:08x}", self.number >> 32).into()),
            platform: Some(agent.platform.into()),
            agent_id: Some(agent.id.clone().into()),
            agent_email: Some(agent.email.clone().into()),
            agent_name: Some(agent.name.clone().into()),
            visitor_id: Some(format!("visitor-{:012x}", self.number & 0xffff_ffff_ffff).into()),
            conversation_id: Some(format!("conversation-{:016x}", self.number).into()),
            data,
            suggestions,
        });
    }
}
