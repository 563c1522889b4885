//! The tables of paths: a column for each path of a pair, or a matrix of pairs for each path.

use comfy_table::CellAlignment;

use super::barriers::{matrix, names};
use super::connected::{Average, Connected, Course};
use crate::comparison::wrapped;
use crate::engine::slices::{Figure, MeasuredPath};
use crate::report::number::{plain_number, significant};
use crate::report::output::{print, printable};
use crate::report::paint::Paint;
use crate::report::sheet::{Item, Part, Sheet};
use crate::report::table::{plain, trimmed};

/// Prints the tables.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn show(
    course: &Course<'_>,
    found: &[Connected<'_>],
    average: Option<&Average>,
    columns: usize,
) -> anyhow::Result<()> {
    let gathered = course.gathered;
    let heading = format!(
        "Paths between {} on `{}`; training: a sample of {} examples",
        gathered.joined_names(),
        gathered.data_name,
        gathered.examples()
    );
    print(&Paint::stdout().strong(&printable(&wrapped(&heading, columns))))?;
    match found {
        [one] => {
            if !one.paths.is_empty() {
                print_line(&sheet(&one.paths).fit(columns))?;
            }
        }
        several => {
            for name in names(several) {
                print_line("")?;
                let title = format!("Barriers of the {name}");
                print(&Paint::stdout().strong(&title))?;
                print_line(&barriers(course, several, name))?;
            }
        }
    }
    print_line("")?;
    let mut remarks = remarks(course, found);
    if let Some(average) = average {
        let values = average.iter();
        let values =
            values.map(|(column, value)| format!("{} {}", column.name(), significant(*value, 4)));
        let values: Vec<String> = values.collect();
        remarks.push(format!(
            "At the average of all weights: {}.",
            values.join(", ")
        ));
    }
    for remark in remarks {
        print_line(&wrapped(&remark, columns))?;
    }
    let folder = gathered.folder.display().to_string();
    print_line(&format!("Numbers and pictures: {folder}"))
}

fn print_line(text: &str) -> anyhow::Result<()> {
    print(&printable(text))
}

/// Returns the table of the paths of one pair.
fn sheet(paths: &[MeasuredPath]) -> Sheet {
    let each =
        |of: &dyn Fn(&MeasuredPath) -> String| -> Vec<String> { paths.iter().map(of).collect() };
    let mut items = vec![Item::new(
        Part::Settings,
        "verdict",
        each(&|path| path.profile().verdict.to_string()),
    )];
    let first = &paths[0];
    let losses = first.columns.iter().filter(|c| c.figure == Figure::Loss);
    for (place, column) in losses.enumerate() {
        let name = column.name();
        let mut add = |label: String, of: &dyn Fn(&MeasuredPath) -> String| {
            items.push(Item::new(Part::Loss, &label, each(of)));
        };
        add(format!("{name}, t = 0"), &|path| {
            significant(path.profiles[place].ends()[0], 4)
        });
        add("  t = 1".to_owned(), &|path| {
            significant(path.profiles[place].ends()[1], 4)
        });
        add("  barrier".to_owned(), &|path| {
            significant(path.profiles[place].barrier, 4)
        });
        add("  at t".to_owned(), &|path| {
            significant(path.profiles[place].barrier_t, 3)
        });
        add("  highest".to_owned(), &|path| {
            significant(path.profiles[place].max, 4)
        });
        add("  mean over t".to_owned(), &|path| {
            significant(path.profiles[place].mean, 4)
        });
        add("  mean over the length".to_owned(), &|path| {
            significant(path.profiles[place].length_weighted, 4)
        });
    }
    for (place, column) in first.columns.iter().enumerate() {
        if column.figure == Figure::Accuracy {
            items.push(Item::new(
                Part::Loss,
                &format!("{}, lowest", column.name()),
                each(&|path| {
                    let values = path.values[place].iter().copied();
                    significant(values.fold(f64::INFINITY, f64::min), 4)
                }),
            ));
        }
    }
    items.push(Item::new(
        Part::Cost,
        "length",
        each(&|path| significant(path.length, 4)),
    ));
    items.push(Item::new(
        Part::Cost,
        "steps of training",
        each(&|path| match (path.steps, path.diverged) {
            (0, _) => "-".to_owned(),
            (steps, false) => steps.to_string(),
            (steps, true) => format!("{steps}, diverged"),
        }),
    ));
    items.push(Item::new(
        Part::Cost,
        "seconds",
        each(&|path| format!("{:.2}", path.seconds)),
    ));
    Sheet {
        runs: paths.iter().map(|path| path.name.clone()).collect(),
        items,
    }
}

/// Returns the matrix of the barriers of a path.
fn barriers(course: &Course<'_>, found: &[Connected<'_>], name: &str) -> String {
    let points = &course.gathered.points;
    let mut table = plain();
    let names = points.iter().map(|named| named.name.clone());
    table.set_header(std::iter::once(String::new()).chain(names));
    for (named, row) in points.iter().zip(matrix(found, name, points.len())) {
        let cells = row
            .iter()
            .map(|cell| cell.map_or_else(|| "-".to_owned(), |value| significant(value, 3)));
        table.add_row(std::iter::once(named.name.clone()).chain(cells));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    trimmed(&table)
}

fn remarks(course: &Course<'_>, found: &[Connected<'_>]) -> Vec<String> {
    let settings = course.settings;
    let mut remarks = vec![format!(
        "Of {} points; connected: the training loss is nowhere above {} times that of the worse end.",
        settings.points,
        plain_number(settings.threshold)
    )];
    let diverged: Vec<String> = found
        .iter()
        .filter(|connected| connected.paths.iter().any(|path| path.diverged))
        .map(Connected::name)
        .collect();
    if !diverged.is_empty() {
        remarks.push(format!(
            "The training of the bends diverged ({}): the best ones until then are shown; lower --learning-rate.",
            diverged.join(", ")
        ));
    }
    if found.len() > 1 {
        let of = |name: &str| {
            let paths = found.iter().flat_map(|connected| &connected.paths);
            let paths: Vec<_> = paths.filter(|path| path.name == name).collect();
            let connected = paths.iter().filter(|path| path.is_connected()).count();
            (connected, paths.len())
        };
        for kind in &settings.paths {
            let (connected, all) = of(kind.name());
            remarks.push(format!(
                "{}: {connected} of {all} pairs connected.",
                kind.name()
            ));
        }
    }
    remarks
}
