//! Questions: what a request may ask, read and checked, before anything is looked up.
//!
//! Every shared parameter is one mixin in a file of its own. A question is a struct of mixins
//! (see [`question!`](parameters)); reading it notes all problems at once. Nothing here knows HTTP,
//! SQL or the clock of the machine: relative ranges are resolved against a `now` that is passed in.

mod aggregation;
mod calendar;
pub mod dataset;
mod date_range;
pub mod filters;
mod page;
mod parameters;
mod problems;
mod source;

pub use aggregation::{Aggregation, Buckets, Level, MOST_BUCKETS};
pub use calendar::{local_date, start_of_day};
pub use date_range::{ALL_TIME, At, Compare, CompareAlign, Comparison, DateRange, Earlier, Period, Range};
pub use filters::Filters;
pub use page::take_whole_number;
pub use page::{Cursor, Dimension, Listed, MOST_GROUPS, Pagination, Paging, Sortable, Sorting, Split, Verify};
pub use parameters::{
    FromParameters, Parameters, choice, list, number, optional_number, read_length, required_text, take_length,
    take_number, take_optional, take_required, text, whole_number,
};
pub(crate) use parameters::{dimension, parameter, question, vocabulary};
pub use problems::{Problem, ProblemKind, Problems, nearest, shown};
pub use source::{Source, Sources};
