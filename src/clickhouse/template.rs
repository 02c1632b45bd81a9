//! SQL templates: whole statements in files, rendered without ever printing a raw text.
//!
//! A template may print [`Sql`] and nothing else: the formatter below refuses any other value, an
//! undefined name is an error, and the filter that would mark a text as safe is taken out.

use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Object, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};

use super::sql::Sql;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/sql_templates");

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = guarded_environment();
    add_files(&mut environment, &FILES);
    environment
});

/// What a template may print.
impl Object for Sql {}

impl From<Sql> for Value {
    fn from(sql: Sql) -> Self {
        Self::from_object(sql)
    }
}

/// Renders a template, named by its path below `sql_templates/`.
pub fn render(name: &str, context: Value) -> Result<Sql, Error> {
    let text = TEMPLATES.get_template(name)?.render(context)?;
    // Comments are for those who read the files: the engine would read them every time.
    let lines = text.lines().filter(|line| !line.starts_with("--") && !line.is_empty());
    Ok(Sql::composed(lines.collect::<Vec<_>>().join("\n")))
}

/// The names of all templates.
pub fn names() -> impl Iterator<Item = &'static str> {
    TEMPLATES.templates().map(|(name, _)| name)
}

/// The text of a template, as it is in its file.
pub fn source(name: &str) -> Option<&'static str> {
    FILES.get_file(name)?.contents_utf8()
}

/// An environment whose templates print [`Sql`] only.
pub fn guarded_environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("sql".into()));
    environment.set_formatter(print_sql);
    environment.remove_filter("safe");
    environment.remove_filter("escape");
    environment.remove_filter("e");
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the usual signs"));
    environment
}

fn print_sql(output: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if let Some(sql) = value.downcast_object_ref::<Sql>() {
        return Ok(output.write_str(sql.as_str())?);
    }
    // A rendered block: it was printed through this function before.
    if let (true, Some(text)) = (value.is_safe(), value.as_str()) {
        return Ok(output.write_str(text)?);
    }
    Err(Error::new(ErrorKind::BadEscape, format!("a template printed {}, which is not SQL", value.kind())))
}

fn add_files(environment: &mut Environment<'static>, folder: &'static Dir<'static>) {
    for file in folder.files() {
        let name = file.path().to_str().expect("file names are ASCII");
        let text = file.contents_utf8().expect("templates are UTF-8");
        environment.add_template(name, text).unwrap_or_else(|error| panic!("{name}: {error:#}"));
    }
    folder.dirs().for_each(|folder| add_files(environment, folder));
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn render_text(template: &str, context: Value) -> Result<String, Error> {
        let environment = guarded_environment();
        environment.render_str(template, context)
    }

    #[test]
    fn sql_is_printed_as_it_is() {
        let column = Value::from(Sql::identifier("a`b"));
        assert_eq!(render_text("SELECT {{ column }}", context! { column }).unwrap(), r"SELECT `a\`b`");
        let blocks = "{% macro twice(x) %}{{ x }}, {{ x }}{% endmacro %}SELECT {{ twice(column) }}";
        let column = Value::from(Sql::constant("a"));
        assert_eq!(render_text(blocks, context! { column }).unwrap(), "SELECT a, a");
    }

    #[test]
    fn nothing_else_can_be_printed() {
        for template in [
            "{{ text }}",
            "{{ text|safe }}",
            "{{ text|upper }}",
            "{{ 'x' }}",
            "{{ 1 }}",
            "{{ none }}",
            "{{ missing }}",
            "{{ text ~ column }}",
            "{{ column ~ text }}",
            "{{ column|replace('a', text) }}",
            "{{ column|join(text) }}",
            "{{ [text]|join(',') }}",
            "{{ {'a': 1} }}",
            "{{ text|e }}",
            "{{ text|tojson }}",
        ] {
            let column = Value::from(Sql::constant("a"));
            let rendered = render_text(template, context! { text => "x' OR 1=1", column });
            assert!(rendered.is_err(), "{template}: {rendered:?}");
        }
    }
}
