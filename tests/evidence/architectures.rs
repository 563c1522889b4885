//! Residual connections and BatchNorm: what they do to the surface of a network of 20 layers.

use anyhow::Result;
use architectures::{Architecture, Plan, RISE, comparisons, outcome};
use burn::tensor::Device;
use datasets::{Digits, SplitConfig};
use indicatif::ProgressBar;

use crate::table::{Figure, Row, Table};

const COLUMNS: [&str; 10] = [
    "norm and width",
    "training loss, plain",
    "residual",
    "validation accuracy, plain",
    "residual",
    "share above, plain",
    "residual",
    "plain : residual",
    "without : with norm, plain",
    "residual",
];

/// All networks of the example, three seeds; in the small form the narrow ones and two seeds.
pub(crate) fn run(small: bool) -> Result<Table> {
    let plan = Plan::new(small);
    let (seeds, widths) = if small {
        (2, &[8][..])
    } else {
        (3, &[8, 16][..])
    };
    let device = Device::flex().autodiff();
    let split = Digits::load()?.split(&SplitConfig::new())?;
    let architectures = Architecture::all(widths);
    let progress = ProgressBar::new(architectures.len() as u64 * seeds);
    let mut found = Vec::new();
    for architecture in architectures {
        let mut outcomes = Vec::new();
        for seed in 0..seeds {
            outcomes.push(outcome(architecture, seed, &split, plan, &device)?);
            progress.inc(1);
        }
        found.push((architecture, outcomes));
    }
    progress.finish_and_clear();
    let rows = comparisons(&found).into_iter().map(|comparison| {
        let pairs = [
            comparison.losses,
            comparison.accuracies,
            comparison.shares,
            [comparison.plain_over_residual, Vec::new()],
            comparison.bare_over_this,
        ];
        let values = pairs.into_iter().flatten();
        Row {
            name: comparison.name,
            figures: values
                .filter(|values| !values.is_empty())
                .map(Figure::of)
                .collect(),
        }
    });
    Ok(Table {
        setting: format!(
            "20 layers of 8 or 16 channels on UCI digits, {} epochs of Adam; {seeds} seeds. \
             Share of the points of a plane, ±{} of two filter-normalised random directions, whose loss is more than {RISE} nat \
             above the centre's, on {} training images; the random numbers are the same for all networks of one shape.",
            plan.epochs, plan.half_width, plan.images
        ),
        columns: COLUMNS.map(str::to_owned).to_vec(),
        rows: rows.collect(),
    })
}
