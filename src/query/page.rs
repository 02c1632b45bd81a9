//! Pagination, sorting and splitting: which part of an answer, in which order, by which groups.

use std::fmt::{self, Debug, Display};
use std::marker::PhantomData;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, Utc};
use utoipa::openapi::path::Parameter;

use super::Problem;
use super::parameters::{FromParameters, Parameters, choice, text, whole_number};
use super::problems::shown;

/// The mixin: `offset` and `limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pagination {
    pub offset: u64,
    pub limit: u64,
}

/// Rows that may be skipped; a table never has more.
const MOST_SKIPPED: u64 = 1_000_000_000;
const MOST_ROWS: u64 = 1_000;

impl FromParameters for Pagination {
    fn describe() -> Vec<Parameter> {
        vec![
            whole_number("offset", "Rows to skip.", (0, MOST_SKIPPED), 0).build(),
            whole_number("limit", "Rows to return.", (1, MOST_ROWS), 50).build(),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let offset = take_whole_number(parameters, "offset", (0, MOST_SKIPPED), 0);
        let limit = take_whole_number(parameters, "limit", (1, MOST_ROWS), 50);
        Some(Self { offset: offset?, limit: limit? })
    }
}

/// Reads a parameter: a whole number from `least` to `most`.
pub fn take_whole_number(
    parameters: &mut Parameters,
    name: &str,
    (least, most): (u64, u64),
    default: u64,
) -> Option<u64> {
    let Some(value) = parameters.one(name) else { return Some(default) };
    match value.parse() {
        Ok(number) if (least..=most).contains(&number) => Some(number),
        _ => parameters.refuse(Problem::parameter(
            name,
            format!("`{}` is not a whole number from {least} to {most}", shown(&value)),
        )),
    }
}

/// The rows of a table, which can be sorted by each of their columns.
pub trait Sortable: Clone + Debug {
    const COLUMNS: &'static [&'static str];
    /// The order when none is asked for, as it would be written.
    const DEFAULT: &'static str;
    /// The columns that tell every row from every other; they break all ties.
    const KEY: &'static [&'static str];
}

/// The mixin: `sort`. NULLs come last, whichever the direction.
#[derive(Debug, Clone)]
pub struct Sorting<S> {
    /// Columns, and whether the largest comes first.
    pub by: Vec<(&'static str, bool)>,
    table: PhantomData<S>,
}

impl<S: Sortable> FromParameters for Sorting<S> {
    fn describe() -> Vec<Parameter> {
        let description = format!(
            "Columns to sort by, separated by commas, `-` in front for the largest first: `{}`. Rows without a value come last; ties are broken by the row's key. Default `{}`.",
            S::COLUMNS.join("`, `"),
            S::DEFAULT
        );
        vec![text("sort", &description).example(Some(S::DEFAULT.into())).build()]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let written = parameters.one("sort").unwrap_or_else(|| S::DEFAULT.to_owned());
        let mut by: Vec<(&'static str, bool)> = Vec::new();
        for name in written.split(',') {
            let (name, descending) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
            match S::COLUMNS.iter().find(|column| **column == name) {
                Some(column) if by.iter().all(|(known, _)| known != column) => by.push((column, descending)),
                Some(_) => return parameters.refuse(Problem::parameter("sort", format!("names `{name}` twice"))),
                None => return parameters.refuse(Problem::not_allowed("sort", name, S::COLUMNS)),
            }
        }
        for key in S::KEY {
            if by.iter().all(|(known, _)| known != key) {
                by.push((key, false));
            }
        }
        Some(Self { by, table: PhantomData })
    }
}

/// The mixins of a table: which of its rows, in which order.
#[derive(Debug, Clone)]
pub struct Paging<S> {
    pub sorting: Sorting<S>,
    pub pagination: Pagination,
}

impl<S: Sortable> FromParameters for Paging<S> {
    fn describe() -> Vec<Parameter> {
        [Sorting::<S>::describe(), Pagination::describe()].concat()
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let (sorting, pagination) = (Sorting::take(parameters), Pagination::take(parameters));
        Some(Self { sorting: sorting?, pagination: pagination? })
    }
}

/// A place in a list that is ordered by time and by `N` texts, all descending: behind the row that they name. Rows that
/// come in meanwhile move nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor<const N: usize> {
    pub time: DateTime<Utc>,
    pub key: [String; N],
}

impl<const N: usize> Cursor<N> {
    fn read(written: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(written).ok()?;
        let (micros, key): (i64, Vec<String>) = serde_json::from_slice(&bytes).ok()?;
        let time = DateTime::from_timestamp_micros(micros)?;
        Some(Self { time, key: key.try_into().ok()? }).filter(|_| (2000..2100).contains(&time.year()))
    }
}

impl<const N: usize> Display for Cursor<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text =
            serde_json::to_string(&(self.time.timestamp_micros(), self.key.as_slice())).map_err(|_| fmt::Error)?;
        formatter.write_str(&URL_SAFE_NO_PAD.encode(text))
    }
}

/// The mixin: `cursor` and `limit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<const N: usize> {
    pub behind: Option<Cursor<N>>,
    pub limit: u64,
}

impl<const N: usize> FromParameters for Listed<N> {
    fn describe() -> Vec<Parameter> {
        vec![
            text("cursor", "Where to go on: `page.next_cursor` of the page before.").build(),
            whole_number("limit", "Rows to return.", (1, MOST_ROWS), 50).build(),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let limit = take_whole_number(parameters, "limit", (1, MOST_ROWS), 50);
        let behind = match parameters.one("cursor") {
            None => Some(None),
            Some(written) => match Cursor::read(&written) {
                Some(cursor) => Some(Some(cursor)),
                None => parameters.refuse(Problem::parameter(
                    "cursor",
                    format!("`{}` is not a cursor: take `page.next_cursor` as it is", shown(&written)),
                )),
            },
        };
        Some(Self { behind: behind?, limit: limit? })
    }
}

/// The mixin: `verify`. Answers are read from raw rows as well, and say how far both are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verify(pub bool);

impl FromParameters for Verify {
    fn describe() -> Vec<Parameter> {
        vec![
            choice(
                "verify",
                "Answers a second time, from raw rows, and says in `meta.verification` how far both are apart.",
                Self::NAMES,
                Some("false"),
            )
            .build(),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        match parameters.one("verify").as_deref() {
            None | Some("false") => Some(Self(false)),
            Some("true") => Some(Self(true)),
            Some(other) => parameters.refuse(Problem::not_allowed("verify", other, Self::NAMES)),
        }
    }
}

impl Verify {
    const NAMES: &'static [&'static str] = &["true", "false"];
}

/// What a chart can be split by: a vocabulary whose parameter is `split_by`.
pub trait Dimension: Copy + 'static {
    const NAMES: &'static [&'static str];
    /// What a chart is split by when nothing is asked for.
    const DEFAULT: Option<Self> = None;

    fn read(parameters: &mut Parameters) -> Option<Option<Self>>;

    fn name(self) -> &'static str;

    /// The column of the facts that holds the group.
    fn column(self) -> &'static str;
}

/// The mixin: `split_by` and `top`. The largest groups are told apart, the rest is one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split<D> {
    pub by: Option<D>,
    pub top: u64,
}

/// The most groups that are told apart.
pub const MOST_GROUPS: u64 = 100;

impl<D: Dimension> FromParameters for Split<D> {
    fn describe() -> Vec<Parameter> {
        vec![
            choice("split_by", "Tells groups apart: a series for each of the largest, and `other` for the rest, so that a stack adds up to the total.", D::NAMES, D::DEFAULT.map(D::name)).build(),
            whole_number("top", "How many groups are told apart.", (1, MOST_GROUPS), 10).build(),
        ]
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let by = D::read(parameters);
        let top = take_whole_number(parameters, "top", (1, MOST_GROUPS), 10);
        Some(Self { by: by?.or(D::DEFAULT), top: top? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy)]
    struct Agents;

    impl Sortable for Agents {
        const COLUMNS: &'static [&'static str] = &["calls", "model", "agent_id"];
        const DEFAULT: &'static str = "-calls";
        const KEY: &'static [&'static str] = &["agent_id"];
    }

    fn sorting(query: &str) -> Result<Vec<(&'static str, bool)>, String> {
        let read: Result<Sorting<Agents>, _> = Parameters::read(query);
        read.map(|sorting| sorting.by).map_err(|problems| problems.0[0].detail.clone())
    }

    #[test]
    fn ties_are_broken_by_the_key_unless_it_is_named() {
        assert_eq!(sorting("").unwrap(), [("calls", true), ("agent_id", false)]);
        assert_eq!(sorting("sort=model,-agent_id").unwrap(), [("model", false), ("agent_id", true)]);
    }

    #[test]
    fn unknown_and_repeated_columns_are_refused() {
        assert_eq!(
            sorting("sort=-call").unwrap_err(),
            "`call` is not one of the allowed values; did you mean `calls`?"
        );
        assert_eq!(sorting("sort=calls,-calls").unwrap_err(), "names `calls` twice");
        assert!(sorting("sort=").is_err());
    }

    #[test]
    fn a_cursor_is_taken_as_it_was_given() {
        let key = ["chat".to_owned(), "it's \u{1F600}".to_owned()];
        let cursor = Cursor { time: "2026-02-01T12:00:00.000001Z".parse().unwrap(), key };
        let read = |query: &str| Parameters::read::<Listed<2>>(query);
        let listed = read(&format!("cursor={cursor}&limit=3")).unwrap();
        assert_eq!(listed, Listed { behind: Some(cursor.clone()), limit: 3 });
        let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for text in [
            "",
            "[1769947200000000]",
            "[1769947200000000,[\"a\"]]",
            "[1769947200000000,[\"a\",\"b\",\"c\"]]",
            "[1769947200000000,[1,2]]",
            "[99999999999999999,[\"a\",\"b\"]]",
            "[1769947200000000,[\"a\",\"b\"]]]",
        ] {
            assert!(read(&format!("cursor={}", encoded(text))).is_err(), "{text}");
        }
        assert!(read("cursor=%21").is_err());
    }

    #[test]
    fn a_page_is_within_bounds() {
        let page = |query| Parameters::read::<Pagination>(query);
        assert_eq!(page("").unwrap(), Pagination { offset: 0, limit: 50 });
        assert_eq!(page("offset=100&limit=1000").unwrap(), Pagination { offset: 100, limit: 1_000 });
        for query in ["limit=0", "limit=1001", "limit=ten", "offset=-1", "offset=1.5", "limit=1&limit=2"] {
            assert!(page(query).is_err(), "{query}");
        }
    }
}
