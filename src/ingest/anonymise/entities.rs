//! Names in texts, found by a service with the protocol of the Presidio analyzer.
//!
//! Texts are sent together, apart by empty lines, and the places of the answer are counted in characters.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Anonymiser;
use super::walk::{Personal, Visitor};
use crate::config::{AnonymiseConfig, Kind, OnFailure};
use crate::json::{Json, Object, Text};
use crate::outbound::{self, ClientError};

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

/// What becomes of a text.
struct Marked {
    text: String,
    names: usize,
}

impl EntityService {
    /// The service of the settings, where there is one.
    pub fn new(config: &AnonymiseConfig) -> Result<Option<Self>, ClientError> {
        let Some(url) = &config.entity_service_url else { return Ok(None) };
        let timeout = Duration::from_millis(config.entity_service_timeout_ms);
        Ok(Some(Self {
            http: outbound::client(reqwest::Client::builder().timeout(timeout))?,
            url: format!("{}/analyze", url.trim_end_matches('/')),
            entities: config.entity_service_entities.clone(),
            language: config.entity_service_language.clone(),
            on_failure: config.entity_service_failure,
        }))
    }

    /// Replaces the names in rows. Whether rows pass when there is no answer, the settings say.
    pub async fn clean<R: Personal>(&self, rows: &mut [R], anonymiser: &Anonymiser) -> Result<(), EntityError> {
        let mut gathered = Gather(BTreeSet::new());
        rows.iter_mut().for_each(|row| row.show(&mut gathered));
        let mut replacements = HashMap::new();
        match self.find(gathered.0, &mut replacements).await {
            Err(error) if self.on_failure == OnFailure::Closed => return Err(error),
            Err(error) => {
                metrics::counter!("chartwell_entity_service_failures_total").increment(1);
                tracing::warn!(%error, "rows are stored with the names that are in them");
            }
            Ok(()) => {}
        }
        if !replacements.is_empty() {
            rows.iter_mut().for_each(|row| row.show(&mut Replace { replacements: &replacements, anonymiser }));
        }
        Ok(())
    }

    /// Finds what becomes of each text that has a name in it.
    async fn find(
        &self,
        texts: BTreeSet<String>,
        replacements: &mut HashMap<String, Marked>,
    ) -> Result<(), EntityError> {
        let (mut together, mut characters) = (Vec::new(), 0);
        let mut texts = texts.into_iter().peekable();
        while let Some(text) = texts.next() {
            characters += text.chars().count() + BETWEEN.len();
            together.push(text);
            if characters >= MOST_CHARACTERS || texts.peek().is_none() {
                self.ask(&together, replacements).await?;
                together.clear();
                characters = 0;
            }
        }
        Ok(())
    }

    async fn ask(&self, texts: &[String], replacements: &mut HashMap<String, Marked>) -> Result<(), EntityError> {
        let text = texts.join(BETWEEN);
        let question =
            Question { text: &text, language: &self.language, entities: &self.entities, score_threshold: LEAST_SCORE };
        let response = self.http.post(&self.url).json(&question).send().await?.error_for_status()?;
        let mut found: Vec<Entity> = response.json().await?;
        found.retain(|entity| entity.score >= LEAST_SCORE && entity.start < entity.end);
        found.sort_unstable_by_key(|entity| (entity.start, std::cmp::Reverse(entity.end)));
        let mut begin = 0;
        for text in texts {
            let end = begin + text.chars().count();
            // What reaches beyond a text, into the next one or past the last, is a find as far as it is within.
            let within = found.iter().filter(|entity| entity.start < end && begin < entity.end);
            let finds: Vec<(Range<usize>, &str)> = within
                .map(|entity| (entity.start.max(begin) - begin..entity.end.min(end) - begin, &*entity.entity_type))
                .collect();
            if !finds.is_empty() {
                replacements.insert(text.clone(), marked(text, &finds));
            }
            begin = end + BETWEEN.len();
        }
        Ok(())
    }
}

/// The text with marks in the place of finds, whose places are counted in characters.
fn marked(text: &str, finds: &[(Range<usize>, &str)]) -> Marked {
    let characters: Vec<char> = text.chars().collect();
    let (mut marked, mut end) = (Marked { text: String::with_capacity(text.len()), names: 0 }, 0);
    for (find, kind) in finds {
        // Finds that overlap are one, under the name of the first.
        if find.start >= end {
            marked.text.extend(&characters[end..find.start]);
            marked.text.push_str(&format!("<{}>", kind.to_ascii_lowercase()));
            marked.names += 1;
        }
        end = end.max(find.end);
    }
    marked.text.extend(&characters[end..]);
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

struct Replace<'r> {
    replacements: &'r HashMap<String, Marked>,
    anonymiser: &'r Anonymiser,
}

impl Visitor for Replace<'_> {
    fn text(&mut self, text: &mut Text<'_>) {
        if let Some(marked) = self.replacements.get(&**text) {
            *text = marked.text.clone().into();
            (0..marked.names).for_each(|_| self.anonymiser.count(Kind::Name));
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
