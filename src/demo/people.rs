//! The people of the demo: profiles, agents, platforms.

/// A profile: code, and its share of the business.
pub const PROFILES: [(&str, f64); 8] = [
    ("support", 0.27),
    ("billing", 0.19),
    ("sales", 0.15),
    ("technical", 0.13),
    ("returns", 0.10),
    ("onboarding", 0.07),
    ("retention", 0.05),
    ("claims", 0.04),
];

pub const PLATFORMS: [(&str, f64); 4] =
    [("genesys", 0.44), ("zendesk", 0.28), ("salesforce", 0.18), ("livechat", 0.10)];

/// Raw sources of suggestions: name, share at first, share a year later, chance of being accepted,
/// usual length.
pub const SOURCES: [(&str, f64, f64, f64, f64); 14] = [
    ("rec", 0.16, 0.10, 0.34, 62.0),
    ("semantic", 0.09, 0.06, 0.31, 70.0),
    ("trie", 0.12, 0.06, 0.38, 34.0),
    ("trie-with-typos", 0.05, 0.03, 0.30, 32.0),
    ("mixed", 0.05, 0.03, 0.33, 48.0),
    ("text_recommendation", 0.17, 0.17, 0.29, 118.0),
    ("sticky-messages", 0.08, 0.08, 0.47, 96.0),
    ("studio-search", 0.05, 0.05, 0.52, 140.0),
    ("search-preview", 0.03, 0.03, 0.44, 120.0),
    ("search-default", 0.04, 0.04, 0.46, 132.0),
    ("search-personal", 0.03, 0.03, 0.50, 104.0),
    ("gpt", 0.07, 0.27, 0.41, 176.0),
    ("url_recommendation", 0.04, 0.03, 0.36, 44.0),
    ("search-url", 0.02, 0.02, 0.40, 46.0),
];

const FIRST_NAMES: [&str; 25] = [
    "Sam", "Noor", "Eva", "Daan", "Lotte", "Yusuf", "Mila", "Finn", "Sara", "Jonas", "Amira", "Luuk", "Fleur", "Thijs",
    "Julia", "Omar", "Nina", "Bram", "Iris", "Levi", "Zoë", "Ruben", "Hanna", "Tess", "Adam",
];
const LAST_NAMES: [&str; 20] = [
    "de Vries",
    "Jansen",
    "Bakker",
    "Visser",
    "Smit",
    "Meijer",
    "Mulder",
    "de Boer",
    "Bos",
    "Vos",
    "Peters",
    "Hendriks",
    "Dekker",
    "Kok",
    "van Dijk",
    "Willems",
    "Kaya",
    "Yılmaz",
    "El Amrani",
    "Nowak",
];

/// How many agents there are: every first name with every last name.
pub const AGENTS: usize = FIRST_NAMES.len() * LAST_NAMES.len();

/// An agent: what is always the same about one.
#[derive(Debug, Clone)]
pub struct Agent {
    pub id: String,
    pub name: String,
    pub email: String,
    pub profile: &'static str,
    pub platform: &'static str,
    /// How busy, around 1.
    pub pace: f64,
    /// How fond of suggestions, around 1.
    pub fondness: f64,
}

impl Agent {
    pub fn number(number: usize, random: &mut fastrand::Rng) -> Self {
        let first = FIRST_NAMES[number % FIRST_NAMES.len()];
        let last = LAST_NAMES[number / FIRST_NAMES.len() % LAST_NAMES.len()];
        Self {
            id: format!("agent-{number:03}"),
            name: format!("{first} {last}"),
            email: format!("agent-{number:03}@contact-centre.example"),
            profile: pick(&PROFILES, random),
            platform: pick(&PLATFORMS, random),
            pace: 0.4 + 1.2 * random.f64(),
            fondness: 0.6 + 0.8 * random.f64(),
        }
    }
}

/// One of these, by their shares.
pub fn pick(shares: &[(&'static str, f64)], random: &mut fastrand::Rng) -> &'static str {
    let mut left = random.f64() * shares.iter().map(|(_, share)| share).sum::<f64>();
    for (name, share) in shares {
        left -= share;
        if left < 0.0 {
            return name;
        }
    }
    shares[shares.len() - 1].0
}
