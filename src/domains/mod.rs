//! The domains: a folder each, with the same files, none importing another.

pub mod assistants;
pub mod experiments;
pub mod platform;
pub mod product;
pub mod recommendations;
pub mod voice_agents;
