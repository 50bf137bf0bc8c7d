//! Tables for people.

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};

/// A line below the header, and nothing else between what is to be read.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table with these columns.
pub(crate) fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic).set_header(columns);
    table
}
