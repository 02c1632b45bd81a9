//! What the numbers about the product mean, in sentences that answers carry.

pub const USERS: &str = "A user is a pseudonym that the client has made up; users are counted exactly, by its hash.";
pub const ACTIVE: &str = "A user is active with any event.";
pub const ROLLING: &str = "Each bucket counts the users of the days of the window, in the time zone of the question, that end with the last day of the bucket, or today.";
pub const STICKINESS: &str = "Numerator of stickiness: active users of a day, on average over the window. Denominator: active users of the window.";
pub const VALUE_COUNT: &str =
    "How many values were selected on average, over the changes that tell it; which ones is never taken in.";
pub const ADOPTION: &str = "Numerator: users who viewed the feature. Denominator: active users of the range.";
pub const NEW_USERS: &str = "New is who had not viewed the feature before the range, as far as rows are kept.";
pub const PATHS: &str =
    "The next page of the same session, within the range. Pages of the same instant are in the order of their names.";
pub const SHARE_OF_VIEWS: &str = "Numerator: views of the route after which that came. Denominator: all views of it.";
pub const SESSIONS: &str =
    "A session counts when it ended, and is what the client told with `session_ended`, where it did.";
pub const BUILT: &str = "Other sessions are made of their events, and cut where there was none for more than 30 minutes; what lies more than a day outside of the range is not looked at.";
pub const INTERACTIONS: &str =
    "Interactions are those that the client told; in other sessions, changes of filters and interactions with charts.";
pub const QUANTILES: &str = "Quantiles are interpolated between values.";
pub const STEPS: &str = "A unit came to a step when events for all steps until it followed each other, all within the window from the first one on, both ends included, and within the range. One event is one step.";
pub const LOOSE: &str = "Other events may lie between steps.";
pub const STRICT: &str = "Each step is the very next event of the unit that the filters let through.";
pub const SAME_INSTANT: &str = "Events of the same instant follow each other in the order of the steps that they are for, the earliest first; events for no step come last.";
pub const CONVERSION: &str = "Conversion is from the first step, and from the step before. Numerator: units of the step. Denominator: units of the first step, or of the step before.";
pub const TIMES: &str =
    "Times are those of the first time that a unit came to the step, from the latest first step that led there.";
pub const GROUPS: &str = "A unit is of the group of its earliest first step.";
pub const COHORTS: &str = "A cohort is the users whose cohort event in the range that is their first lies in the period. A return event counts from that event on, and in the very instant of it.";
pub const FIRST_EVER: &str = "First ever: the first one since rows are kept, which is for 180 days.";
pub const RATES: &str = "Numerator: users of the cohort who returned. Denominator: users of the cohort.";
pub const COMPLETE: &str = "Cells of periods that are not over, or that the range cuts at its end, are null. The mean is over the other cells: their numerators ÷ their denominators.";
pub const ON_OR_AFTER: &str = "Returned in that period or in a later one, until the end of the range.";
