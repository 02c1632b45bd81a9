//! Names in texts, found by a service with the protocol of the Presidio analyzer.
//!
//! Texts are sent together, apart by empty lines, and the places of the answer are counted in characters.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::walk::{Personal, Visitor};
use crate::config::{AnonymiseConfig, OnFailure};
use crate::json::{Json, Object, Text};

/// Characters that are sent at once.
const MOST_CHARACTERS: usize = 50_000;
const BETWEEN: &str = "\n\n";
const LEAST_SCORE: f64 = 0.5;

/// The service.
pub struct EntityService {
    http: reqwest::Client,
    url: String,
    entities: Vec<String>,
    language: String,
    on_failure: OnFailure,
}

/// The service gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("the named-entity service gives no answer: {0}")]
pub struct EntityError(#[from] reqwest::Error);

#[derive(Serialize)]
struct Question<'a> {
    text: &'a str,
    language: &'a str,
    entities: &'a [String],
    score_threshold: f64,
}

#[derive(Deserialize)]
struct Entity {
    entity_type: String,
    start: usize,
    end: usize,
    score: f64,
}

impl EntityService {
    /// The service of the settings, where there is one.
    pub fn new(config: &AnonymiseConfig) -> Option<Self> {
        let url = format!("{}/analyze", config.entity_service_url.as_deref()?.trim_end_matches('/'));
        let timeout = Duration::from_millis(config.entity_service_timeout_ms);
        let http =
            reqwest::Client::builder().timeout(timeout).build().expect("a client without a certificate of its own");
        Some(Self {
            http,
            url,
            entities: config.entity_service_entities.clone(),
            language: config.entity_service_language.clone(),
            on_failure: config.entity_service_failure,
        })
    }

    /// Replaces the names in rows. Whether rows pass when there is no answer, the settings say.
    pub async fn clean<R: Personal>(&self, rows: &mut [R]) -> Result<(), EntityError> {
        let mut gathered = Gather(BTreeSet::new());
        rows.iter_mut().for_each(|row| row.show(&mut gathered));
        match self.replacements(gathered.0).await {
            Ok(replacements) if replacements.is_empty() => Ok(()),
            Ok(replacements) => {
                rows.iter_mut().for_each(|row| row.show(&mut Replace(&replacements)));
                Ok(())
            }
            Err(error) if self.on_failure == OnFailure::Pass => {
                metrics::counter!("chartwell_entity_service_failures_total").increment(1);
                tracing::warn!(%error, "rows are stored with the names that are in them");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// What becomes of each text that has a name in it.
    async fn replacements(&self, texts: BTreeSet<String>) -> Result<HashMap<String, String>, EntityError> {
        let mut replacements = HashMap::new();
        let (mut together, mut characters) = (Vec::new(), 0);
        let mut texts = texts.into_iter().peekable();
        while let Some(text) = texts.next() {
            characters += text.chars().count() + BETWEEN.len();
            together.push(text);
            if characters >= MOST_CHARACTERS || texts.peek().is_none() {
                self.ask(&together, &mut replacements).await?;
                together.clear();
                characters = 0;
            }
        }
        Ok(replacements)
    }

    async fn ask(&self, texts: &[String], replacements: &mut HashMap<String, String>) -> Result<(), EntityError> {
        let text = texts.join(BETWEEN);
        let question =
            Question { text: &text, language: &self.language, entities: &self.entities, score_threshold: LEAST_SCORE };
        let response = self.http.post(&self.url).json(&question).send().await?.error_for_status()?;
        let mut found: Vec<Entity> = response.json().await?;
        found.retain(|entity| entity.score >= LEAST_SCORE && entity.start < entity.end);
        found.sort_unstable_by_key(|entity| (entity.start, std::cmp::Reverse(entity.end)));
        let mut begin = 0;
        for text in texts {
            let length = text.chars().count();
            let inside: Vec<&Entity> =
                found.iter().filter(|entity| begin <= entity.start && entity.end <= begin + length).collect();
            if !inside.is_empty() {
                replacements.insert(text.clone(), marked(text, begin, &inside));
            }
            begin += length + BETWEEN.len();
        }
        Ok(())
    }
}

/// The text, which begins at a character of the question, with marks for entities.
fn marked(text: &str, begin: usize, entities: &[&Entity]) -> String {
    let characters: Vec<char> = text.chars().collect();
    let (mut marked, mut end) = (String::with_capacity(text.len()), 0);
    for entity in entities {
        let (from, to) = (entity.start - begin, entity.end - begin);
        // Of two finds that overlap, the first counts.
        if from < end {
            continue;
        }
        marked.extend(&characters[end..from]);
        marked.push_str(&format!("<{}>", entity.entity_type.to_ascii_lowercase()));
        metrics::counter!("chartwell_anonymised_total", "kind" => "name").increment(1);
        end = to;
    }
    marked.extend(&characters[end..]);
    marked
}

/// Texts of several words: what a name can stand in.
struct Gather(BTreeSet<String>);

impl Visitor for Gather {
    fn text(&mut self, text: &mut Text<'_>) {
        if text.trim().contains(char::is_whitespace) && text.contains(char::is_alphabetic) {
            self.0.insert(text.to_string());
        }
    }

    fn id(&mut self, _: &mut Text<'_>) {}

    fn object(&mut self, object: &mut Object<'_>) {
        object.iter_mut().for_each(|(_, value)| texts(value, &mut |text| self.text(text)));
    }
}

struct Replace<'r>(&'r HashMap<String, String>);

impl Visitor for Replace<'_> {
    fn text(&mut self, text: &mut Text<'_>) {
        if let Some(replacement) = self.0.get(&**text) {
            *text = replacement.clone().into();
        }
    }

    fn id(&mut self, _: &mut Text<'_>) {}

    fn object(&mut self, object: &mut Object<'_>) {
        object.iter_mut().for_each(|(_, value)| texts(value, &mut |text| self.text(text)));
    }
}

/// Every text within a value.
fn texts<'a>(value: &mut Json<'a>, look: &mut dyn FnMut(&mut Text<'a>)) {
    match value {
        Json::Text(text) => look(text),
        Json::List(list) => list.iter_mut().for_each(|item| texts(item, look)),
        Json::Object(object) => object.iter_mut().for_each(|(_, value)| texts(value, look)),
        _ => {}
    }
}
