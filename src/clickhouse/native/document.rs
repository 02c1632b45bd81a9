//! A row as a JSON document, by the names of its columns: for people, and for Kafka.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{COLUMN_FOR_EACH, Cells, ColumnOf};
use crate::json::{Json, Object, Text};

/// A row as a document on its way.
pub struct Document {
    columns: std::slice::Iter<'static, ColumnOf>,
    fields: Vec<(Text<'static>, Json<'static>)>,
}

impl Document {
    pub fn new(columns: &'static [ColumnOf]) -> Self {
        Self { columns: columns.iter(), fields: Vec::with_capacity(columns.len()) }
    }

    pub fn finish(self) -> Object<'static> {
        self.fields.into_iter().collect()
    }

    fn put(&mut self, value: Option<impl Into<Json<'static>>>) {
        let (name, _) = self.columns.next().expect(COLUMN_FOR_EACH);
        self.fields.push(((*name).into(), value.map_or(Json::Null, Into::into)));
    }
}

impl Cells for Document {
    fn text(&mut self, text: &str) {
        self.put(Some(text.to_owned()));
    }

    fn optional_text(&mut self, text: Option<&str>) {
        self.put(text.map(str::to_owned));
    }

    fn uuid(&mut self, id: Uuid) {
        self.put(Some(id.to_string()));
    }

    fn moment(&mut self, moment: DateTime<Utc>) {
        self.optional_moment(Some(moment));
    }

    fn optional_moment(&mut self, moment: Option<DateTime<Utc>>) {
        self.put(moment.map(|moment| moment.format("%F %T%.6f").to_string()));
    }

    fn optional_u32(&mut self, number: Option<u32>) {
        self.put(number);
    }

    fn optional_f32(&mut self, number: Option<f32>) {
        self.put(number.map(f64::from));
    }

    fn optional_f64(&mut self, number: Option<f64>) {
        self.put(number);
    }

    /// As a text, so that nobody reads it as a binary fraction.
    fn optional_money(&mut self, billionths: Option<i64>) {
        self.put(billionths.map(|billionths| rust_decimal::Decimal::new(billionths, 9).to_string()));
    }

    fn optional_truth(&mut self, truth: Option<bool>) {
        self.put(truth);
    }

    fn texts<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        self.put(Some(texts.map(|text| Json::from(text.to_owned())).collect::<Vec<_>>()));
    }

    fn numbers(&mut self, numbers: impl Iterator<Item = u32>) {
        self.put(Some(numbers.map(Json::from).collect::<Vec<_>>()));
    }

    fn truths(&mut self, truths: impl Iterator<Item = bool>) {
        self.put(Some(truths.map(Json::from).collect::<Vec<_>>()));
    }

    fn object(&mut self, object: &Object<'_>) {
        self.put(Some(object.clone().into_owned()));
    }

    fn objects<'o, 't: 'o>(&mut self, objects: impl Iterator<Item = &'o Object<'t>>) {
        self.put(Some(objects.map(|object| Json::from(object.clone().into_owned())).collect::<Vec<_>>()));
    }
}
