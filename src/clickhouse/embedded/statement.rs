//! Reads just enough of a statement to send it the right way.
//!
//! The engine must be told the output format apart from the statement, takes inserted data only
//! through its insert stream (data behind the SQL text is cut at the first empty line, silently),
//! and would happily read and write files. So a statement is split into tokens, never into a
//! syntax tree: which kind it is, where its trailing `FORMAT` clause is, where its data begins.

/// How a statement is run.
#[derive(Debug, PartialEq, Eq)]
pub enum Statement<'a> {
    /// `INSERT INTO … [FORMAT x] [data]`: `sql` ends before `FORMAT`, `data` begins after it.
    Insert { sql: &'a str, format: &'a str, data: &'a str },
    /// `SELECT`, `WITH`: can be streamed. `sql` ends before `FORMAT`; a `SETTINGS` clause can be put
    /// behind it where it `takes_settings`, having none.
    Select { sql: &'a str, format: Option<&'a str>, takes_settings: bool },
    /// Any other statement with rows as its answer: `SHOW`, `DESCRIBE`, `EXISTS`, `EXPLAIN`, `(…)`.
    Show { sql: &'a str, format: Option<&'a str> },
    /// `INSERT … SELECT`: it has no data of its own.
    InsertSelect { sql: &'a str },
    /// `BACKUP … TO File(…)`, into the folder that the engine's settings allow.
    Backup { sql: &'a str },
    /// Any other: `CREATE`, `ALTER`, `SYSTEM`, …
    Command { sql: &'a str },
}

/// A statement that is not run at all.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("Code: 62. DB::Exception: Empty query. (SYNTAX_ERROR)")]
    Empty,
    #[error("Code: 62. DB::Exception: an unterminated string or comment. (SYNTAX_ERROR)")]
    Unterminated,
    #[error("Code: 497. DB::Exception: {0} is not allowed in this engine: it leaves the database. (ACCESS_DENIED)")]
    LeavesTheDatabase(&'static str),
}

/// Words that reach outside the database: as a function, or behind `INTO` and `FROM`.
const OUTSIDE_FUNCTIONS: [&str; 13] = [
    "file",
    "url",
    "s3",
    "s3Cluster",
    "hdfs",
    "remote",
    "remoteSecure",
    "mysql",
    "executable",
    "urlCluster",
    "fileCluster",
    "sqlite",
    "jdbc",
];

impl<'a> Statement<'a> {
    /// Reads `sql`; `format` is the one of an `INSERT` that names none.
    pub fn read(sql: &'a str) -> Result<Self, Refused> {
        let mut tokens = Tokens { sql, position: 0 };
        let first = tokens.next().transpose()?.ok_or(Refused::Empty)?;
        if first.is_word("INSERT") {
            return Self::read_insert(sql, tokens);
        }
        if first.is_word("BACKUP") || first.is_word("RESTORE") {
            return Self::read_backup(sql, first, tokens);
        }
        let selects = first.is_word("SELECT") || first.is_word("WITH");
        let shows = first.text == "("
            || ["SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN"].iter().any(|word| first.is_word(word));
        let mut takes_settings = true;
        let mut format = None;
        let mut before = first;
        for token in tokens {
            let token = token?;
            refuse_outside(Some(before), token)?;
            if token.text == ";" {
                continue;
            }
            takes_settings &= !token.is_word("SETTINGS");
            // Only the last clause counts: a column may be called `format`.
            format = (before.is_word("FORMAT") && token.kind == Kind::Word).then_some((before.start, token.text));
            before = token;
        }
        if !selects && !shows {
            return Ok(Self::Command { sql });
        }
        let (end, format) = match format {
            Some((start, name)) => (start, Some(name)),
            None => (before.start + before.text.len(), None),
        };
        let sql = &sql[..end];
        Ok(if selects { Self::Select { sql, format, takes_settings } } else { Self::Show { sql, format } })
    }

    /// A file of a backup is in the folder for them: the engine sees to it.
    fn read_backup(sql: &'a str, first: Token<'a>, tokens: Tokens<'a>) -> Result<Self, Refused> {
        let mut before = first;
        for token in tokens {
            let token = token?;
            if !before.is_word("File") {
                refuse_outside(Some(before), token)?;
            }
            before = token;
        }
        Ok(if first.is_word("BACKUP") { Self::Backup { sql } } else { Self::Command { sql } })
    }

    fn read_insert(sql: &'a str, mut tokens: Tokens<'a>) -> Result<Self, Refused> {
        let mut depth = 0_usize;
        let mut last: Option<Token> = None;
        while let Some(token) = tokens.next().transpose()? {
            refuse_outside(last, token)?;
            match token.text {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ if token.is_word("SELECT") || token.is_word("WITH") => {
                    // The rest is read for what it may not name.
                    let mut before = Some(token);
                    for token in tokens {
                        let token = token?;
                        refuse_outside(before, token)?;
                        before = Some(token);
                    }
                    return Ok(Self::InsertSelect { sql });
                }
                _ if depth > 0 => {}
                _ if token.is_word("VALUES") => {
                    return Ok(Self::Insert {
                        sql: &sql[..token.start],
                        format: "Values",
                        data: &sql[tokens.position..],
                    });
                }
                _ if token.is_word("FORMAT") => {
                    let name = tokens.next().transpose()?.ok_or(Refused::Empty)?;
                    let data = sql[tokens.position..].trim_start_matches([' ', '\t', '\r']);
                    return Ok(Self::Insert {
                        sql: &sql[..token.start],
                        format: name.text,
                        data: data.strip_prefix('\n').unwrap_or(data),
                    });
                }
                _ => {}
            }
            last = Some(token);
        }
        Ok(Self::Insert { sql, format: "Values", data: "" })
    }
}

/// Refuses table functions and clauses that read or write outside the database.
fn refuse_outside(before: Option<Token>, token: Token) -> Result<(), Refused> {
    let Some(before) = before else { return Ok(()) };
    if token.text == "("
        && before.kind == Kind::Word
        && let Some(name) = OUTSIDE_FUNCTIONS.iter().find(|name| before.is_word(name))
    {
        return Err(Refused::LeavesTheDatabase(name));
    }
    if before.is_word("INTO") && token.is_word("OUTFILE") {
        return Err(Refused::LeavesTheDatabase("INTO OUTFILE"));
    }
    if before.is_word("FROM") && token.is_word("INFILE") {
        return Err(Refused::LeavesTheDatabase("FROM INFILE"));
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Quoted,
    Sign,
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
    start: usize,
}

impl Token<'_> {
    fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

/// The tokens of a statement, without blanks and comments.
struct Tokens<'a> {
    sql: &'a str,
    position: usize,
}

impl<'a> Tokens<'a> {
    fn rest(&self) -> &'a str {
        &self.sql[self.position..]
    }

    /// Moves behind blanks, `-- …`, `# …` and `/* … */`.
    fn skip_blanks(&mut self) -> Result<(), Refused> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.position += rest.len() - trimmed.len();
            if trimmed.starts_with("--") || trimmed.starts_with("# ") || trimmed.starts_with("#!") {
                self.position += trimmed.find('\n').map_or(trimmed.len(), |end| end + 1);
            } else if trimmed.starts_with("/*") {
                self.position += trimmed.find("*/").ok_or(Refused::Unterminated)? + 2;
            } else {
                return Ok(());
            }
        }
    }

    /// Length of the quoted text that `rest` begins with: `\` escapes, a doubled quote is one.
    fn quoted_length(rest: &str, quote: u8) -> Result<usize, Refused> {
        let bytes = rest.as_bytes();
        let mut at = 1;
        while at < bytes.len() {
            match bytes[at] {
                b'\\' => at += 2,
                byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
                byte if byte == quote => return Ok(at + 1),
                _ => at += 1,
            }
        }
        Err(Refused::Unterminated)
    }

    fn read(&mut self) -> Result<Option<Token<'a>>, Refused> {
        self.skip_blanks()?;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let (kind, length) = match first {
            '\'' | '"' | '`' => (Kind::Quoted, Self::quoted_length(rest, first as u8)?),
            '$' => match heredoc_length(rest)? {
                Some(length) => (Kind::Quoted, length),
                None => (Kind::Sign, 1),
            },
            c if is_word(c) => (Kind::Word, rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
            c => (Kind::Sign, c.len_utf8()),
        };
        let token = Token { kind, text: &rest[..length], start: self.position };
        self.position += length;
        Ok(Some(token))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<Token<'a>, Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// Length of `$tag$ … $tag$`, `None` where the dollar begins no such text.
fn heredoc_length(rest: &str) -> Result<Option<usize>, Refused> {
    let Some(end) = rest[1..].find('$') else { return Ok(None) };
    let tag = &rest[..end + 2];
    if !tag[1..tag.len() - 1].chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Ok(None);
    }
    let close = rest[tag.len()..].find(tag).ok_or(Refused::Unterminated)?;
    Ok(Some(tag.len() + close + tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn insert(sql: &str) -> (&str, &str, &str) {
        match Statement::read(sql) {
            Ok(Statement::Insert { sql, format, data }) => (sql, format, data),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_format_of_an_insert_is_cut_off_and_its_data_kept_whole() {
        assert_eq!(
            insert("INSERT INTO a.b(x, y) FORMAT CSV\n1,2\n\n3,4\n"),
            ("INSERT INTO a.b(x, y) ", "CSV", "1,2\n\n3,4\n")
        );
        assert_eq!(insert("insert into t format RowBinary"), ("insert into t ", "RowBinary", ""));
        assert_eq!(insert("/*qid:x*/ INSERT INTO t VALUES (1)"), ("/*qid:x*/ INSERT INTO t ", "Values", " (1)"));
    }

    #[test]
    fn names_and_texts_that_look_like_clauses_are_not() {
        assert_eq!(
            insert(
                "INSERT INTO t(`format`, \"values\") -- FORMAT CSV\nSETTINGS log_comment='a \\' FORMAT x' FORMAT TSV"
            ),
            ("INSERT INTO t(`format`, \"values\") -- FORMAT CSV\nSETTINGS log_comment='a \\' FORMAT x' ", "TSV", "")
        );
        assert_eq!(
            Statement::read("SELECT format FROM t WHERE x = 'FORMAT JSON' -- ;"),
            Ok(Statement::Select {
                sql: "SELECT format FROM t WHERE x = 'FORMAT JSON'",
                format: None,
                takes_settings: true
            })
        );
        assert_eq!(
            Statement::read("SELECT 1 SETTINGS max_threads = 1 FORMAT JSON ;"),
            Ok(Statement::Select {
                sql: "SELECT 1 SETTINGS max_threads = 1 ",
                format: Some("JSON"),
                takes_settings: false
            })
        );
        assert_eq!(Statement::read("SELECT $x$ FORMAT JSON"), Err(Refused::Unterminated));
    }

    #[test]
    fn an_insert_that_selects_carries_no_data() {
        let sql = "INSERT INTO t SELECT * FROM u FORMAT CSV";
        assert_eq!(Statement::read(sql), Ok(Statement::InsertSelect { sql }));
        let sql = "INSERT INTO t (SELECT 1)";
        assert_eq!(Statement::read(sql), Ok(Statement::InsertSelect { sql }));
    }

    #[test]
    fn a_backup_goes_to_a_file() {
        let sql = "BACKUP DATABASE d TO File('x') SETTINGS base_backup = File('y') ASYNC";
        assert_eq!(Statement::read(sql), Ok(Statement::Backup { sql }));
        let sql = "RESTORE DATABASE d FROM File('x')";
        assert_eq!(Statement::read(sql), Ok(Statement::Command { sql }));
    }

    #[test]
    fn statements_that_leave_the_database_are_refused() {
        for sql in [
            "SELECT * FROM file('/etc/passwd')",
            "SELECT * FROM /* */ URL ('http://x')",
            "SELECT 1 INTO OUTFILE 'x'",
            "INSERT INTO t FROM INFILE 'x' FORMAT CSV",
            "INSERT INTO t SELECT * FROM s3('x')",
            "INSERT INTO FUNCTION file('x') VALUES (1)",
            "BACKUP TABLE t TO S3('http://x', 'key', 'secret')",
        ] {
            assert!(matches!(Statement::read(sql), Err(Refused::LeavesTheDatabase(_))), "{sql}");
        }
        assert!(Statement::read("SELECT 'file(' , `url`(1)").is_ok());
        assert!(Statement::read("SELECT file, url FROM t").is_ok());
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        assert_eq!(Statement::read("  -- nothing"), Err(Refused::Empty));
        assert_eq!(Statement::read("SELECT 'open"), Err(Refused::Unterminated));
        assert_eq!(Statement::read("SELECT /* open"), Err(Refused::Unterminated));
    }
}
