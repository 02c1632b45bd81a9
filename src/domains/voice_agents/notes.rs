//! What the numbers about voice agents mean, in sentences that answers carry.

pub const CALLS: &str = "A call is a `voice_call_ended` event, which counts when the call ended, or a span of a session that has ended, which counts when it began.";
pub const CONTAINMENT: &str =
    "Numerator: calls whose outcome is `contained`. Denominator: ended calls whose outcome is told.";
pub const TRANSFERS: &str = "Numerator: transferred calls with this reason. Denominator: transferred calls.";
pub const TURNS: &str = "A turn is a `voice_turn` event, or a span of an agent's turn.";
pub const INTERRUPTIONS: &str =
    "Numerator: turns that were interrupted. Denominator: turns that tell whether they were.";
pub const LATENCY: &str = "First audio: from the end of what the caller said to the first audio of the answer, of turns that tell it. Its parts are the waits for the transcript, for the model and for the voice, as far as they are told; they are no shares of one turn, and do not add up. Interpolated between values.";
pub const DEAD_AIR: &str = "Dead air is a wait of more than 3,000 ms for the first audio.";
pub const DEAD_AIR_TURNS: &str =
    "Numerator: turns with dead air. Denominator: turns that tell how long the caller waited.";
pub const DEAD_AIR_TIME: &str = "Numerator: milliseconds of turns with dead air, the whole wait. Denominator: milliseconds of ended calls that tell how long they took.";
pub const WITHOUT_END: &str = "Calls without an end: conversations with turns or a beginning in the range, of which no end is told from a day before the range until a day after it.";
pub const TURNS_OF_CALLS: &str =
    "The turns of a call are those of its conversation, from a day before the range until a day after it.";
pub const ONCE: &str = "Events and spans tell of this range: of what spans tell, calls count that no event tells of within a day, and turns of conversations of whose turns no event tells. `told_by` counts what one of both tells.";

/// Those of the totals.
pub const TOTALS: &[&str] = &[
    CALLS,
    "Outcomes are shares of the ended calls whose outcome is told.",
    TURNS,
    LATENCY,
    INTERRUPTIONS,
    DEAD_AIR,
    DEAD_AIR_TURNS,
    DEAD_AIR_TIME,
    WITHOUT_END,
];
