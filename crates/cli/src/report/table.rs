//! The table at the end of a run and of a comparison: one column per training.

use comfy_table::{CellAlignment, ContentLineStyle, LineStyle, Table, presets};

use super::number::{Number, plain_number, significant};
use super::output::printable;
use super::summary::{Figures, HessianNote, NOT_MEASURED, Summary};

/// An empty table with one line below its header and none elsewhere.
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

/// The figures of several trainings side by side.
pub(crate) fn side_by_side(columns: &[(String, &Summary)]) -> String {
    let mut table = plain();
    let mut header = vec![String::new()];
    header.extend(columns.iter().map(|(name, _)| printable(name).into_owned()));
    table.set_header(header);
    for (label, cell) in ROWS {
        let mut row = vec![(*label).to_owned()];
        row.extend(columns.iter().map(|(_, summary)| cell(summary)));
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    trimmed(&table)
}

/// A table without the blanks at the end of its lines.
pub(crate) fn trimmed(table: &Table) -> String {
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

type Row = (&'static str, fn(&Summary) -> String);

const ROWS: &[Row] = &[
    ("method", |s| s.config.method_in_words()),
    ("training loss", |s| digits(s.figures.training_loss)),
    ("training accuracy", |s| share(s.figures.training_accuracy)),
    ("validation loss", |s| digits(s.figures.validation_loss)),
    ("validation accuracy", |s| {
        share(s.figures.validation_accuracy)
    }),
    ("test loss", |s| digits(s.figures.test_loss)),
    ("test accuracy", |s| share(s.figures.test_accuracy)),
    ("lambda_1", |s| {
        measured(s.figures.lambda_1, |lambda| digits(lambda.value))
    }),
    ("  its residual", |s| {
        measured(s.figures.lambda_1, |lambda| {
            let converged = if lambda.converged {
                ""
            } else {
                " (not converged)"
            };
            format!("{}{converged}", short(lambda.residual))
        })
    }),
    ("  products in doubt", |s| {
        measured(s.figures.lambda_1, |_| {
            s.hessian.unresolved_products.to_string()
        })
    }),
    ("trace", |s| {
        measured(s.figures.trace, |trace| digits(trace.value))
    }),
    ("  its standard error", |s| {
        measured(s.figures.trace, |trace| short(trace.standard_error))
    }),
    ("SAM sharpness", |s| {
        measured(s.figures.sam_sharpness, |sharpness| {
            let rho = plain_number(sharpness.rho.0);
            format!("{} (rho {rho})", digits(sharpness.value))
        })
    }),
    ("seconds", |s| format!("{:.1}", s.times.seconds)),
    ("probes over training time", |s| {
        format!("{:.0} %", 100.0 * s.times.probe_fraction)
    }),
];

/// The figures of one training as a markdown table, for TensorBoard.
pub(crate) fn markdown(figures: &Figures, hessian: &HessianNote) -> String {
    let pair = |loss, accuracy| format!("{} | {}", digits(loss), share(accuracy));
    let losses = format!(
        "| data | mean loss | accuracy |\n|---|---|---|\n| training | {} |\n| validation | {} |\n| test | {} |\n\n",
        pair(figures.training_loss, figures.training_accuracy),
        pair(figures.validation_loss, figures.validation_accuracy),
        pair(figures.test_loss, figures.test_accuracy),
    );
    let (Some(lambda), Some(trace), Some(sharpness)) =
        (figures.lambda_1, figures.trace, figures.sam_sharpness)
    else {
        return losses + "Curvature was not measured.";
    };
    let curvature = format!(
        "| curvature | value | its error |\n|---|---|---|\n| lambda_1 | {} | residual {} |\n| trace | {} | standard error {} |\n\
         | SAM sharpness, rho {} | {} | |\n\nOver {} training examples; Hessian products by {}; {} of them in doubt, close to a kink of the loss.",
        digits(lambda.value),
        short(lambda.residual),
        digits(trace.value),
        short(trace.standard_error),
        plain_number(sharpness.rho.0),
        digits(sharpness.value),
        hessian.examples,
        hessian.method,
        hessian.unresolved_products,
    );
    losses + &curvature
}

/// A figure that was measured, or the word that it was not.
fn measured<T>(figure: Option<T>, say: impl FnOnce(T) -> String) -> String {
    figure.map_or_else(|| NOT_MEASURED.to_owned(), say)
}

fn digits(number: Number) -> String {
    significant(number.0, 4)
}

fn short(number: Number) -> String {
    significant(number.0, 2)
}

fn share(number: Number) -> String {
    format!("{:.4}", number.0)
}
