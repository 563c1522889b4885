//! SGD, SAM and ASAM on the digits MLP over several seeds.

use anyhow::Result;
use indicatif::ProgressBar;

use crate::table::{Figure, Row, Table};
use crate::training::{Method, Outcome, Recipe, train};

const METHODS: [(&str, Method); 3] = [
    ("SGD, momentum 0.9", Method::Sgd),
    ("SAM, rho 0.05", Method::Sam),
    ("ASAM, rho 0.5", Method::Asam),
];

/// The columns, and how each is read off an outcome.
type Column = (&'static str, fn(&Outcome) -> f64);

const COLUMNS: [Column; 8] = [
    ("training loss", |outcome| outcome.training_loss),
    ("validation loss", |outcome| outcome.validation_loss),
    ("validation accuracy", |outcome| outcome.validation_accuracy),
    ("lambda_1", |outcome| outcome.lambda_max),
    ("its residual", |outcome| outcome.lambda_residual),
    ("trace", |outcome| outcome.trace),
    ("its standard error", |outcome| outcome.trace_error),
    ("SAM sharpness, rho 0.05", |outcome| outcome.sam_sharpness),
];

/// Five seeds of 30 epochs each; in the small form two of 3.
pub(crate) fn run(small: bool) -> Result<Table> {
    let (seeds, epochs) = if small { (2, 3) } else { (5, 30) };
    let progress = ProgressBar::new(seeds * METHODS.len() as u64);
    let mut rows = Vec::new();
    for (name, method) in METHODS {
        let mut outcomes = Vec::new();
        for seed in 0..seeds {
            let recipe = Recipe {
                epochs,
                seed,
                learning_rate: 0.1,
                batch_size: 32,
            };
            outcomes.push(train(method, &recipe)?);
            progress.inc(1);
        }
        let figures = COLUMNS
            .iter()
            .map(|(_, read)| Figure::of(outcomes.iter().map(read).collect()))
            .collect();
        rows.push(Row {
            name: name.to_owned(),
            figures,
        });
    }
    progress.finish_and_clear();
    let columns = std::iter::once("method").chain(COLUMNS.iter().map(|(name, _)| *name));
    Ok(Table {
        setting: format!(
            "MLP 64-128-64-10 with ReLU on UCI digits; {seeds} seeds, each with its own split, initial weights and order; \
             {epochs} epochs, batches of 32, learning rate 0.1 falling to 0 as a cosine, no weight decay. Curvature and SAM \
             sharpness are of the mean loss over the whole training data. Mean ± standard deviation over the seeds."
        ),
        columns: columns.map(str::to_owned).collect(),
        rows,
    })
}
