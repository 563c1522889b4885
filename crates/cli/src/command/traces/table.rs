//! The tables of a trajectory: its shape, its layers, its checkpoints.

use comfy_table::{CellAlignment, ContentArrangement};
use landscape::trajectory::Centre;

use super::document::About;
use super::traced::{Course, Traced};
use crate::comparison::wrapped;
use crate::engine::slices::Figure;
use crate::report::number::significant;
use crate::report::output::{print, printable};
use crate::report::paint::Paint;
use crate::report::table::{plain, trimmed};

/// Checkpoints in the table, at most; the files have all.
const ROWS: usize = 24;

/// Prints the tables.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn show(
    course: &Course<'_>,
    traced: &Traced<'_>,
    about: &About<'_>,
    columns: usize,
) -> anyhow::Result<()> {
    let say = |text: &str| print(&printable(text));
    let plan = course.run.last.plan();
    let heading = format!(
        "Trajectory of {} through {} checkpoints, {} parameters; training: a sample of {} examples of `{}`",
        course.name(),
        course.run.steps.len(),
        about.parameters,
        about.examples,
        plan.subject.data_name()
    );
    print(&Paint::stdout().strong(&printable(&wrapped(&heading, columns))))?;
    say(&shape(traced))?;
    say("")?;
    say(&checkpoints(course, traced, columns))?;
    say("")?;
    let mut remarks = vec![
        match course.centre {
            Centre::Last => "The plane is that of the first two principal components about the last checkpoint, which is at 0, 0; explained: of the squared distances to it.",
            Centre::Mean => "The plane is that of the first two principal components about the mean of the checkpoints, which is at 0, 0; explained: of their variance.",
        }
        .to_owned(),
        "In the plane: the value at the nearest point of the plane, which is where the picture has the checkpoint.".to_owned(),
        "The length is that of the straight lines between checkpoints: a lower bound of the training's own.".to_owned(),
    ];
    let shown = rows(course.run.steps.len());
    if shown.len() < course.run.steps.len() {
        remarks.push(format!(
            "The table has {} of {} checkpoints; checkpoints.csv has all.",
            shown.len(),
            course.run.steps.len()
        ));
    }
    for remark in remarks {
        say(&wrapped(&remark, columns))?;
    }
    say(&format!(
        "Numbers and pictures: {}",
        course.output.display()
    ))
}

/// Returns the table of what is one number.
fn shape(traced: &Traced<'_>) -> String {
    let found = &traced.trajectory;
    let measures = &found.measures;
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let or_none = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| significant(v, 4));
    let mut rows = vec![
        (
            "explained by direction 1".to_owned(),
            percent(found.explained[0]),
        ),
        (
            "explained by direction 2".to_owned(),
            percent(found.explained[1]),
        ),
        (
            "length of the path".to_owned(),
            significant(measures.length, 4),
        ),
        (
            "  over the straight distance".to_owned(),
            or_none(measures.ratio),
        ),
        (
            "cosine of successive steps, mean".to_owned(),
            or_none(measures.mean_cosine),
        ),
    ];
    for layer in &measures.layers {
        rows.push((
            format!("norm of {}, last over first", layer.path),
            or_none(layer.growth),
        ));
    }
    if let Some(sampled) = &traced.sampled {
        rows.push((
            "points of the plane".to_owned(),
            sampled.evaluated_in_words(),
        ));
        rows.push((
            "seconds for them".to_owned(),
            format!("{:.2}", sampled.seconds),
        ));
    }
    let mut table = plain();
    for (what, value) in rows {
        table.add_row([what, value]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    trimmed(&table)
}

/// Returns the places of the checkpoints that the table has: the first, the last, and some evenly
/// between.
fn rows(count: usize) -> Vec<usize> {
    if count <= ROWS {
        return (0..count).collect();
    }
    (0..ROWS)
        .map(|row| row * (count - 1) / (ROWS - 1))
        .collect()
}

/// Returns the table of the checkpoints.
fn checkpoints(course: &Course<'_>, traced: &Traced<'_>, columns: usize) -> String {
    let found = &traced.trajectory;
    let mut table = plain();
    let mut header = ["step", "direction\n1", "direction\n2", "out of\nplane"]
        .map(str::to_owned)
        .to_vec();
    for column in &found.columns {
        let name = column.name().replace(' ', "\n");
        header.push(name);
        if column.figure == Figure::Loss {
            header.push("in the\nplane".to_owned());
        }
    }
    table.set_header(header);
    for place in rows(course.run.steps.len()) {
        let (at, values) = (&found.checkpoints[place], &found.values[place]);
        let mut row = vec![course.run.steps[place].to_string()];
        row.extend(at.coordinates.map(|x| significant(x, 3)));
        row.push(significant(at.out_of_plane, 3));
        for (column, kind) in found.columns.iter().enumerate() {
            row.push(significant(values.at_checkpoint[column], 4));
            if kind.figure == Figure::Loss {
                row.push(significant(values.at_projection[column], 4));
            }
        }
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let widest = table.lines().map(|line| line.chars().count()).max();
    if widest > Some(columns) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(columns).unwrap_or(u16::MAX));
    }
    trimmed(&table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_the_first_and_the_last_checkpoint_and_no_more_than_fit() {
        assert_eq!(rows(3), [0, 1, 2]);
        let many = rows(1000);
        assert_eq!((many.len(), many[0], many[ROWS - 1]), (ROWS, 0, 999));
        assert!(many.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
