//! The stochastic estimators over many seeds, on matrices whose trace is known.

use anyhow::{Result, ensure};
use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::sharpness::{AverageConfig, average_sharpness};
use landscape::spectrum::{
    Estimate, HutchPlusPlusConfig, TraceConfig, XTraceConfig, hutch_plus_plus, hutchinson_trace,
    hutchinson_trace_by_block, xtrace,
};
use landscape::{Error, Risk};

use crate::explicit_matrix::{ExplicitMatrix, normal_eigenvalues};
use crate::table::{Row, Table};

const DIM: usize = 200;
const PRODUCTS: usize = 60;

/// Seeds of the full form and of the small one.
const fn seeds(small: bool) -> u64 {
    if small { 60 } else { 1000 }
}

fn eigenvalues(of: impl Fn(f64) -> f64) -> Vec<f64> {
    (0..DIM).map(|i| of(i as f64)).collect()
}

/// Eigenvalues from 1 to 3, equally spaced.
fn flat() -> ExplicitMatrix {
    let step = 2.0 / (DIM - 1) as f64;
    ExplicitMatrix::new("flat, from 1 to 3", eigenvalues(|i| 3.0 - step * i))
}

fn decaying() -> ExplicitMatrix {
    ExplicitMatrix::new("0.7^i", eigenvalues(|i| 0.7_f64.powf(i)))
}

fn slow() -> ExplicitMatrix {
    ExplicitMatrix::new("i^-0.4", eigenvalues(|i| (i + 1.0).powf(-0.4)))
}

fn indefinite() -> ExplicitMatrix {
    ExplicitMatrix::new("normal, of both signs", normal_eigenvalues(DIM))
}

/// Returns what `of` gives for each seed, in their order; two threads share the work.
fn for_seeds<T: Send>(count: u64, of: impl Fn(u64) -> Result<T, Error> + Sync) -> Result<Vec<T>> {
    let half = |seeds: std::ops::Range<u64>| seeds.map(&of).collect::<Result<Vec<T>, Error>>();
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(|| half(count / 2..count));
        (half(0..count / 2), second.join())
    });
    let mut all = first?;
    let second = second.map_err(|_| anyhow::anyhow!("a thread panicked"))?;
    all.extend(second?);
    Ok(all)
}

fn root_mean_square(values: impl IntoIterator<Item = f64>) -> f64 {
    Estimate::of(values.into_iter().map(|x| x * x)).mean.sqrt()
}

/// Errors of the three estimators of a trace at one number of products.
pub(crate) fn errors(small: bool) -> Result<Table> {
    let algebraic = ExplicitMatrix::new("i^-2", eigenvalues(|i| (i + 1.0).powi(-2)));
    let mut rows = Vec::new();
    for matrix in [decaying(), algebraic, slow(), flat()] {
        let trace = matrix.trace();
        let relative = |found: f64| found / trace - 1.0;
        let plain = for_seeds(seeds(small), |seed| {
            let config = TraceConfig::new()
                .with_relative_error(0.0)
                .with_max_probes(PRODUCTS)
                .with_seed(seed);
            Ok(relative(hutchinson_trace(&matrix, &config)?.estimate.mean))
        })?;
        let plus = for_seeds(seeds(small), |seed| {
            let config = HutchPlusPlusConfig::new()
                .with_relative_error(0.0)
                .with_max_products(PRODUCTS)
                .with_seed(seed);
            Ok(relative(hutch_plus_plus(&matrix, &config)?.estimate.mean))
        })?;
        let exchangeable = for_seeds(seeds(small), |seed| {
            let found = xtrace(&matrix, &fixed_xtrace(seed))?;
            Ok((relative(found.trace), found.error_estimate / trace))
        })?;
        let [plain, plus] = [plain, plus].map(root_mean_square);
        let x = root_mean_square(exchangeable.iter().map(|(error, _)| *error));
        let estimated = root_mean_square(exchangeable.iter().map(|(_, estimate)| *estimate)) / x;
        // A root mean square of 60 values has an error of some 10 to 20 %.
        let [low, high] = if small { [0.45, 2.0] } else { [0.65, 1.5] };
        ensure!(
            low <= estimated && estimated <= high,
            "{}: XTrace's error estimate is {estimated} of its error",
            matrix.name
        );
        match matrix.name {
            "0.7^i" => ensure!(
                plain > 100.0 * plus && plain > 3000.0 * x,
                "0.7^i: errors {plain:e}, {plus:e}, {x:e}"
            ),
            name if name.starts_with("flat") => ensure!(
                plain < plus && plain < x,
                "{name}: errors {plain:e}, {plus:e}, {x:e}"
            ),
            _ => {}
        }
        rows.push(Row::of(
            matrix.name.to_owned(),
            [plain, plus, x, plain / plus, plain / x, estimated],
        ));
    }
    let columns = [
        "spectrum",
        "Hutchinson",
        "Hutch++",
        "XTrace",
        "Hutchinson over Hutch++",
        "Hutchinson over XTrace",
        "XTrace's error estimate over its error",
    ];
    Ok(Table {
        setting: format!(
            "Random orthogonal times spectrum, P = {DIM}; {PRODUCTS} products each; root-mean-square error of the trace, \
             relative to it, over {} seeds.",
            seeds(small)
        ),
        columns: columns.map(str::to_owned).to_vec(),
        rows,
    })
}

fn fixed_xtrace(seed: u64) -> XTraceConfig {
    XTraceConfig::new()
        .with_relative_error(0.0)
        .with_max_products(PRODUCTS)
        .with_min_products(PRODUCTS)
        .with_seed(seed)
}

/// The record of some intervals: the share that covers the truth, and the products.
struct Coverage {
    name: String,
    share: f64,
    products: f64,
    accepted: [f64; 2],
    /// Intervals that are independent.
    independent: u64,
}

impl Coverage {
    /// `found` has for each seed the share of its intervals that cover, and the products.
    fn of(name: String, accepted: [f64; 2], found: &[(f64, usize)]) -> Self {
        Self {
            name,
            share: Estimate::of(found.iter().map(|(share, _)| *share)).mean,
            products: Estimate::of(found.iter().map(|(_, made)| *made as f64)).mean,
            accepted,
            independent: found.len() as u64,
        }
    }

    /// Checks the share, and returns the row.
    ///
    /// A share over few seeds is not known well: what is accepted is then wider by three standard
    /// deviations of a share of 0.95.
    fn row(self, small: bool) -> Result<Row> {
        let width = 3.0 * (0.95 * 0.05 / self.independent as f64).sqrt();
        let [low, high] = self.accepted;
        let [low, high] = if small {
            [low - width, (high + width).min(1.0)]
        } else {
            [low, high]
        };
        ensure!(
            low <= self.share && self.share <= high,
            "{}: {} covered, where {low} to {high} are accepted",
            self.name,
            self.share
        );
        Ok(Row::of(self.name, [self.products, self.share, low, high]))
    }
}

/// Returns the share of the 95 % intervals that cover their values.
fn covered(pairs: impl IntoIterator<Item = (Estimate, f64)>) -> Result<f64, Error> {
    let (mut covering, mut all) = (0.0, 0.0);
    for (estimate, value) in pairs {
        let [low, high] = estimate.interval(0.95)?;
        covering += f64::from(u8::from(low <= value && value <= high));
        all += 1.0;
    }
    Ok(covering / all)
}

/// How often 95 % intervals cover the truth.
pub(crate) fn intervals(small: bool) -> Result<Table> {
    let promised = [0.93, 0.97];
    let mut rows = Vec::new();
    for matrix in [flat(), slow(), indefinite()] {
        let (name, trace) = (matrix.name, matrix.trace());
        ensure!(
            matrix.participation() >= 30.0,
            "{name}: few eigenvalues count"
        );
        let diagonal: Vec<f64> = (0..DIM).map(|i| matrix.rows[i * DIM + i]).collect();
        let blocks = [0..20, 20..80, 80..81, 81..200];
        let found = for_seeds(seeds(small), |seed| {
            let config = TraceConfig::new()
                .with_relative_error(0.0)
                .with_max_probes(100)
                .with_diagonal(true)
                .with_seed(seed);
            let found = hutchinson_trace_by_block(&matrix, &blocks, &config)?;
            let of_blocks = found.blocks.iter().map(|block| {
                let exactly = diagonal[block.range.clone()].iter().sum();
                (block.estimate, exactly)
            });
            let of_diagonal = found.diagonal.iter().flatten().copied();
            Ok([
                covered([(found.estimate, trace)])?,
                covered(of_blocks)?,
                covered(of_diagonal.zip(diagonal.iter().copied()))?,
            ])
        })?;
        for (index, what) in ["trace", "block traces", "diagonal"].iter().enumerate() {
            let shares: Vec<_> = found.iter().map(|shares| (shares[index], 100)).collect();
            let name = format!("Hutchinson, {what}; {name}");
            rows.push(Coverage::of(name, promised, &shares).row(small)?);
        }
    }
    for matrix in [flat(), slow(), indefinite(), decaying()] {
        let found = for_seeds(seeds(small), |seed| {
            let config = HutchPlusPlusConfig::new()
                .with_relative_error(0.0)
                .with_max_products(PRODUCTS)
                .with_seed(seed);
            let found = hutch_plus_plus(&matrix, &config)?;
            Ok((covered([(found.estimate, matrix.trace())])?, found.products))
        })?;
        let name = format!("Hutch++; {}", matrix.name);
        rows.push(Coverage::of(name, [0.9, 0.98], &found).row(small)?);
    }
    for (matrix, error) in [(flat(), 0.005), (slow(), 0.01), (decaying(), 0.1)] {
        let found = for_seeds(seeds(small), |seed| {
            let config = TraceConfig::new()
                .with_relative_error(error)
                .with_seed(seed);
            let found = hutchinson_trace(&matrix, &config)?;
            Ok((covered([(found.estimate, matrix.trace())])?, found.products))
        })?;
        let name = format!("Hutchinson, stopped at {error}; {}", matrix.name);
        rows.push(Coverage::of(name, [0.88, 1.0], &found).row(small)?);
    }
    for (matrix, error) in [(flat(), 0.005), (slow(), 0.01), (decaying(), 1e-4)] {
        let found = for_seeds(seeds(small), |seed| {
            let config = HutchPlusPlusConfig::new()
                .with_relative_error(error)
                .with_seed(seed);
            let found = hutch_plus_plus(&matrix, &config)?;
            Ok((covered([(found.estimate, matrix.trace())])?, found.products))
        })?;
        let name = format!("Hutch++, stopped at {error}; {}", matrix.name);
        rows.push(Coverage::of(name, [0.88, 1.0], &found).row(small)?);
    }
    rows.push(average(small)?.row(small)?);
    Ok(Table {
        setting: format!(
            "Random orthogonal times spectrum, P = {DIM}; share of 95 % intervals (Student's t) that cover the exact value, over \
             {} seeds.",
            seeds(small)
        ),
        columns: [
            "estimate; spectrum",
            "products",
            "covered",
            "at least",
            "at most",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
    })
}

/// A point w whose loss is `½ wᵀAw`.
#[derive(Module, Debug)]
struct Point {
    at: Param<Tensor<1>>,
}

/// The average sharpness of a quadratic, `σ²/2 tr A` exactly for any σ.
fn average(small: bool) -> Result<Coverage> {
    let matrix = slow();
    let options = (&Device::flex(), DType::F64);
    let data = TensorData::new(matrix.rows.clone(), [DIM, DIM]);
    let a = Tensor::<2>::from_data(data, options);
    let model = Point {
        at: Param::from_tensor(Tensor::ones([DIM], options)),
    };
    let risk = Risk::mean([a], |model: &Point, a: &Tensor<2>| {
        let w = model.at.val().reshape([DIM, 1]);
        (a.clone().matmul(w.clone()) * w).sum() * 0.5
    })
    .without_reduction_check();
    let sigma = 0.1;
    let exactly = 0.5 * sigma * sigma * matrix.trace();
    let found = (0..seeds(small))
        .map(|seed| {
            let config = AverageConfig::new()
                .with_sigma(sigma)
                .with_pairs(100)
                .with_seed(seed);
            let found = average_sharpness(&model, &risk, &config)?;
            Ok((covered([(found.estimate, exactly)])?, 100))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let name = format!("average sharpness, 100 pairs; {}", matrix.name);
    Ok(Coverage::of(name, [0.93, 0.97], &found))
}
