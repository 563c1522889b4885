//! A table of items and runs that fits the terminal: a run a column, or a run a line where there
//! are too many.

use comfy_table::{CellAlignment, ContentArrangement, Table};

use super::output::printable;
use super::table::{plain, trimmed};

/// The table of several runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sheet {
    /// The names of the runs.
    pub(crate) runs: Vec<String>,
    /// The rows.
    pub(crate) items: Vec<Item>,
}

/// One thing that is known of every run.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Its name in front of a line.
    pub(crate) label: String,
    /// Its name above a column; each word may have a line of its own.
    pub(crate) heading: String,
    /// Items of one part stay together where they can.
    pub(crate) part: Part,
    /// Its value for each run.
    pub(crate) cells: Vec<String>,
}

/// The parts of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The settings of the run.
    Settings,
    /// Losses and accuracies.
    Loss,
    /// Eigenvalue, trace, sharpness.
    Curvature,
    /// Time.
    Cost,
}

impl Item {
    /// Returns an item whose column is headed by its label.
    pub(crate) fn new(part: Part, label: &str, cells: Vec<String>) -> Self {
        Self::headed(part, label, label, cells)
    }

    /// Returns an item with another name above a column.
    pub(crate) fn headed(part: Part, label: &str, heading: &str, cells: Vec<String>) -> Self {
        Self {
            label: label.to_owned(),
            heading: heading.replace(' ', "\n"),
            part,
            cells,
        }
    }
}

impl Sheet {
    /// Returns the table for a terminal of that many columns.
    pub(crate) fn fit(&self, columns: usize) -> String {
        let upright = self.run_a_column();
        if width(&upright) <= columns || self.runs.len() == 1 {
            return shown(upright, columns);
        }
        let blocks = self.blocks(columns);
        let tables = blocks
            .iter()
            .map(|items| shown(self.run_a_line(items), columns));
        tables.collect::<Vec<_>>().join("\n\n")
    }

    /// Returns the table in markdown.
    pub(crate) fn markdown(&self) -> String {
        let cell = |text: &str| text.trim().replace('\n', " ").replace('|', "\\|");
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        // A page is as wide as five columns or so.
        let (header, rows): (Vec<String>, Vec<Vec<String>>) = if self.runs.len() <= 4 {
            let row = |item: &Item| {
                let cells = item.cells.iter().map(|text| cell(text));
                std::iter::once(cell(&item.label)).chain(cells).collect()
            };
            let names = self.runs.iter().map(|name| cell(name));
            (
                std::iter::once(String::new()).chain(names).collect(),
                self.items.iter().map(row).collect(),
            )
        } else {
            let row = |(run, name): (usize, &String)| {
                let cells = self.items.iter().map(|item| cell(&item.cells[run]));
                std::iter::once(cell(name)).chain(cells).collect()
            };
            let labels = self.items.iter().map(|item| cell(&item.label));
            (
                std::iter::once("run".to_owned()).chain(labels).collect(),
                self.runs.iter().enumerate().map(row).collect(),
            )
        };
        let rule = std::iter::once("---").chain(header.iter().skip(1).map(|_| "---:"));
        let mut text = line(rule.map(str::to_owned).collect());
        text.insert_str(0, &line(header));
        text.extend(rows.into_iter().map(line));
        text
    }

    fn run_a_column(&self) -> Table {
        let mut table = plain();
        let names = self.runs.iter().map(|name| printable(name).into_owned());
        table.set_header(std::iter::once(String::new()).chain(names));
        for item in &self.items {
            table.add_row(std::iter::once(&item.label).chain(&item.cells));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }

    fn run_a_line(&self, items: &[&Item]) -> Table {
        let mut table = plain();
        let headings = items.iter().map(|item| item.heading.as_str());
        table.set_header(std::iter::once("").chain(headings));
        for (run, name) in self.runs.iter().enumerate() {
            let cells = items.iter().map(|item| item.cells[run].as_str());
            table.add_row(std::iter::once(printable(name).as_ref()).chain(cells));
        }
        for (column, item) in table.column_iter_mut().skip(1).zip(items) {
            if item.part != Part::Settings {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }

    /// Returns the items of each of several tables below each other, every one of which fits if one
    /// item does.
    fn blocks(&self, columns: usize) -> Vec<Vec<&Item>> {
        let fits = |items: &[&Item]| width(&self.run_a_line(items)) <= columns;
        let mut blocks: Vec<Vec<&Item>> = Vec::new();
        let mut rest = self.items.iter().peekable();
        while let Some(first) = rest.next() {
            let mut part = vec![first];
            while let Some(item) = rest.next_if(|item| item.part == first.part) {
                part.push(item);
            }
            let joined = |block: &[&Item], more: &[&Item]| fits(&[block, more].concat());
            match blocks.last_mut() {
                Some(block) if joined(block, &part) => block.extend(part),
                _ => {
                    blocks.push(Vec::new());
                    for item in part {
                        let block = blocks.last_mut().expect("one was put there");
                        if block.is_empty() || joined(block, &[item]) {
                            block.push(item);
                        } else {
                            blocks.push(vec![item]);
                        }
                    }
                }
            }
        }
        blocks
    }
}

/// Returns the columns that a table takes.
fn width(table: &Table) -> usize {
    let columns = table.column_max_content_widths();
    // A blank on each side of each column, and one between two.
    let wide: usize = columns.iter().map(|width| usize::from(*width) + 3).sum();
    wide.saturating_sub(1)
}

/// Returns a table as text; cells wrap where it is wider than it may be.
fn shown(mut table: Table, columns: usize) -> String {
    if width(&table) > columns {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(columns).unwrap_or(u16::MAX));
    }
    trimmed(&table)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a sheet of so many runs, with cells of twelve letters.
    fn sheet(runs: usize) -> Sheet {
        let cells = |item: usize| (0..runs).map(|run| format!("{item:06}.{run:05}")).collect();
        let parts = [
            Part::Settings,
            Part::Loss,
            Part::Loss,
            Part::Loss,
            Part::Curvature,
            Part::Cost,
        ];
        let items = parts.iter().enumerate();
        let items = items.map(|(i, part)| Item::new(*part, &format!("figure {i}"), cells(i)));
        Sheet {
            runs: (0..runs).map(|run| format!("run-{run}")).collect(),
            items: items.collect(),
        }
    }

    #[test]
    fn every_cell_is_shown_and_no_line_is_wider_than_the_terminal() {
        for runs in [1, 2, 4, 12, 40] {
            for columns in [40, 80, 120, 200] {
                let sheet = sheet(runs);
                let text = sheet.fit(columns);
                let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
                assert!(
                    widest <= columns,
                    "{runs} runs, {columns} columns: {widest}\n{text}"
                );
                for cell in sheet.items.iter().flat_map(|item| &item.cells) {
                    assert_eq!(text.matches(cell.as_str()).count(), 1, "{cell} in\n{text}");
                }
            }
        }
    }

    #[test]
    fn run_is_a_column_where_all_fit_and_a_line_with_its_name_in_every_block_elsewhere() {
        let text = sheet(2).fit(80);
        assert_eq!(text.lines().count(), 2 + 6, "{text}");
        let text = sheet(12).fit(80);
        let blocks: Vec<&str> = text.split("\n\n").collect();
        assert!(blocks.len() > 1);
        for block in blocks {
            assert_eq!(block.matches("run-11").count(), 1, "{block}");
        }
        // The three losses stay together.
        let whole = text
            .split("\n\n")
            .filter(|block| block.contains("000001.") && block.contains("000003."));
        assert_eq!(whole.count(), 1, "{text}");
    }

    #[test]
    fn markdown_has_the_cells_and_no_bar_of_theirs() {
        let mut sheet = sheet(2);
        sheet.runs[0] = "a|b".to_owned();
        let text = sheet.markdown();
        assert!(text.starts_with(
            "|  | a\\|b | run-1 |\n| --- | ---: | ---: |\n| figure 0 | 000000.00000 | "
        ));
        assert_eq!(text.lines().count(), 2 + 6);
        sheet = self::sheet(12);
        assert_eq!(sheet.markdown().lines().count(), 2 + 12);
    }
}
