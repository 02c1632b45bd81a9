//! Voice agents: stories with numbers that can be counted by hand, what real instrumentation sends, and the truth.

mod livekit;
mod random;
mod stories;
mod told_twice;
mod truth;
