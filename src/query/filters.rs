//! Filters: named lists, and the grammar of `filter=`.
//!
//! Lists are ORed within and ANDed across. Repeats of `filter` are ANDed; inside one, alternatives
//! are joined by `|`; an alternative is `field:op:value[,value…]`; `\` escapes `, | : \`. Negative
//! operators keep rows that have no value.

use std::fmt::Debug;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use serde_json::json;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::Parameter;

use super::Problem;
use super::dataset::{Dataset, FieldName, Kind};
use super::parameters::{FromParameters, Parameters, list};
use super::problems::shown;

const PARAMETER: &str = "filter";
const MOST_FILTERS: usize = 32;
const MOST_ALTERNATIVES: usize = 32;
const MOST_VALUES: usize = 500;

/// Which filters an endpoint has.
pub trait FilterSet: Copy + Debug {
    const DATASET: &'static Dataset;
    /// The named lists: parameter and field.
    const LISTS: &'static [(&'static str, &'static str)];
}

/// The mixin: all of these must hold.
#[derive(Debug, Clone)]
pub struct Filters<S> {
    pub conditions: Vec<Condition>,
    set: PhantomData<S>,
}

/// One of these must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The parameter it came from.
    pub parameter: &'static str,
    pub any_of: Vec<Predicate>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Predicate {
    pub field: FieldName,
    pub kind: Kind,
    pub operator: Operator,
    pub operand: Operand,
}

/// The values of a predicate, of one type.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    None,
    Texts(Vec<String>),
    Numbers(Vec<f64>),
    Times(Vec<DateTime<Utc>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Eq,
    Ne,
    In,
    NotIn,
    Contains,
    NotContains,
    StartsWith,
    Gt,
    Gte,
    Lt,
    Lte,
    IsNull,
    IsNotNull,
}

const OPERATORS: [(&str, Operator); 13] = [
    ("eq", Operator::Eq),
    ("ne", Operator::Ne),
    ("in", Operator::In),
    ("not_in", Operator::NotIn),
    ("contains", Operator::Contains),
    ("not_contains", Operator::NotContains),
    ("starts_with", Operator::StartsWith),
    ("gt", Operator::Gt),
    ("gte", Operator::Gte),
    ("lt", Operator::Lt),
    ("lte", Operator::Lte),
    ("is_null", Operator::IsNull),
    ("is_not_null", Operator::IsNotNull),
];

impl Operator {
    /// Whether rows without a value pass.
    pub fn is_negative(self) -> bool {
        matches!(self, Self::Ne | Self::NotIn | Self::NotContains)
    }

    fn compares_order(self) -> bool {
        matches!(self, Self::Gt | Self::Gte | Self::Lt | Self::Lte)
    }

    fn matches_text(self) -> bool {
        matches!(self, Self::Contains | Self::NotContains | Self::StartsWith)
    }

    /// Whether it fits a field: order needs numbers or times, parts of a text need a text; a JSON
    /// path may be either.
    fn fits(self, field: &FieldName, kind: Kind) -> bool {
        match (field, kind) {
            (FieldName::Path(_), _) => true,
            (FieldName::Column(_), Kind::Text) => !self.compares_order(),
            (FieldName::Column(_), Kind::Number | Kind::Time) => !self.matches_text(),
        }
    }
}

/// The fields with their kinds, for programs that offer filters to people.
fn fields_of(dataset: &Dataset) -> Extensions {
    let columns = dataset.fields.iter().map(|field| json!({"name": field.name, "kind": field.kind.name()}));
    let paths = dataset.json.map(|json| json!({"name": format!("{json}.<path>"), "kind": "path"}));
    Extensions::builder().add("x-fields", columns.chain(paths).collect::<Vec<_>>()).build()
}

impl<S: FilterSet> FromParameters for Filters<S> {
    fn describe() -> Vec<Parameter> {
        let lists = S::LISTS.iter().map(|(parameter, field)| {
            list(parameter, &format!("Only rows whose `{field}` is one of these; repeatable.")).build()
        });
        let fields = S::DATASET.field_names().join("`, `");
        let grammar = format!(
            "`field:op:value[,value…]`, repeatable; repeats must all hold, and inside one `|` separates alternatives. \
             Fields: `{fields}`. Operators: `eq ne in not_in contains not_contains starts_with gt gte lt lte is_null is_not_null`; \
             `ne`, `not_in` and `not_contains` keep rows without a value. `\\` escapes `, | : \\`.{}",
            if S::DATASET.json_is_content { " Paths need the scope `traces:read`." } else { "" }
        );
        lists.chain([list(PARAMETER, &grammar).extensions(Some(fields_of(S::DATASET))).build()]).collect()
    }

    fn take(parameters: &mut Parameters) -> Option<Self> {
        let mut conditions = Vec::new();
        let mut refused = false;
        for (parameter, field) in S::LISTS {
            let values = parameters.many(parameter);
            if values.is_empty() {
                continue;
            }
            let condition = if values.iter().any(String::is_empty) {
                Err("has an empty value".to_owned())
            } else if values.len() > MOST_VALUES {
                Err(format!("has more than {MOST_VALUES} values"))
            } else {
                let predicate = Predicate {
                    field: FieldName::Column(field),
                    kind: Kind::Text,
                    operator: Operator::In,
                    operand: Operand::Texts(values),
                };
                Ok(Condition { parameter, any_of: vec![predicate] })
            };
            match condition {
                Ok(condition) => conditions.push(condition),
                Err(detail) => {
                    refused = true;
                    parameters.refuse::<()>(Problem::parameter(*parameter, detail));
                }
            }
        }
        let written = parameters.many(PARAMETER);
        if written.len() > MOST_FILTERS {
            return parameters
                .refuse(Problem::parameter(PARAMETER, format!("is given more than {MOST_FILTERS} times")));
        }
        for filter in &written {
            match (Grammar { parameter: PARAMETER, dataset: S::DATASET, only: None }).read(filter) {
                Ok(condition) => conditions.push(condition),
                Err(problem) => {
                    refused = true;
                    parameters.refuse::<()>(problem);
                }
            }
        }
        (!refused).then_some(Self { conditions, set: PhantomData })
    }
}

/// The grammar of `filter=`, for whichever parameter it is written in.
#[derive(Debug, Clone, Copy)]
pub struct Grammar<'a> {
    pub parameter: &'static str,
    pub dataset: &'static Dataset,
    /// The fields that may be named, where not all of the dataset's may.
    pub only: Option<&'a [&'static str]>,
}

impl Grammar<'_> {
    /// Reads one filter: alternatives, of which one must hold.
    pub fn read(self, filter: &str) -> Result<Condition, Problem> {
        let alternatives = split(filter, '|', usize::MAX);
        if alternatives.len() > MOST_ALTERNATIVES {
            return Err(Problem::parameter(self.parameter, format!("has more than {MOST_ALTERNATIVES} alternatives")));
        }
        let any_of =
            alternatives.into_iter().map(|alternative| read_predicate(self, alternative)).collect::<Result<_, _>>()?;
        Ok(Condition { parameter: self.parameter, any_of })
    }

    fn field(self, name: &str) -> Option<(FieldName, Kind)> {
        let may = |name: &str| self.only.is_none_or(|only| only.contains(&name));
        self.dataset.field(name).filter(|_| may(name))
    }

    fn field_names(self) -> Vec<String> {
        match self.only {
            None => self.dataset.field_names(),
            Some(only) => only.iter().map(|name| (*name).to_owned()).collect(),
        }
    }
}

fn read_predicate(grammar: Grammar<'_>, alternative: &str) -> Result<Predicate, Problem> {
    let parameter = grammar.parameter;
    let refused = |detail: String| Problem::parameter(parameter, detail);
    let mut parts = split(alternative, ':', 3).into_iter();
    let name = unescape(parts.next().unwrap_or_default());
    let Some((field, kind)) = grammar.field(&name) else {
        let names = grammar.field_names();
        return Err(Problem::not_allowed(parameter, &name, &names)
            .about(&format!("`{}` is not a field that can be filtered by", shown(&name))));
    };
    let operator_names: Vec<&str> =
        OPERATORS.iter().filter(|(_, operator)| operator.fits(&field, kind)).map(|(name, _)| *name).collect();
    let Some(operator_name) = parts.next() else {
        return Err(refused(format!("`{}` has no operator: write `field:op:value`", shown(alternative)))
            .with_allowed(&operator_names));
    };
    let Some((_, operator)) =
        OPERATORS.iter().find(|(name, operator)| *name == operator_name && operator.fits(&field, kind))
    else {
        return Err(Problem::not_allowed(parameter, operator_name, &operator_names).about(&format!(
            "`{}` is not an operator for `{}`",
            shown(operator_name),
            shown(&name)
        )));
    };
    let values: Option<Vec<String>> =
        parts.next().map(|values| split(values, ',', usize::MAX).into_iter().map(unescape).collect());
    let operand = match (operator, values) {
        (Operator::IsNull | Operator::IsNotNull, None) => Operand::None,
        (Operator::IsNull | Operator::IsNotNull, Some(_)) => {
            return Err(refused(format!("`{operator_name}` takes no value")));
        }
        (_, None) => return Err(refused(format!("`{}` has no value: write `field:op:value`", shown(alternative)))),
        (Operator::In | Operator::NotIn, Some(values)) if values.len() > MOST_VALUES => {
            return Err(refused(format!("`{operator_name}` has more than {MOST_VALUES} values")));
        }
        (Operator::In | Operator::NotIn, Some(values)) => read_operand(parameter, values, &field, kind, *operator)?,
        (_, Some(values)) if values.len() > 1 => {
            return Err(refused(format!(
                "`{operator_name}` takes one value; `in` and `not_in` take several, and `\\,` is a comma"
            )));
        }
        (_, Some(values)) => read_operand(parameter, values, &field, kind, *operator)?,
    };
    Ok(Predicate { field, kind, operator: *operator, operand })
}

fn read_operand(
    parameter: &'static str,
    values: Vec<String>,
    field: &FieldName,
    kind: Kind,
    operator: Operator,
) -> Result<Operand, Problem> {
    let refused =
        |value: &str, wanted: &str| Problem::parameter(parameter, format!("`{}` is not {wanted}", shown(value)));
    let numbers = |values: Vec<String>| {
        let number = |value: &String| value.parse::<f64>().ok().filter(|number| number.is_finite());
        values
            .iter()
            .map(|value| number(value).ok_or_else(|| refused(value, "a number")))
            .collect::<Result<_, _>>()
            .map(Operand::Numbers)
    };
    match (field, kind) {
        (FieldName::Path(_), _) if operator.compares_order() => numbers(values),
        (_, Kind::Text) => Ok(Operand::Texts(values)),
        (_, Kind::Number) => numbers(values),
        (_, Kind::Time) => {
            let time = |value: &String| DateTime::parse_from_rfc3339(value).map(|time| time.to_utc());
            values
                .iter()
                .map(|value| time(value).map_err(|_| refused(value, "a time like `2026-02-01T00:00:00Z`")))
                .collect::<Result<_, _>>()
                .map(Operand::Times)
        }
    }
}

impl Problem {
    /// The same problem, told in other words in front.
    fn about(mut self, what: &str) -> Self {
        let near = self.detail.find("; did you mean").map(|at| self.detail.split_off(at)).unwrap_or_default();
        self.detail = format!("{what}{near}");
        self
    }
}

/// Splits at a sign that is not escaped, into `most` parts; escapes are left in.
fn split(text: &str, sign: char, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        if c == sign && !escaped && parts.len() + 1 < most {
            parts.push(&text[start..at]);
            start = at + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(&text[start..]);
    parts
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let escapes = c == '\\' && characters.peek().is_some_and(|next| matches!(next, ',' | '|' | ':' | '\\'));
        plain.push(if escapes { characters.next().expect("peeked") } else { c });
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::dataset::Field;
    use super::*;

    static CALLS: Dataset = Dataset {
        facts: "calls.sql",
        fields: &[
            Field::text("profile_code"),
            Field::text("platform"),
            Field { name: "rank", kind: Kind::Number },
            Field { name: "time_utc", kind: Kind::Time },
        ],
        json: Some("data"),
        json_is_content: false,
        tables: &["calls"],
        kept_days: None,
        whole_by: None,
        rollups: &[],
    };

    const GRAMMAR: Grammar<'static> = Grammar { parameter: PARAMETER, dataset: &CALLS, only: None };

    #[derive(Debug, Clone, Copy)]
    struct CallFilters;

    impl FilterSet for CallFilters {
        const DATASET: &'static Dataset = &CALLS;
        const LISTS: &'static [(&'static str, &'static str)] = &[("profile_codes", "profile_code")];
    }

    fn read(query: &str) -> Result<Vec<Condition>, Vec<String>> {
        let read: Result<Filters<CallFilters>, _> = Parameters::read(query);
        read.map(|filters| filters.conditions)
            .map_err(|problems| problems.0.into_iter().map(|problem| problem.detail).collect())
    }

    fn texts(values: &[&str]) -> Operand {
        Operand::Texts(values.iter().map(|value| (*value).to_owned()).collect())
    }

    #[test]
    fn lists_and_filters_are_all_conditions() {
        let conditions =
            read("profile_codes=a&profile_codes=b&filter=platform:eq:x|data.a.b:gt:1.5&filter=rank:is_null").unwrap();
        assert_eq!(conditions.len(), 3);
        assert_eq!(conditions[0].any_of[0].operand, texts(&["a", "b"]));
        assert_eq!(conditions[1].any_of.len(), 2);
        assert_eq!(conditions[1].any_of[1].field, FieldName::Path(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(conditions[1].any_of[1].operand, Operand::Numbers(vec![1.5]));
        assert_eq!(conditions[2].any_of[0].operand, Operand::None);
    }

    #[test]
    fn signs_are_escaped_with_a_backslash() {
        let conditions = read(r"filter=platform:in:a\,b,c\|d,e\:f,g\\,h\i:j").unwrap();
        assert_eq!(conditions[0].any_of[0].operand, texts(&["a,b", "c|d", "e:f", r"g\", r"h\i:j"]));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        for (query, detail) in [
            ("filter=platfrom:eq:x", "`platfrom` is not a field that can be filtered by; did you mean `platform`?"),
            ("filter=platform", "`platform` has no operator: write `field:op:value`"),
            ("filter=platform:eq", "`platform:eq` has no value: write `field:op:value`"),
            ("filter=platform:like:x", "`like` is not an operator for `platform`"),
            ("filter=platform:gt:x", "`gt` is not an operator for `platform`"),
            ("filter=rank:contains:1", "`contains` is not an operator for `rank`"),
            ("filter=rank:gt:many", "`many` is not a number"),
            ("filter=rank:gt:NaN", "`NaN` is not a number"),
            ("filter=rank:eq:1,2", "`eq` takes one value; `in` and `not_in` take several, and `\\,` is a comma"),
            ("filter=rank:is_null:1", "`is_null` takes no value"),
            ("filter=time_utc:lt:yesterday", "`yesterday` is not a time like `2026-02-01T00:00:00Z`"),
            ("filter=data.a;b:eq:1", "`data.a;b` is not a field that can be filtered by; did you mean `data.<path>`?"),
            ("filter=data.:eq:1", "`data.` is not a field that can be filtered by; did you mean `data.<path>`?"),
            ("profile_codes=", "has an empty value"),
        ] {
            assert_eq!(read(query).unwrap_err(), [detail], "{query}");
        }
        let problems = Parameters::read::<Filters<CallFilters>>("filter=rank:like:1").unwrap_err().0;
        assert_eq!(
            problems[0].allowed,
            ["eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte", "is_null", "is_not_null"]
        );
    }

    proptest! {
        #[test]
        fn every_text_survives_escaping(values in prop::collection::vec(".{0,20}", 1..6)) {
            let escaped: Vec<String> = values.iter().map(|value| value.replace('\\', r"\\").replace(',', r"\,").replace('|', r"\|").replace(':', r"\:")).collect();
            let filter = format!("platform:in:{}", escaped.join(","));
            let condition = GRAMMAR.read(&filter).unwrap();
            prop_assert_eq!(&condition.any_of[0].operand, &Operand::Texts(values));
        }

        #[test]
        fn no_text_makes_the_reader_panic(filter in ".{0,200}") {
            let _ = GRAMMAR.read(&filter);
        }
    }
}
