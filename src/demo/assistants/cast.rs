//! The cast: six assistants and one of an experiment, with their versions, the models that they ask, and what they talk about.

/// A model.
#[derive(Debug)]
pub struct Model {
    pub provider: &'static str,
    pub name: &'static str,
    pub address: &'static str,
    /// Usual milliseconds to the first token, and for each token behind it.
    pub first_token_ms: f64,
    pub token_ms: f64,
    /// Whether cached tokens are counted beside the input instead of inside.
    pub counts_cached_beside: bool,
}

const fn model(
    provider: &'static str,
    [name, address]: [&'static str; 2],
    [first_token_ms, token_ms]: [f64; 2],
) -> Model {
    Model { provider, name, address, first_token_ms, token_ms, counts_cached_beside: false }
}

pub static SMALL: Model = model("openai", ["gpt-4.1-mini-2025-04-14", "api.openai.com"], [340.0, 7.0]);
pub static LARGE: Model = model("openai", ["gpt-4.1-2025-04-14", "api.openai.com"], [520.0, 14.0]);
pub static FLASH: Model = model("gcp.gemini", ["gemini-2.5-flash", "generativelanguage.googleapis.com"], [390.0, 5.0]);
pub static SONNET: Model = Model {
    counts_cached_beside: true,
    ..model("anthropic", ["claude-sonnet-4-5-20250929", "api.anthropic.com"], [780.0, 15.0])
};
/// It makes vectors for retrieval.
pub static VECTORS: Model = model("openai", ["text-embedding-3-small", "api.openai.com"], [60.0, 0.0]);
/// Of the centre's own, without a price.
pub static INTENTS: Model = model("self_hosted", ["intent-classifier-2", "models.internal.example"], [45.0, 2.0]);

/// A version of an assistant.
#[derive(Debug)]
pub struct Version {
    pub number: &'static str,
    pub model: &'static Model,
    /// How long its steps take, around 1.
    pub slowness: f64,
    /// How long its prompts are, around 1.
    pub wordiness: f64,
    /// The share of runs that fail for the usual reasons.
    pub failing: f64,
    /// The share of runs that fail because the version is broken.
    pub broken: f64,
}

const fn version(number: &'static str, model: &'static Model, slowness: f64, wordiness: f64) -> Version {
    Version { number, model, slowness, wordiness, failing: 0.02, broken: 0.0 }
}

/// What somebody asks, and how it is answered.
#[derive(Debug)]
pub struct Topic {
    pub question: &'static str,
    pub answer: &'static str,
    /// The article that helps.
    pub article: &'static str,
    /// The tool that helps: its name, what it is given, what it gives.
    pub tool: [&'static str; 3],
}

#[derive(Debug)]
pub struct Assistant {
    pub code: &'static str,
    pub name: &'static str,
    pub profile: &'static str,
    /// The share of runs.
    pub share: f64,
    /// The oldest first.
    pub versions: [Version; 3],
    /// Another one that it may ask for help.
    pub helper: Option<&'static str>,
    /// Whether it listens and speaks.
    pub is_voice: bool,
    /// Whether it tells intents apart before anything else.
    pub sorts_first: bool,
    pub topics: [Topic; 3],
}

const fn topic(question: &'static str, answer: &'static str, article: &'static str, tool: [&'static str; 3]) -> Topic {
    Topic { question, answer, article, tool }
}

/// The one whose last version is worse than the one before.
pub const REGRESSED: &str = "returns-desk";
/// The one that runs in circles on the dear day.
pub const LOOPING: &str = "claims-intake";
/// The one on the phone.
pub const ON_THE_PHONE: &str = "phone-concierge";

/// The one of the experiment `plan-first`: its first version is that of the control, the last one thinks before it speaks.
pub static SHOP_GUIDE: Assistant = Assistant {
    code: "shop-guide",
    name: "Shop guide",
    profile: "sales",
    share: 0.0,
    versions: [
        version("1.0.0", &SMALL, 1.0, 1.0),
        version("1.1.0", &SMALL, 1.0, 1.0),
        version("1.1.0-plan", &SMALL, 1.35, 1.6),
    ],
    helper: None,
    is_voice: false,
    sorts_first: false,
    topics: [
        topic(
            "Which of these tents is dry after a night of rain?",
            "The blue one: its floor is welded, and it stood a night under the hose in our test. It is in stock in both sizes.",
            "Tents and water columns",
            ["compare_articles", r#"{"by":"water_column"}"#, r#"{"articles":3,"best":"blue"}"#],
        ),
        topic(
            "I am looking for a present for somebody who cooks.",
            "A knife of carbon steel is what cooks ask us for most; it comes sharpened and in a box. Shall I show you the three below fifty?",
            "Presents by occasion",
            ["find_articles", r#"{"topic":"cooking"}"#, r#"{"articles":12,"below_fifty":3}"#],
        ),
        topic(
            "Does this jacket run small?",
            "A little: most who return it take one size more. I have put the next size into your basket beside the first.",
            "Sizes by maker",
            ["size_advice", r#"{"article":"jacket"}"#, r#"{"returned_as_small":0.31}"#],
        ),
    ],
};

pub static ASSISTANTS: [Assistant; 6] = [
    Assistant {
        code: "order-status",
        name: "Order status",
        profile: "support",
        share: 0.30,
        versions: [
            version("3.1.0", &SMALL, 1.1, 1.0),
            version("3.2.0", &SMALL, 1.0, 0.9),
            version("3.3.0", &FLASH, 0.9, 0.9),
        ],
        helper: Some("returns-desk"),
        is_voice: false,
        sorts_first: true,
        topics: [
            topic(
                "Where is my parcel? It should have been here yesterday.",
                "It left the depot this morning and arrives tomorrow before 18:00. I have asked the carrier to leave a message when it is an hour away.",
                "Delivery times by carrier",
                [
                    "find_order",
                    r#"{"include":["shipment"]}"#,
                    r#"{"status":"in_transit","last_scan":"depot","eta_days":1}"#,
                ],
            ),
            topic(
                "Can I still change the delivery address?",
                "Yes, until the parcel leaves the depot. I have sent the new address to the carrier; the confirmation follows by message.",
                "Changing an order that is on its way",
                ["change_delivery", r#"{"change":"address"}"#, r#"{"accepted":true,"cut_off":"21:00"}"#],
            ),
            topic(
                "My order shows as delivered, but there is nothing here.",
                "The carrier left it at a collection point round the corner. You can pick it up with your collection code until Saturday.",
                "Delivered and not found",
                ["find_order", r#"{"include":["proof"]}"#, r#"{"status":"delivered","place":"collection_point"}"#],
            ),
        ],
    },
    Assistant {
        code: "billing-help",
        name: "Billing help",
        profile: "billing",
        share: 0.20,
        versions: [
            version("1.8.2", &LARGE, 1.0, 1.0),
            version("1.9.0", &SMALL, 1.0, 1.1),
            version("1.10.0", &SMALL, 0.95, 1.0),
        ],
        helper: None,
        is_voice: false,
        sorts_first: false,
        topics: [
            topic(
                "Why is my invoice higher than last month?",
                "Last month still had the discount of the first quarter. The plan itself costs the same; from next month on the yearly plan would save 12 percent.",
                "How discounts end",
                [
                    "get_invoice",
                    r#"{"period":"last","compare":true}"#,
                    r#"{"lines":4,"difference":"9.50","reason":"discount_ended"}"#,
                ],
            ),
            topic(
                "I was charged twice.",
                "The second charge is a reservation by your bank and is released within three working days. Only one payment was booked with us.",
                "Reservations and bookings",
                ["list_payments", r#"{"days":14}"#, r#"{"booked":1,"reserved":1}"#],
            ),
            topic(
                "Can I pay this in parts?",
                "Yes, in three parts without extra cost. I have prepared the agreement; it starts when you confirm it.",
                "Payment in parts",
                ["offer_payment_plan", r#"{"parts":3}"#, r#"{"offered":true,"interest":"0"}"#],
            ),
        ],
    },
    Assistant {
        code: REGRESSED,
        name: "Returns desk",
        profile: "returns",
        share: 0.20,
        versions: [
            version("2.3.0", &SMALL, 1.0, 1.0),
            version("2.4.0", &SMALL, 0.95, 1.0),
            Version { failing: 0.025, broken: 0.12, ..version("2.5.0", &SONNET, 1.1, 1.3) },
        ],
        helper: None,
        is_voice: false,
        sorts_first: false,
        topics: [
            topic(
                "How do I send the shoes back? They are too small.",
                "I have made a return label for you; it is valid for 14 days. The larger size is in stock, shall I reserve it?",
                "Returning an article",
                [
                    "create_return_label",
                    r#"{"reason":"size","carrier":"any"}"#,
                    r#"{"label":"created","valid_days":14}"#,
                ],
            ),
            topic(
                "When do I get my money back?",
                "The return arrived on Monday and was checked; the refund is on its way and takes up to five working days.",
                "How long refunds take",
                ["refund_status", r#"{"include":["inspection"]}"#, r#"{"state":"approved","working_days":5}"#],
            ),
            topic(
                "The lamp arrived broken.",
                "I am sorry about that. A new one is sent today, and the broken one does not have to come back.",
                "Damaged in transit",
                ["create_replacement", r#"{"reason":"damaged"}"#, r#"{"replacement":"ordered","keep_item":true}"#],
            ),
        ],
    },
    Assistant {
        code: "tech-triage",
        name: "Technical triage",
        profile: "technical",
        share: 0.12,
        versions: [
            version("0.9.0", &LARGE, 1.1, 1.3),
            version("1.0.0", &LARGE, 1.0, 1.2),
            version("1.1.0", &FLASH, 1.0, 1.3),
        ],
        helper: Some("returns-desk"),
        is_voice: false,
        sorts_first: true,
        topics: [
            topic(
                "The router blinks red and there is no connection.",
                "There is no outage in your area. The line test shows that the router does not answer: please take the plug out for ten seconds. I stay with you until it is green.",
                "Lights of the router",
                ["test_line", r#"{"checks":["sync","outage"]}"#, r#"{"outage":false,"sync":false}"#],
            ),
            topic(
                "The app closes as soon as I open it.",
                "Version 7.2 has this fault on older devices, and 7.3 mends it. It is in the store since this morning.",
                "Known faults of the app",
                ["known_issues", r#"{"product":"app"}"#, r#"{"matches":1,"fixed_in":"7.3"}"#],
            ),
            topic(
                "Wi-Fi is slow upstairs.",
                "The channel is crowded. I have moved the router to a free one; the speed upstairs should be about twice as high in a minute.",
                "Better Wi-Fi at home",
                ["change_channel", r#"{"band":"5GHz"}"#, r#"{"changed":true,"channel":44}"#],
            ),
        ],
    },
    Assistant {
        code: ON_THE_PHONE,
        name: "Phone concierge",
        profile: "support",
        share: 0.10,
        versions: [
            version("5.0.1", &SMALL, 0.9, 0.6),
            version("5.1.0", &FLASH, 0.8, 0.6),
            version("5.2.0", &FLASH, 0.75, 0.6),
        ],
        helper: Some("billing-help"),
        is_voice: true,
        sorts_first: false,
        topics: [
            topic(
                "I want to move my appointment.",
                "Of course. There is room on Thursday at ten or on Friday at two. Which one suits you?",
                "Appointments",
                ["find_slots", r#"{"days":5}"#, r#"{"slots":2}"#],
            ),
            topic(
                "Are you open on Saturday?",
                "Yes, on Saturday we are open from nine to five.",
                "Opening hours",
                ["opening_hours", r#"{"day":"saturday"}"#, r#"{"open":"09:00","close":"17:00"}"#],
            ),
            topic(
                "I would like to cancel my subscription.",
                "I can do that for you. It ends with this month, and you keep access until then. Shall I go ahead?",
                "Ending a subscription",
                ["get_subscription", r#"{"include":["notice"]}"#, r#"{"notice_days":0,"ends":"end_of_month"}"#],
            ),
        ],
    },
    Assistant {
        code: LOOPING,
        name: "Claims intake",
        profile: "claims",
        share: 0.08,
        versions: [
            version("0.4.0", &SONNET, 1.1, 1.6),
            version("0.5.0", &SONNET, 1.0, 1.5),
            version("0.6.0", &SONNET, 1.0, 1.4),
        ],
        helper: None,
        is_voice: false,
        sorts_first: false,
        topics: [
            topic(
                "Water came through the ceiling, what do you need from me?",
                "Pictures of the ceiling and the floor, and the name of whoever repaired the pipe. I have opened the claim; the first answer comes within two days.",
                "Water damage: what is needed",
                ["open_claim", r#"{"kind":"water"}"#, r#"{"claim":"opened","answer_within_days":2}"#],
            ),
            topic(
                "My bicycle was stolen from the station.",
                "I am sorry. With the report of the police and the second key the claim is complete; both can be sent from the app.",
                "Theft: what is needed",
                ["read_documents", r#"{"kinds":["police_report"]}"#, r#"{"documents":2,"complete":false}"#],
            ),
            topic(
                "Has my claim been decided?",
                "The documents are complete since Tuesday. It is with an assessor, who decides within five working days.",
                "How long a decision takes",
                ["claim_status", r#"{"include":["documents"]}"#, r#"{"state":"assessment","working_days":5}"#],
            ),
        ],
    },
];

/// The usual ways to fail: share of failures, type, whether the tool failed (else the model), what is said.
pub const FAILURES: [(f64, &str, bool, &str); 6] = [
    (0.28, "rate_limit_exceeded", false, "429: too many requests; try again in 2 s"),
    (0.27, "timeout", true, "the tool gave no answer within 10 s"),
    (0.15, "connection_error", true, "connection refused by the order system"),
    (0.12, "content_filter", false, "the answer was held back by the content filter"),
    (0.10, "context_length_exceeded", false, "the prompt is longer than the model takes"),
    (0.08, "server_error", false, "503: the model is overloaded"),
];
/// How the broken version fails.
pub const BROKEN: (&str, &str) =
    ("schema_validation_failed", "`carrier` is no field of the tool's answer since version 2 of its schema");
/// How running in circles ends, if it ends.
pub const IN_CIRCLES: (&str, &str) = ("step_limit_reached", "the assistant took more steps than it may");
