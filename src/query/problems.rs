//! What is wrong with a question: values, not HTTP.

use std::borrow::Cow;

/// One thing that is wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The parameter's name; `None` when it is about the body, or the request as a whole.
    pub parameter: Option<String>,
    /// The place in the body, as a JSON pointer; that of the whole body is empty.
    pub pointer: Option<String>,
    pub kind: ProblemKind,
    /// A sentence for the person who wrote the request.
    pub detail: String,
    pub allowed: Vec<String>,
}

/// The kinds of problems that have codes of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    InvalidParameter,
    UnknownParameter,
    TooManyBuckets,
}

impl Problem {
    pub fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            parameter: Some(name.into()),
            pointer: None,
            kind: ProblemKind::InvalidParameter,
            detail: detail.into(),
            allowed: Vec::new(),
        }
    }

    pub fn general(detail: impl Into<String>) -> Self {
        Self {
            parameter: None,
            pointer: None,
            kind: ProblemKind::InvalidParameter,
            detail: detail.into(),
            allowed: Vec::new(),
        }
    }

    /// At a place in the body.
    pub fn body(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), ..Self::general(detail) }
    }

    /// The same problem, at a place in the body.
    pub fn at(self, pointer: impl Into<String>) -> Self {
        Self { parameter: None, pointer: Some(pointer.into()), ..self }
    }

    /// A value outside a closed list.
    pub fn not_allowed<A: AsRef<str>>(name: &str, value: &str, allowed: &[A]) -> Self {
        let near = nearest(value, allowed).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        Self::parameter(name, format!("`{}` is not one of the allowed values{near}", shown(value)))
            .with_allowed(allowed)
    }

    pub fn unknown_parameter(name: &str, near: Option<&str>, known: &[&str]) -> Self {
        let detail = match near {
            Some(near) => format!("is not a parameter of this endpoint; did you mean `{near}`?"),
            None => "is not a parameter of this endpoint".to_owned(),
        };
        Self { kind: ProblemKind::UnknownParameter, ..Self::parameter(shown(name), detail) }.with_allowed(known)
    }

    pub fn with_allowed<A: AsRef<str>>(mut self, allowed: &[A]) -> Self {
        self.allowed = allowed.iter().map(|value| value.as_ref().to_owned()).collect();
        self
    }
}

/// All that is wrong with a question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// The known word that was probably meant.
pub fn nearest<'a, A: AsRef<str>>(word: &str, known: &'a [A]) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.as_ref().to_lowercase()), candidate.as_ref()))
        .filter(|(likeness, _)| *likeness > 0.82)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// A value as it may stand in an answer: short, and without control characters.
pub fn shown(value: &str) -> Cow<'_, str> {
    const LONGEST: usize = 80;
    if value.chars().count() <= LONGEST && !value.contains(char::is_control) {
        return Cow::Borrowed(value);
    }
    let mut short: String = value.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if value.chars().count() > LONGEST {
        short.push('…');
    }
    Cow::Owned(short)
}
