//! What the numbers of experiments mean, in sentences.

pub const UNITS: &str =
    "A unit is a visitor, in the variant of its first exposure of all; it belongs to the range when that was in it.";
pub const GOAL: &str =
    "What a unit does counts from its first exposure on, within the conversion window and before the end of the range.";
pub const EQUAL_PARTS: &str =
    "`srm` assumes that each variant was to have an equal part; `health` of an experiment takes other `weights`.";
pub const SO_FAR: &str = "Exposures are all those of these units so far, also those after the range.";
