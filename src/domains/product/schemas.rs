//! What questions about the product have in common.

use super::repository::{PEOPLE, USES};
use crate::query::dataset::Dataset;
use crate::query::filters::FilterSet;

/// Filters of questions about what was used.
#[derive(Debug, Clone, Copy)]
pub struct UseFilters;

impl FilterSet for UseFilters {
    const DATASET: &'static Dataset = &USES;
    const LISTS: &'static [(&'static str, &'static str)] = &[
        ("org_id_hashes", "org_id_hash"),
        ("sources", "source"),
        ("route_patterns", "route_pattern"),
        ("features", "feature"),
        ("surfaces", "surface"),
        ("views", "view"),
        ("filter_keys", "filter_key"),
        ("charts", "chart"),
        ("actions", "action"),
        ("boundaries", "boundary"),
        ("error_classes", "error_class"),
    ];
}

/// Filters of questions about who was there, whatever they did.
#[derive(Debug, Clone, Copy)]
pub struct PeopleFilters;

impl FilterSet for PeopleFilters {
    const DATASET: &'static Dataset = &PEOPLE;
    const LISTS: &'static [(&'static str, &'static str)] =
        &[("org_id_hashes", "org_id_hash"), ("sources", "source"), ("schema_versions", "schema_version")];
}
