//! Rows: what was accepted goes into the spool and comes out of it as it was, and can be made a block of.

use std::collections::BTreeMap;
use std::fmt::Debug;

use chartwell::clickhouse::native::JsonForm;
use chartwell::rows::{BlockError, Month, Row, Rows};

use super::{events, now};

/// Encodes accepted rows as ingestion does, and checks all that is made of them later; `read` decodes one.
pub fn encoded<'a, R: Row<'a> + PartialEq + Debug>(rows: &[R], is_same: impl Fn(&[u8], &R) -> bool) -> Vec<Rows> {
    let mut by_month: BTreeMap<Month, (Rows, Vec<&R>)> = BTreeMap::new();
    for row in rows {
        let month = Month::of(row.time());
        let (encoded, of_month) =
            by_month.entry(month).or_insert_with(|| (Rows::new(R::TABLE, month, now()), Vec::new()));
        encoded.push(row);
        of_month.push(row);
    }
    let checked = by_month.into_values().map(|(encoded, of_month)| {
        assert_eq!(encoded.len(), of_month.len());
        for (bytes, row) in encoded.iter().zip(of_month) {
            assert!(is_same(bytes, row), "decoded, it is another row: {row:?}");
            let alone = R::TABLE.row(bytes, now()).expect("it is decoded");
            assert_eq!(alone.iter().collect::<Vec<_>>(), [bytes]);
        }
        let record = postcard::to_stdvec(&encoded).expect("rows are encoded");
        assert_eq!(postcard::from_bytes::<Rows>(&record).expect("they are decoded"), encoded);
        use_all(&encoded).expect("what was accepted can be inserted");
        encoded
    });
    checked.collect()
}

/// Does with rows whatever the program may do with them.
fn use_all(rows: &Rows) -> Result<(), BlockError> {
    let (table, both) = (rows.table, [rows.clone(), rows.filtered(|index| index % 2 == 0)]);
    assert!(rows.ids().all(|id| !table.id_text(id).is_empty()));
    match table.block(&both, JsonForm::Columns) {
        Ok(_) | Err(BlockError::TooWide) => {}
        Err(error) => return Err(error),
    }
    table.block(&both, JsonForm::Text)?;
    let unreadable = |index: usize| move |error| BlockError::Unreadable { index, error };
    for (index, row) in rows.iter().enumerate() {
        table.row(row, rows.accepted_at()).map_err(unreadable(index))?;
        table.document(row, rows.accepted_at()).map_err(unreadable(index))?;
    }
    Ok(())
}

/// Any bytes as a record of the spool: they are rows that can be used, or are refused.
pub fn check(bytes: &[u8]) -> Vec<Rows> {
    if let Ok(rows) = postcard::from_bytes::<Rows>(bytes)
        && rows.is_whole()
    {
        assert_eq!(rows.ids().count(), rows.len());
        // Single rows of them may still be none.
        let _ = use_all(&rows);
    }
    Vec::new()
}

pub fn seeds() -> Vec<Vec<u8>> {
    let accepted = [events::check_events as fn(&[u8]) -> Vec<Rows>, events::check_product_events];
    let seeds = [events::events(), events::product_events()];
    let rows = accepted.iter().zip(seeds).flat_map(|(check, seeds)| seeds.into_iter().flat_map(|seed| check(&seed)));
    rows.map(|rows| postcard::to_stdvec(&rows).expect("rows are encoded")).collect()
}
