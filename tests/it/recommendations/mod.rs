//! Recommendations: a file for each question, and the truth about all of them.

mod acceptance_rate;
mod agents;
mod assisted_share;
mod assisted_text_per_source;
mod funnel;
mod series;
mod totals;
mod truth;
