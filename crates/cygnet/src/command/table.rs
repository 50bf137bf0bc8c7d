//! Tables for people, and JSON values as people write them.

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use serde_json::Value;

/// A line below the header, and nothing else between the texts.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table with these columns.
pub(crate) fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic).set_header(columns);
    table
}

/// A value as people write it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The items of a list; nothing if it is none.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// An action of a deployment: its name, and the app or pod it is about.
pub(crate) fn action(action: &Value) -> String {
    let whose = if action["app"].is_null() { &action["pod"] } else { &action["app"] };
    format!("{} {}", text(&action["action"]), text(whose))
}

/// A list of texts, separated by commas.
pub(crate) fn joined(list: &Value) -> String {
    items(list).iter().map(text).collect::<Vec<_>>().join(", ")
}
