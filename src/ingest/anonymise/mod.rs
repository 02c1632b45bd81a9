//! Anonymisation: personal data and secrets are replaced by marks of their kind before anything is stored.
//!
//! It is on unless an account's settings say otherwise. Every text is looked at as it reads (see
//! [`unfold`]): data of events, names and values of attributes, inputs and outputs, names of fields.

mod detect;
mod entities;
mod national;
mod unfold;
mod walk;

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use phonenumber::country;

use crate::config::{Kind, Kinds};
use detect::Detector;
pub use entities::{EntityError, EntityService};
pub use walk::Personal;

/// What stands in the place of personal data.
const fn mark(kind: Kind) -> &'static str {
    match kind {
        Kind::Email => "<email>",
        Kind::Phone => "<phone>",
        Kind::Card => "<card>",
        Kind::Iban => "<iban>",
        Kind::Ip => "<ip>",
        Kind::NationalId => "<national_id>",
        Kind::Query => "?<query>",
        Kind::Secret => "<secret>",
        Kind::Name => "<name>",
    }
}

/// Whether a text that should be a name of something has personal data or a secret in it.
pub fn is_personal(text: &str) -> bool {
    static ALL: LazyLock<Detector> = LazyLock::new(|| Detector { kinds: Kinds::ALL, phone_regions: Vec::new() });
    !ALL.finds(text).is_empty()
}

/// Whether a text that should be a random id is an account number or a secret. What else there is could be found in
/// random letters and digits by chance.
pub fn is_account_or_secret(text: &str) -> bool {
    static SOME: LazyLock<Detector> = LazyLock::new(|| Detector {
        kinds: Kinds::default().with(Kind::Iban).with(Kind::Secret),
        phone_regions: Vec::new(),
    });
    !SOME.finds(text).is_empty()
}

/// Replaces personal data of one account.
pub struct Anonymiser {
    detector: Detector,
    salt: String,
    counts: Arc<[AtomicU64; Kind::ALL.len()]>,
}

impl Anonymiser {
    /// `phone_regions` are the countries whose numbers are recognised without their country code.
    pub fn new(kinds: Kinds, phone_regions: Vec<country::Id>, salt: &str) -> Self {
        Self { detector: Detector { kinds, phone_regions }, salt: salt.to_owned(), counts: Default::default() }
    }

    /// Goes on with the counts of the one before.
    pub fn after(self, before: &Self) -> Self {
        Self { counts: Arc::clone(&before.counts), ..self }
    }

    /// How often each kind was replaced.
    pub fn counts(&self) -> impl Iterator<Item = (Kind, u64)> {
        Kind::ALL.into_iter().map(|kind| (kind, self.counts[kind as usize].load(Ordering::Relaxed)))
    }

    /// Whether names are to be found by the service.
    pub fn wants_names(&self) -> bool {
        self.detector.kinds.has(Kind::Name)
    }

    /// The text without personal data; `None` when there is none in it.
    fn replaced(&self, text: &str) -> Option<String> {
        if self.detector.kinds.is_empty() {
            return None;
        }
        let unfolded = unfold::unfolded(text);
        let finds = self.detector.finds(&unfolded);
        // As it reads, two finds may be one; as it stands, one may be there that reading has lost.
        let (text, finds) = match (finds.is_empty(), &unfolded) {
            (false, _) => (&*unfolded, finds),
            (true, Cow::Borrowed(_)) => return None,
            (true, Cow::Owned(_)) => (text, self.detector.finds(text)),
        };
        if finds.is_empty() {
            return None;
        }
        let mut replaced = String::with_capacity(text.len());
        let mut end = 0;
        for (range, kind) in finds {
            replaced.push_str(&text[end..range.start]);
            replaced.push_str(mark(kind));
            end = range.end;
            self.count(kind);
        }
        replaced.push_str(&text[end..]);
        Some(replaced)
    }

    fn count(&self, kind: Kind) {
        self.counts[kind as usize].fetch_add(1, Ordering::Relaxed);
        metrics::counter!("chartwell_anonymised_total", "kind" => kind.name()).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replaced_keeps_its_kind_and_is_counted() {
        let anonymiser = Anonymiser::new(Kinds::ALL, Vec::new(), "salt");
        let text = "Write to jane@example.org or +31 6 12345678; see https://x.example/p?q=1.";
        assert_eq!(anonymiser.replaced(text).unwrap(), "Write to <email> or <phone>; see https://x.example/p?<query>");
        assert_eq!(anonymiser.replaced("ｊａｎｅ＠example.org").unwrap(), "<email>");
        assert_eq!(anonymiser.replaced("Zoë asks for a table at 7"), None);
        let counts: Vec<(Kind, u64)> = anonymiser.counts().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counts, [(Kind::Email, 2), (Kind::Phone, 1), (Kind::Query, 1)]);
    }

    #[test]
    fn only_the_kinds_of_the_settings_are_replaced() {
        let anonymiser = Anonymiser::new(Kinds::default().with(Kind::Phone), Vec::new(), "salt");
        assert_eq!(anonymiser.replaced("jane@example.org +31612345678").unwrap(), "jane@example.org <phone>");
        assert_eq!(Anonymiser::new(Kinds::default(), Vec::new(), "salt").replaced("jane@example.org"), None);
    }
}
