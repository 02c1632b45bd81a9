//! Why a request is not let in.

/// Why a request is not let in. The reason is for the log and the metrics alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRefused {
    /// Missing, malformed, forged, or not meant for us.
    Invalid(&'static str),
    Expired,
    /// A good token for an account that this program does not serve.
    UnknownAccount,
    /// The keys to check it with cannot be had at the moment.
    KeysUnavailable,
}

impl TokenRefused {
    /// For the metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(reason) => reason,
            Self::Expired => "expired",
            Self::UnknownAccount => "unknown account",
            Self::KeysUnavailable => "keys unavailable",
        }
    }
}
