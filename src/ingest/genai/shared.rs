//! What a span shares with the spans below it: who ran, for whom, in which conversation.

use super::names::{Column, columns_of};
use super::{Coverage, Found, Said, user};
use crate::json::{Object, Text};
use crate::rows::Span;

/// The columns that are shared.
const SHARED: [Column; 7] = [
    Column::AssistantCode,
    Column::AgentId,
    Column::AssistantVersion,
    Column::ConversationId,
    Column::UserId,
    Column::Environment,
    Column::ProfileCode,
];

/// What coverage calls the origin of what was taken from a span above.
const ABOVE: &str = "(span above)";

/// What a span says of who ran.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    assistant_code: Text<'static>,
    agent_id: Text<'static>,
    assistant_version: Text<'static>,
    conversation_id: Text<'static>,
    user_id_hash: Text<'static>,
    environment: Text<'static>,
    profile_code: Text<'static>,
}

/// Reads off attributes what is shared.
pub fn shared(attributes: &Object<'_>, resource: &Object<'_>, hash: impl Fn(&str) -> String) -> Shared {
    let start_time = chrono::DateTime::UNIX_EPOCH;
    let said = Said { name: "", attributes, resource, events: &[], start_time, end_time: None, is_error: false };
    let found = Found::look(&said);
    Shared {
        assistant_code: found.text(Column::AssistantCode),
        agent_id: found.text(Column::AgentId),
        assistant_version: found.text(Column::AssistantVersion),
        conversation_id: found.text(Column::ConversationId),
        user_id_hash: user(&found, hash),
        environment: found.text(Column::Environment),
        profile_code: found.text(Column::ProfileCode),
    }
}

impl Shared {
    /// Whether an attribute tells something that is shared.
    pub fn is_told_by(name: &str) -> bool {
        columns_of(name).iter().any(|(column, _)| SHARED.contains(column))
    }

    /// Adds to a span below what it does not say itself.
    pub fn complete(&self, span: &mut Span<'static>, coverage: &Coverage) {
        let columns = &mut span.columns;
        if columns.assistant_code.is_empty() && !self.assistant_code.is_empty() {
            columns.assistant_code = self.assistant_code.clone();
            coverage.note("assistant_code", ABOVE);
            take(&mut columns.agent_id, &self.agent_id, "agent_id", coverage);
            // Whose service a call is made by is no version of the assistant that it is made for.
            if !self.assistant_version.is_empty() && span.attributes.get("gen_ai.agent.version").is_none() {
                columns.assistant_version = self.assistant_version.clone();
                coverage.note("assistant_version", ABOVE);
            }
        }
        take(&mut columns.conversation_id, &self.conversation_id, "conversation_id", coverage);
        take(&mut columns.user_id_hash, &self.user_id_hash, "user_id_hash", coverage);
        take(&mut columns.environment, &self.environment, "environment", coverage);
        if columns.profile_code.is_none() && !self.profile_code.is_empty() {
            columns.profile_code = Some(self.profile_code.clone());
            coverage.note("profile_code", ABOVE);
        }
    }
}

fn take(column: &mut Text<'static>, told: &Text<'static>, name: &'static str, coverage: &Coverage) {
    if column.is_empty() && !told.is_empty() {
        *column = told.clone();
        coverage.note(name, ABOVE);
    }
}
