//! What a question is asked of: a set of facts, the fields that may be named, and the rollups that
//! hold the same facts added up.

/// What a field holds, and with it which operators and values fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Time,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Time => "time",
        }
    }
}

/// A field that filters may name. It is a column of the dataset's facts under the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
}

impl Field {
    pub const fn text(name: &'static str) -> Self {
        Self { name, kind: Kind::Text }
    }
}

/// Facts of one kind: rows with a time, fields and measures.
#[derive(Debug)]
pub struct Dataset {
    /// The template that gives its facts from raw rows.
    pub facts: &'static str,
    pub fields: &'static [Field],
    /// The JSON column whose paths may be named, as `data.<path>`.
    pub json: Option<&'static str>,
    /// Whether that column has what people wrote and were answered, so that who may not see it may not filter by it either.
    pub json_is_content: bool,
    /// The tables of raw rows; the newest of them dates the answers.
    pub tables: &'static [&'static str],
    /// Days that its rows and rollups are kept, where that is no setting.
    pub kept_days: Option<u32>,
    /// Facts that agree in these fields belong together: filters on others leave none of them out, but say in
    /// `is_chosen` which ones fulfil them. Who was first is the first of all, and not of some.
    pub whole_by: Option<&'static [&'static str]>,
    /// From the smallest to the largest: the first one that fits is used.
    pub rollups: &'static [Rollup],
}

/// How a rollup tells times apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// Steps of so many seconds, by their start, in `bucket`; a question fits when all its buckets begin on one.
    Seconds(u32),
    /// Each row has its own, in `time`: nothing is added up, and rows are kept no longer than raw ones.
    Row,
}

/// A table of the same facts, added up by time and by some of the fields.
#[derive(Debug, PartialEq, Eq)]
pub struct Rollup {
    pub table: &'static str,
    pub grain: Grain,
    pub fields: &'static [&'static str],
    /// Columns that are added up, under the names that the raw facts give them.
    pub measures: &'static [&'static str],
}

impl Rollup {
    /// The column that says when.
    pub const fn time(&self) -> &'static str {
        match self.grain {
            Grain::Seconds(_) => "bucket",
            Grain::Row => "time",
        }
    }
}

/// A field as a question names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FieldName {
    Column(&'static str),
    /// A path into the JSON column, at least one key.
    Path(Vec<String>),
}

impl Dataset {
    /// The field behind a name, with what it holds; paths hold anything, so they compare as text
    /// or, with `gt gte lt lte`, as numbers.
    pub fn field(&self, name: &str) -> Option<(FieldName, Kind)> {
        if let Some(field) = self.fields.iter().find(|field| field.name == name) {
            return Some((FieldName::Column(field.name), field.kind));
        }
        let path = name.strip_prefix(self.json?)?.strip_prefix('.')?;
        let keys: Vec<String> = path.split('.').map(str::to_owned).collect();
        let plain = |key: &String| {
            !key.is_empty() && key.len() <= 64 && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        };
        (keys.len() <= 8 && keys.iter().all(plain)).then_some((FieldName::Path(keys), Kind::Text))
    }

    /// The names that may be written in a filter.
    pub fn field_names(&self) -> Vec<String> {
        let columns = self.fields.iter().map(|field| field.name.to_owned());
        columns.chain(self.json.map(|json| format!("{json}.<path>"))).collect()
    }
}
