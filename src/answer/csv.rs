//! CSV: the same answer for a spreadsheet.

/// Writes rows of texts, a header first; quotes what needs it, as RFC 4180 says.
pub(super) fn write<H, R, C>(header: H, rows: R) -> String
where
    H: IntoIterator<Item: AsRef<[u8]>>,
    R: IntoIterator<Item = C>,
    C: IntoIterator<Item: AsRef<[u8]>>,
{
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(header).expect("memory takes everything");
    for row in rows {
        writer.write_record(row).expect("every row is as long as the header");
    }
    let bytes = writer.into_inner().expect("memory takes everything");
    String::from_utf8(bytes).expect("made of texts")
}
