//! The look of tables.

use comfy_table::{ContentLineStyle, LineStyle, Table, presets};

/// Returns an empty table with one line below its header and none elsewhere.
pub(crate) fn plain() -> Table {
    let line = LineStyle::none().fill('─').junction('─');
    let mut table = Table::new();
    table.load_style(
        presets::NOTHING
            .header_lines(ContentLineStyle::none())
            .header_separator(line),
    );
    table
}

/// Returns a table without the blanks at the end of its lines.
pub(crate) fn trimmed(table: &Table) -> String {
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}
