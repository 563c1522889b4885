//! Filter normalisation: slices of rescaled copies of one ReLU network.

use anyhow::{Result, ensure};
use burn::tensor::{Device, FloatDType};
use connectivity::{Data, train};
use datasets::{Digits, SplitConfig};
use landscape::slice::linspace;
use landscape::{
    Error, Line, ParameterSpace, cast, download, filter_normalize, line, random_direction,
};
use models::Mlp;

use crate::table::{Figure, Row, Table};

/// The factors of the first layer; the second has the inverse.
const FACTORS: [f64; 5] = [1.0, 0.1, 0.5, 2.0, 10.0];

const COLUMNS: [&str; 6] = [
    "factor a",
    "difference of the outputs' loss",
    "raw: mean rise",
    "raw: mean rise over that of a = 1",
    "filter-normalised: mean rise",
    "filter-normalised: largest difference from a = 1",
];

/// The lines of one network along one direction.
struct Lines {
    raw: Line,
    normalised: Line,
}

/// Three networks, each with a direction; in the small form one that is hardly trained.
pub(crate) fn run(small: bool) -> Result<Table> {
    let (seeds, epochs) = if small { (1, 3) } else { (3, 30) };
    let device = Device::flex().autodiff();
    let split = Digits::load()?.split(&SplitConfig::new())?;
    let data = Data::of(&split, &device)?;
    let mut figures = vec![vec![Vec::new(); COLUMNS.len() - 1]; FACTORS.len()];
    for seed in 0..seeds {
        let model = train(64, &split.train, epochs, seed, &device)?;
        // In f64, so that a difference beyond rounding would show.
        let model = cast(&model, FloatDType::F64)?;
        let all = FACTORS.map(|factor| {
            let copy = rescaled(&model, factor)?;
            lines(&copy, &data, seed)
        });
        let all = all.into_iter().collect::<Result<Vec<_>, _>>()?;
        let first = &all[0];
        for (lines, figures) in all.iter().zip(&mut figures) {
            let far = difference(&lines.normalised, &first.normalised);
            ensure!(
                far < 1e-9,
                "filter-normalised lines of copies of one network differ by {far:e} of the loss"
            );
            let rises = [&lines.raw, &lines.normalised, &first.raw].map(mean_rise);
            let centre = |line: &Line| line.loss[line.loss.len() / 2];
            let outputs = (centre(&lines.raw) / centre(&first.raw) - 1.0).abs();
            let values = [outputs, rises[0], rises[0] / rises[2], rises[1], far];
            for (figure, value) in figures.iter_mut().zip(values) {
                figure.push(value);
            }
        }
    }
    let rows = FACTORS.iter().zip(figures).map(|(factor, figures)| Row {
        name: factor.to_string(),
        figures: figures.into_iter().map(Figure::of).collect(),
    });
    Ok(Table {
        setting: format!(
            "MLP 64-64-64-10 with ReLU on UCI digits, {epochs} epochs, {seeds} seeds, f64: copies whose first layer, weight and \
             bias, is multiplied by a and whose second weight by 1/a compute the same. Mean rise of the loss over the \
             line, 21 points within ±0.1 of a raw direction of N(0,1), and within ±1 of the same direction filter-normalised \
             to each copy. The difference is relative to the loss."
        ),
        columns: COLUMNS.map(str::to_owned).to_vec(),
        rows: rows.collect(),
    })
}

/// Returns the copy whose first layer is multiplied by a factor, and the second divided by it.
fn rescaled(model: &Mlp, factor: f64) -> Result<Mlp, Error> {
    let space = ParameterSpace::of(model)?;
    let mut theta = download(&space.flatten(model)?);
    for block in &space.blocks {
        let factor = match block.path.as_str() {
            "layers.0.weight" | "layers.0.bias" => factor,
            "layers.1.weight" => factor.recip(),
            _ => 1.0,
        };
        theta[block.range()]
            .iter_mut()
            .for_each(|entry| *entry *= factor);
    }
    space.unflatten(model, &space.domain.upload(&theta)?)
}

/// Returns the loss along a random direction, raw and filter-normalised.
fn lines(model: &Mlp, data: &Data, seed: u64) -> Result<Lines, Error> {
    let space = ParameterSpace::of(model)?;
    let raw = random_direction(&space, seed);
    let normalised = filter_normalize(&space, model, raw.clone())?;
    Ok(Lines {
        raw: line(model, data.training(), &raw, &linspace(-0.1..=0.1, 21))?,
        normalised: line(
            model,
            data.training(),
            &normalised,
            &linspace(-1.0..=1.0, 21),
        )?,
    })
}

#[allow(clippy::cast_precision_loss, reason = "21 points")]
fn mean_rise(line: &Line) -> f64 {
    let points = line.loss.len();
    line.loss.iter().sum::<f64>() / points as f64 - line.loss[points / 2]
}

/// Returns the largest difference of two lines, relative to the loss.
fn difference(a: &Line, b: &Line) -> f64 {
    let differences = a.loss.iter().zip(&b.loss).map(|(a, b)| (a / b - 1.0).abs());
    differences.fold(0.0, f64::max)
}
