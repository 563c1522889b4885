//! The width of tables.

use terminal_size::{Width, terminal_size_of};

/// The width where nobody says another.
const USUAL: usize = 80;

/// No table is made to fit less; its lines wrap.
const LEAST: usize = 40;

/// Returns the columns of standard output: those of the terminal; where it is none, the variable
/// COLUMNS, or 80.
pub(crate) fn columns() -> usize {
    let terminal = terminal_size_of(std::io::stdout()).map(|(Width(columns), _)| columns.into());
    let said = || std::env::var("COLUMNS").ok()?.trim().parse().ok();
    let columns = terminal.filter(|columns| *columns > 0).or_else(said);
    columns.unwrap_or(USUAL).max(LEAST)
}
