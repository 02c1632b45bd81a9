//! Why a row is not accepted.

/// Why a row is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub code: &'static str,
    /// JSON pointer into the event.
    pub pointer: String,
    pub detail: String,
}

impl Rejection {
    pub fn new(code: &'static str, pointer: &str, detail: impl Into<String>) -> Self {
        Self { code, pointer: pointer.to_owned(), detail: detail.into() }
    }

    pub fn invalid_type(pointer: &str, wanted: &str) -> Self {
        Self::new("invalid_type", pointer, format!("`{pointer}` must be {wanted}"))
    }
}
