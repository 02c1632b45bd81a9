//! The plan: which files are still to be applied, or why none may be.
//!
//! Pure, so that everything that could go wrong is known before the first statement runs.

use std::collections::BTreeMap;

/// A migration as it is in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    pub version: u32,
    /// `NNN_verb_object.sql`
    pub file: String,
    /// SHA-256 of the text, in hexadecimal.
    pub checksum: String,
    pub text: String,
}

/// A migration as the history of a database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub version: u32,
    pub file: String,
    pub checksum: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("migration {0}: the name must be like 012_create_table_name.sql")]
    BadName(String),
    #[error("migrations {0} and {1} have the same number")]
    Duplicate(String, String),
    #[error("there is no migration number {missing:03}, but there is {file}: numbers must have no gap")]
    Gap { missing: u32, file: String },
    #[error("migration {0} was changed after it was applied: put it back, and write what is new into a new file")]
    Edited(String),
    #[error(
        "the database has migration {0}, which this release does not know: it was written by a newer one, so use that"
    )]
    FromTheFuture(String),
    #[error("the database has migration {later}, but not {missing}, which comes before it")]
    OutOfOrder { missing: String, later: String },
}

impl Migration {
    /// Reads number and name off a file.
    pub fn new(file: &str, text: &str, checksum: String) -> Result<Self, PlanError> {
        let bad_name = || PlanError::BadName(file.to_owned());
        let (number, name) = file.strip_suffix(".sql").and_then(|stem| stem.split_once('_')).ok_or_else(bad_name)?;
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if number.len() != 3
            || !number.chars().all(|c| c.is_ascii_digit())
            || name.is_empty()
            || !name.chars().all(is_plain)
        {
            return Err(bad_name());
        }
        let version = number.parse().map_err(|_| bad_name())?;
        Ok(Self { version, file: file.to_owned(), checksum, text: text.to_owned() })
    }
}

/// The migrations that are still to be applied, in order.
pub fn plan<'a>(migrations: &'a [Migration], history: &[Applied]) -> Result<Vec<&'a Migration>, PlanError> {
    let mut known: BTreeMap<u32, &Migration> = BTreeMap::new();
    for migration in migrations {
        if let Some(other) = known.insert(migration.version, migration) {
            return Err(PlanError::Duplicate(other.file.clone(), migration.file.clone()));
        }
    }
    for (expected, migration) in (0..).zip(known.values()) {
        if migration.version != expected {
            return Err(PlanError::Gap { missing: expected, file: migration.file.clone() });
        }
    }
    // A row may stand there twice: a retry after an answer that was lost.
    let mut newest: Option<&Applied> = None;
    for applied in history {
        let migration = known.get(&applied.version).ok_or_else(|| PlanError::FromTheFuture(applied.file.clone()))?;
        if migration.checksum != applied.checksum {
            return Err(PlanError::Edited(migration.file.clone()));
        }
        newest = newest.filter(|newest| newest.version > applied.version).or(Some(applied));
    }
    let Some(newest) = newest else { return Ok(known.into_values().collect()) };
    let (before, pending): (Vec<&Migration>, Vec<&Migration>) =
        known.into_values().partition(|migration| migration.version <= newest.version);
    match before.iter().find(|migration| history.iter().all(|applied| applied.version != migration.version)) {
        Some(missing) => Err(PlanError::OutOfOrder { missing: missing.file.clone(), later: newest.file.clone() }),
        None => Ok(pending),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migration(version: u32) -> Migration {
        Migration::new(&format!("{version:03}_create_table_x.sql"), "SELECT 1", format!("sum {version}")).unwrap()
    }

    fn applied(version: u32) -> Applied {
        let Migration { version, file, checksum, .. } = migration(version);
        Applied { version, file, checksum }
    }

    fn pending(migrations: &[u32], history: &[u32]) -> Result<Vec<u32>, PlanError> {
        let migrations: Vec<Migration> = migrations.iter().copied().map(migration).collect();
        let history: Vec<Applied> = history.iter().copied().map(applied).collect();
        plan(&migrations, &history).map(|pending| pending.iter().map(|migration| migration.version).collect())
    }

    #[test]
    fn what_was_not_applied_is_pending_in_order() {
        assert_eq!(pending(&[2, 0, 1], &[]).unwrap(), [0, 1, 2]);
        assert_eq!(pending(&[0, 1, 2], &[1, 0]).unwrap(), [2]);
        assert_eq!(pending(&[0, 1], &[0, 1, 1]).unwrap(), [] as [u32; 0]);
    }

    #[test]
    fn gaps_and_duplicates_are_refused() {
        assert!(matches!(pending(&[0, 2], &[]), Err(PlanError::Gap { missing: 1, .. })));
        assert!(matches!(pending(&[1], &[]), Err(PlanError::Gap { missing: 0, .. })));
        assert!(matches!(pending(&[0, 1, 1], &[]), Err(PlanError::Duplicate(..))));
    }

    #[test]
    fn an_edited_file_and_a_history_that_does_not_fit_are_refused() {
        let edited = Migration { checksum: "other".to_owned(), ..migration(0) };
        assert!(matches!(plan(&[edited], &[applied(0)]), Err(PlanError::Edited(_))));
        assert!(matches!(pending(&[0], &[0, 1]), Err(PlanError::FromTheFuture(_))));
        assert!(matches!(pending(&[0, 1, 2], &[0, 2]), Err(PlanError::OutOfOrder { .. })));
    }

    #[test]
    fn a_file_is_named_by_number_and_words() {
        for name in
            ["1_x.sql", "0001_x.sql", "001x.sql", "001_X.sql", "001_.sql", "001_x.txt", "a01_x.sql", "+01_x.sql"]
        {
            assert_eq!(Migration::new(name, "", String::new()), Err(PlanError::BadName(name.to_owned())));
        }
    }
}
