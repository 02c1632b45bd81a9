//! The HTTP edge: what every request passes, whatever it asks.

pub mod body;
mod edge;
mod guard;
mod parameters;
mod rate_limit;
mod represent;
mod request_id;
mod server;

pub use edge::{Edge, Rendered, message_of, method_not_allowed, not_found, on_panic};
pub use guard::{Gatekeeper, Guarded, guarded, open};
pub use parameters::{Valid, ValidBody};
pub use rate_limit::{RateLimits, RequestCounts};
pub use represent::Answer;
pub use request_id::{RequestId, X_REQUEST_ID};
pub use server::{Routes, Shutdown, listen, serve};
