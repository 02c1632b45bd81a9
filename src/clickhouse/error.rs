//! What can go wrong with a statement, by what the asker can do about it.

use crate::outbound::innermost;

/// A statement that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{failure:?}: {message}")]
pub struct QueryError {
    pub failure: Failure,
    /// The engine's own words, for the log alone.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It ran out of its time.
    Timeout,
    /// It needed more memory, rows or bytes than one question may.
    TooLarge,
    /// Too many others are running or waiting.
    Overloaded,
    /// The engine cannot be reached, or a table is not there (yet).
    Unavailable,
    /// Nobody waits for it any more.
    Cancelled,
    /// Anything else: our mistake, or the engine's.
    Other,
}

impl Failure {
    /// As metrics and traces tell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::Overloaded => "overloaded",
            Self::Unavailable => "unavailable",
            Self::Cancelled => "cancelled",
            Self::Other => "other",
        }
    }
}

impl QueryError {
    pub fn overloaded(message: impl Into<String>) -> Self {
        Self { failure: Failure::Overloaded, message: message.into() }
    }

    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { failure: Failure::Unavailable, message: message.into() }
    }

    pub fn other(message: impl Into<String>) -> Self {
        Self { failure: Failure::Other, message: message.into() }
    }

    /// The number of the engine's exception, where it is one.
    pub fn code(&self) -> Option<u32> {
        exception_code(&self.message)
    }

    /// As a server among others means it: one that goes away in the middle of a statement cancels it, and what another
    /// one reads of it ends too early.
    pub(super) fn of_one_of_many(self) -> Self {
        let is_of_its_end = self.failure == Failure::Cancelled || self.code() == Some(READ_AFTER_EOF);
        if is_of_its_end { Self { failure: Failure::Unavailable, ..self } } else { self }
    }

    /// Whether another server may do what this one could not.
    pub fn is_of_the_server(&self) -> bool {
        matches!(self.failure, Failure::Unavailable | Failure::Overloaded)
    }

    /// Whether the same statement may succeed when it is sent again later.
    pub fn is_transient(&self) -> bool {
        !matches!(self.failure, Failure::Other)
    }
}

/// ATTEMPT_TO_READ_AFTER_EOF
const READ_AFTER_EOF: u32 = 32;
/// UNFINISHED: replicas that are away do the rest when they are back.
pub(super) const UNFINISHED: u32 = 341;

impl From<clickhouse::error::Error> for QueryError {
    fn from(error: clickhouse::error::Error) -> Self {
        use clickhouse::error::Error;
        let message = match &error {
            // That the connection failed is known; its innermost cause says why.
            Error::Network(cause) => format!("{error}: {}", innermost(&**cause)),
            _ => error.to_string(),
        };
        let failure = match &error {
            Error::BadResponse(text) => exception_code(text).map_or(Failure::Unavailable, failure_of),
            Error::Network(_) | Error::TimedOut => Failure::Unavailable,
            _ => Failure::Other,
        };
        Self { failure, message }
    }
}

/// The number in `Code: N. DB::Exception: …`; a response without one did not come from ClickHouse.
fn exception_code(text: &str) -> Option<u32> {
    let digits = text.split_once("Code: ")?.1;
    digits[..digits.find(|c: char| !c.is_ascii_digit())?].parse().ok()
}

fn failure_of(code: u32) -> Failure {
    match code {
        // TIMEOUT_EXCEEDED, TOO_SLOW
        159 | 160 => Failure::Timeout,
        // MEMORY_LIMIT_EXCEEDED, TOO_MANY_ROWS, TOO_MANY_BYTES, TOO_MANY_ROWS_OR_BYTES
        241 | 158 | 307 | 396 => Failure::TooLarge,
        // TOO_MANY_SIMULTANEOUS_QUERIES
        202 => Failure::Overloaded,
        // UNKNOWN_TABLE, UNKNOWN_DATABASE, SOCKET_TIMEOUT, NETWORK_ERROR, ALL_CONNECTION_TRIES_FAILED,
        // NO_ZOOKEEPER, TABLE_IS_READ_ONLY, KEEPER_EXCEPTION
        60 | 81 | 209 | 210 | 279 | 225 | 242 | 999 => Failure::Unavailable,
        // TOO_MANY_PARTS, NOT_ENOUGH_SPACE, ABORTED, TOO_FEW_LIVE_REPLICAS, UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE,
        // UNKNOWN_STATUS_OF_INSERT
        252 | 243 | 236 | 285 | 286 | 319 => Failure::Unavailable,
        // CANNOT_READ_FROM_SOCKET, CANNOT_WRITE_TO_SOCKET, DNS_ERROR, NO_FREE_CONNECTION, ALL_REPLICAS_ARE_STALE,
        // SERVER_OVERLOADED, POCO_EXCEPTION, UNKNOWN_EXCEPTION
        95 | 96 | 198 | 203 | 369 | 745 | 1000 | 1002 => Failure::Unavailable,
        // CANNOT_READ_FROM_FILE_DESCRIPTOR, CANNOT_WRITE_TO_FILE_DESCRIPTOR, CANNOT_OPEN_FILE,
        // CANNOT_ALLOCATE_MEMORY, CANNOT_SCHEDULE_TASK, ACCESS_DENIED, AUTHENTICATION_FAILED, STD_EXCEPTION
        74 | 75 | 76 | 173 | 439 | 497 | 516 | 1001 => Failure::Unavailable,
        // QUERY_WAS_CANCELLED
        394 => Failure::Cancelled,
        _ => Failure::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> Failure {
        QueryError::from(clickhouse::error::Error::BadResponse(text.to_owned())).failure
    }

    #[test]
    fn the_code_of_an_exception_tells_what_failed() {
        assert_eq!(failure("Code: 159. DB::Exception: Timeout exceeded"), Failure::Timeout);
        assert_eq!(failure("Code: 241. DB::Exception: (total) memory limit exceeded"), Failure::TooLarge);
        assert_eq!(failure("Code: 202. DB::Exception: Too many simultaneous queries"), Failure::Overloaded);
        assert_eq!(failure("Code: 60. DB::Exception: Unknown table expression"), Failure::Unavailable);
        assert_eq!(failure("Code: 47. DB::Exception: Code: 159. is what it says"), Failure::Other);
        assert_eq!(failure("502 Bad Gateway"), Failure::Unavailable);
        assert_eq!(failure("Code: 369. DB::Exception: All replicas are stale"), Failure::Unavailable);
    }

    #[test]
    fn a_server_that_ends_in_the_middle_of_a_statement_is_away() {
        let of = |code: u32| {
            QueryError::from(clickhouse::error::Error::BadResponse(format!("Code: {code}. DB::Exception: x")))
        };
        assert_eq!(of(394).failure, Failure::Cancelled);
        assert_eq!(of(32).failure, Failure::Other);
        assert!([394, 32].into_iter().all(|code| of(code).of_one_of_many().failure == Failure::Unavailable));
        assert_eq!(of(47).of_one_of_many().failure, Failure::Other);
    }

    #[test]
    fn a_connection_that_fails_says_why() {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused by 127.0.0.1");
        let error = QueryError::from(clickhouse::error::Error::Network(Box::new(refused)));
        assert!(error.message.ends_with("connection refused by 127.0.0.1"), "{error}");
    }
}
