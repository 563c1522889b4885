//! The measures of sharpness of several models side by side.

use std::fmt;

use burn::module::Module;

use super::Rescaling;
use super::ball::some;
use super::measure::{Certainty, Measure};
use super::report::{SharpnessConfig, SharpnessReport, sharpness};
use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::ParameterSpace;
use crate::risk::Risk;

/// The result of [`compare_minima`]. Its `Display` is a table of 80 columns.
#[derive(Debug, Clone)]
pub struct MinimaComparison {
    /// Names of the models.
    pub names: Vec<String>,
    /// Their reports, in the same order.
    pub reports: Vec<SharpnessReport>,
}

/// A row of the table: one measure of all models.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonRow {
    /// Ball or displacement that it belongs to.
    pub of: String,
    /// Name of the measure.
    pub name: &'static str,
    /// Whether it survives the rescaling of ReLU layers, so that networks can be compared that are
    /// scaled differently; the least that holds for any of the models.
    pub rescaling: Rescaling,
    /// The measure of each model, in their order.
    pub measures: Vec<Measure>,
}

/// Returns the measures of sharpness of several models of one architecture, with the same data,
/// seeds and radii: the directions in the balls are the same for all of them.
///
/// Cost: that of [`sharpness`] for each model.
///
/// # Errors
/// No model, models of other shapes ([`Error::AnotherModule`]), and as [`sharpness`].
///
/// # Examples
/// ```
/// use burn::module::{Module, Param};
/// use burn::tensor::{DType, Device, Tensor};
/// use landscape::Risk;
/// use landscape::sharpness::{SharpnessConfig, compare_minima};
///
/// #[derive(Module, Debug)]
/// struct Point {
///     at: Param<Tensor<1>>,
/// }
///
/// let device = Device::flex();
/// let at = |x: f64| Point {
///     at: Param::from_tensor(Tensor::full([1], x, (&device, DType::F64))),
/// };
/// // L = (x² - 1)² / (2 + x): the minimum at 1 is flatter than the one at -1.
/// let risk = Risk::mean(
///     Tensor::<1>::ones([1], (&device, DType::F64)),
///     |model: &Point, one: &Tensor<1>| {
///         let x = model.at.val();
///         (x.clone().square() - one.clone()).square() / (x + 2.0)
///     },
/// );
/// let models = [("left", &at(-1.0)), ("right", &at(1.0))];
/// let table = compare_minima(&models, &risk, &SharpnessConfig::new())?;
/// let row = table
///     .rows()
///     .into_iter()
///     .find(|row| row.name == "lambda_max");
/// let values: Vec<f64> = row
///     .expect("a row")
///     .measures
///     .iter()
///     .map(|m| m.value)
///     .collect();
/// assert!((values[0] - 8.0).abs() < 1e-12 && (values[1] - 8.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn compare_minima<M: Module, B: Batch, N: AsRef<str>>(
    models: &[(N, &M)],
    risk: &Risk<M, B>,
    config: &SharpnessConfig,
) -> Result<MinimaComparison, Error> {
    some("number of models", models.len())?;
    config.check()?;
    let spaces = models.iter().map(|(_, model)| ParameterSpace::of(*model));
    let spaces = spaces.collect::<Result<Vec<_>, _>>()?;
    for ((_, model), space) in models.iter().zip(&spaces).skip(1) {
        // Both ways: one of them may have all parameters of the other, and more.
        spaces[0].flatten(*model)?;
        space.flatten(models[0].1)?;
    }
    let reports = models
        .iter()
        .map(|(_, model)| sharpness(*model, risk, config));
    Ok(MinimaComparison {
        reports: reports.collect::<Result<_, _>>()?,
        names: models
            .iter()
            .map(|(name, _)| name.as_ref().to_owned())
            .collect(),
    })
}

impl MinimaComparison {
    /// Returns the rows of the table, the loss first.
    #[must_use]
    pub fn rows(&self) -> Vec<ComparisonRow> {
        let of_each: Vec<Vec<Measure>> = self.reports.iter().map(measures_with_loss).collect();
        let Some(first) = of_each.first() else {
            return Vec::new();
        };
        let row = |index: usize| {
            let measures: Vec<Measure> = of_each.iter().map(|all| all[index].clone()).collect();
            ComparisonRow {
                of: first[index].of.clone(),
                name: first[index].name,
                rescaling: least(&measures),
                measures,
            }
        };
        (0..first.len()).map(row).collect()
    }
}

fn measures_with_loss(report: &SharpnessReport) -> Vec<Measure> {
    let plain = |name, value, rescaling| Measure {
        of: String::new(),
        name,
        value,
        error: 0.0,
        certainty: Certainty::Exact,
        converged: true,
        rescaling,
    };
    let mut all = vec![
        plain("loss", report.loss, Rescaling::Invariant),
        plain(
            "gradient norm",
            report.gradient_norm,
            Rescaling::NotInvariant,
        ),
    ];
    all.extend(report.measures());
    all
}

/// Returns the invariance that all measures have.
fn least(measures: &[Measure]) -> Rescaling {
    let has = |which| measures.iter().any(|measure| measure.rescaling == which);
    if has(Rescaling::NotInvariant) {
        Rescaling::NotInvariant
    } else if has(Rescaling::InvariantByLayer) {
        Rescaling::InvariantByLayer
    } else {
        Rescaling::Invariant
    }
}

/// Models side by side in 80 columns.
const MODELS: usize = 3;

impl fmt::Display for MinimaComparison {
    /// Writes the table; more than three models are in several tables. A lower bound has `>=`, an
    /// iteration that did not converge `?`, an estimate its standard error or residual behind
    /// `+-`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        for first in (0..self.names.len()).step_by(MODELS) {
            let shown = first..self.names.len().min(first + MODELS);
            if first > 0 {
                writeln!(f)?;
            }
            write!(f, "{:23}{:9}", "", "invariant")?;
            for name in &self.names[shown.clone()] {
                write!(f, " {:>15}", clipped(name, 15))?;
            }
            writeln!(f)?;
            let mut group = "";
            for row in &rows {
                if row.of != group {
                    group = &row.of;
                    writeln!(f, "{group}")?;
                }
                write!(f, "  {:21}{:9}", row.name, row.rescaling)?;
                for measure in &row.measures[shown.clone()] {
                    write!(f, " {:>15}", shown_as(measure))?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

fn clipped(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.to_owned();
    }
    let start: String = name.chars().take(width - 1).collect();
    start + "~"
}

fn shown_as(measure: &Measure) -> String {
    let Measure { value, error, .. } = measure;
    let mark = if measure.converged { "" } else { "?" };
    match measure.certainty {
        _ if !value.is_finite() => format!("{value}{mark}"),
        Certainty::Exact if measure.name == "negative eigenvalues" => format!("{value}"),
        Certainty::LowerBound if measure.name == "negative eigenvalues" => format!(">={value}"),
        Certainty::Exact => format!("{value:.4e}{mark}"),
        Certainty::LowerBound => format!(">={value:.4e}{mark}"),
        Certainty::Estimate => format!("{value:.2e}+-{error:.0e}{mark}"),
    }
}
