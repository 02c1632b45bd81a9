//! What the numbers of experiments mean, in sentences.

pub const UNITS: &str =
    "A unit is a visitor, in the variant of its first exposure of all; it belongs to the range when that was in it.";
pub const GOAL: &str =
    "What a unit does counts from its first exposure on, within the conversion window and before the end of the range.";
pub const EQUAL_PARTS: &str =
    "`srm` assumes that each variant was to have an equal part; `health` of an experiment takes other `weights`.";
pub const SO_FAR: &str = "Exposures are all those of these units so far, also those after the range.";
/// Of the metric `event_ratio`.
pub const EVENTS: &str = "Of `event_ratio` a unit belongs to the range with every exposure in it, whenever the first was, and what it did counts in the whole range, before its exposure too.";
pub const STILL_RUNNING: &str = "Decided by the sequential test, at which one may look as often as one likes: a unit was exposed within the last seven days.";
pub const OVER: &str = "Decided by the test for one look: no unit was exposed within the last seven days, so that the experiment counts as over.";
