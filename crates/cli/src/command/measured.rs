//! The table of a measurement: what, its value, how well it is known, and what that took. It fits
//! 80 columns.

use comfy_table::CellAlignment;

use crate::engine::measurement::Row;
use crate::report::table::{plain, trimmed};

/// Returns the table.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table = plain();
    table.set_header(["", "value", "error", "work", "seconds"]);
    for row in rows {
        table.add_row([
            row.what.clone(),
            row.value.clone(),
            row.error.clone(),
            row.work.clone(),
            row.seconds.map_or_else(String::new, |s| format!("{s:.2}")),
        ]);
    }
    for column in [1, 3, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    trimmed(&table)
}
