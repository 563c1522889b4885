//! Paths between trained networks: the line, a trained curve, and the line after alignment.

use anyhow::{Result, ensure};
use burn::tensor::Device;
use connectivity::{Data, Path, Paths, distance_of_copy, paths, train};
use datasets::{Digits, SplitConfig};
use indicatif::ProgressBar;

use crate::table::{Figure, Row, Table};

/// A path's name, how it is read off the paths of a pair, and the squared distance of its ends.
type Kind = (&'static str, fn(&Paths) -> &Path, fn(&Paths) -> f64);

const KINDS: [Kind; 3] = [
    (
        "line",
        |paths| &paths.line,
        |paths| paths.alignment.squared_distance_before,
    ),
    (
        "trained Bezier curve",
        |paths| &paths.bezier,
        |paths| paths.alignment.squared_distance_before,
    ),
    (
        "line after alignment",
        |paths| &paths.aligned,
        |paths| paths.alignment.squared_distance_after,
    ),
];

/// The columns after the name, and how each is read off a path and the line of the same pair.
type Column = (&'static str, fn(&Path, &Path) -> f64);

const COLUMNS: [Column; 7] = [
    ("barrier", |path, _| path.loss[0].barrier),
    ("largest loss", |path, _| path.loss[0].max),
    ("largest loss / barrier of the line", |path, line| {
        path.loss[0].max / line.loss[0].barrier
    }),
    ("lowest accuracy", |path, _| least(&path.accuracy[0])),
    ("test: barrier", |path, _| path.loss[1].barrier),
    ("test: largest loss", |path, _| path.loss[1].max),
    ("test: lowest accuracy", |path, _| least(&path.accuracy[1])),
];

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Three pairs of wide networks; in the small form one pair of narrow ones, hardly trained.
pub(crate) fn run(small: bool) -> Result<Table> {
    let (seeds, width, epochs, steps) = if small {
        (1, 64, 3, 100)
    } else {
        (3, 512, 30, 1000)
    };
    let device = Device::flex().autodiff();
    let split = Digits::load()?.split(&SplitConfig::new())?;
    let data = Data::of(&split, &device)?;
    let progress = ProgressBar::new(seeds);
    let mut pairs = Vec::new();
    for pair in 0..seeds {
        let train = |seed| train(width, &split.train, epochs, seed, &device);
        let (a, b) = (train(2 * pair)?, train(2 * pair + 1)?);
        for model in [&a, &b] {
            let [before, after] = distance_of_copy(model, &data, 7)?;
            ensure!(
                before > 0.0 && after == 0.0,
                "a renumbered copy at the squared distance {before} is at {after} after alignment"
            );
        }
        let found = paths(&a, &b, &data, steps)?;
        // What is claimed, of networks that are trained.
        let [line, bezier, aligned] = KINDS.map(|(_, read, _)| &read(&found).loss[0]);
        ensure!(
            small || bezier.max < line.barrier / 3.0,
            "pair {pair}: the curve's largest loss {} is no third of the line's barrier {}",
            bezier.max,
            line.barrier
        );
        ensure!(
            small || aligned.barrier < line.barrier,
            "pair {pair}: alignment raised the barrier from {} to {}",
            line.barrier,
            aligned.barrier
        );
        pairs.push(found);
        progress.inc(1);
    }
    progress.finish_and_clear();
    let rows = KINDS.map(|(name, read, distance)| {
        let column = |measure: fn(&Path, &Path) -> f64| {
            let values = pairs.iter().map(|pair| measure(read(pair), &pair.line));
            Figure::of(values.collect())
        };
        let distances = Figure::of(pairs.iter().map(distance).collect());
        let measures = COLUMNS.iter().map(|&(_, measure)| column(measure));
        Row {
            name: name.to_owned(),
            figures: measures.chain([distances]).collect(),
        }
    });
    let columns = COLUMNS.iter().map(|&(name, _)| name);
    let columns = ["path"]
        .into_iter()
        .chain(columns)
        .chain(["squared distance of the ends"]);
    Ok(Table {
        setting: format!(
            "MLP 64-{width}-{width}-10 with ReLU on UCI digits, {epochs} epochs of SGD with momentum; {seeds} pairs, each of two \
             initial weights and orders. Bezier curve: {steps} steps of Adam. 41 points along each path. Of a copy of each \
             network with its units in another order, the alignment finds the order: the distance is 0 afterwards."
        ),
        columns: columns.map(str::to_owned).collect(),
        rows: rows.into(),
    })
}
