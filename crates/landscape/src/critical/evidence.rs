//! The evidence of the spectrum at a point: all eigenvalues, or the ends and bounds of the rest.

use burn::tensor::Tensor;

use super::point::Eigenvalue;
use super::{CriticalConfig, Inertia, SaddleIndex};
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::spectrum::{
    Lanczos, LanczosConfig, Quadrature, SpectrumStatistics, eigenvalue_error, extremes,
    is_symmetric, materialize,
};
use crate::vector::{dot, download, largest_magnitude, norm};

/// The evidence of the spectrum at a point.
pub(super) struct Evidence {
    pub(super) min: Eigenvalue,
    pub(super) max: Eigenvalue,
    /// Largest `|λ|` that was seen.
    pub(super) largest: f64,
    pub(super) threshold: f64,
    pub(super) range: [f64; 2],
    pub(super) index: SaddleIndex,
    /// Certified lower bound of the number of positive eigenvalues.
    pub(super) positive: usize,
    pub(super) inertia: Option<Inertia>,
    pub(super) eigenvalues: Option<Vec<f64>>,
    pub(super) statistics: Option<SpectrumStatistics>,
    pub(super) newton: Option<Newton>,
    pub(super) products: usize,
}

/// The gradient beside the curvature.
#[derive(Clone, Copy, Default)]
pub(super) struct Newton {
    /// `½ gᵀ|H|⁻¹g` over the eigenvalues that are not zero.
    pub(super) decrease: f64,
    /// Norm of the gradient's part along the others.
    pub(super) flat_norm: f64,
}

impl Newton {
    /// Returns it from eigenvalues and the squared components of the gradient.
    fn of(components: impl Iterator<Item = (f64, f64)>, threshold: f64) -> Self {
        let (mut decrease, mut flat) = (0.0, 0.0);
        for (value, square) in components {
            if value.abs() > threshold {
                decrease += 0.5 * square / value.abs();
            } else {
                flat += square;
            }
        }
        Self {
            decrease,
            flat_norm: flat.sqrt(),
        }
    }
}

impl Evidence {
    pub(super) fn of<A: LinearOperator + ?Sized>(
        op: &A,
        gradient: Option<&Tensor<1>>,
        config: &CriticalConfig,
    ) -> Result<Self, Error> {
        let gradient = gradient.map(download);
        if op.dim() == 0 {
            return super::config::setting("the operator's dimension", "0".into(), "at least 1");
        }
        if op.dim() <= config.dense_limit {
            Self::dense(op, gradient.as_deref(), config)
        } else {
            Self::partial(op, gradient.as_deref(), config)
        }
    }

    /// Returns what all eigenvalues say.
    fn dense<A: LinearOperator + ?Sized>(
        op: &A,
        gradient: Option<&[f64]>,
        config: &CriticalConfig,
    ) -> Result<Self, Error> {
        let matrix = materialize(op)?;
        is_symmetric(op, matrix.asymmetry)?;
        let eigen = matrix.eigen()?;
        let values = &eigen.values;
        let largest = largest_magnitude(values);
        let error = eigenvalue_error(op, &matrix) * largest;
        let threshold = error.max(config.zero_tolerance * largest);
        let end = |index: usize| {
            Ok::<_, Error>(Eigenvalue {
                value: values[index],
                error,
                vector: op.domain().upload(&eigen.vectors[index])?,
            })
        };
        let inertia = Inertia::of(values, threshold);
        let newton = gradient.map(|gradient| {
            let squares = eigen.vectors.iter().map(|q| dot(q, gradient).powi(2));
            Newton::of(values.iter().copied().zip(squares), threshold)
        });
        Ok(Self {
            min: end(0)?,
            max: end(values.len() - 1)?,
            largest,
            threshold,
            range: [values[0] - error, values[values.len() - 1] + error],
            index: SaddleIndex::known(inertia.negative),
            positive: inertia.positive,
            inertia: Some(inertia),
            statistics: Some(SpectrumStatistics::of(values, threshold)),
            eigenvalues: Some(eigen.values),
            newton,
            products: op.dim() + 1,
        })
    }

    /// Returns what both ends and runs from random starts say.
    fn partial<A: LinearOperator + ?Sized>(
        op: &A,
        gradient: Option<&[f64]>,
        config: &CriticalConfig,
    ) -> Result<Self, Error> {
        let lanczos = LanczosConfig::new()
            .with_seed(config.seed)
            .with_tolerance(config.tolerance)
            .with_max_steps(config.max_steps);
        let ends = extremes(op, &lanczos)?;
        let mut products = ends.min.steps + 3;
        let mut runs = Vec::with_capacity(config.starts);
        for start in 1..=config.starts as u64 {
            let run = Lanczos::new(op, config.seed.wrapping_add(start))?;
            let run = Run::done(op, run, config.steps)?;
            products += run.steps;
            runs.push(run);
        }
        let from_gradient = match gradient {
            Some(gradient) if norm(gradient) > 0.0 => {
                let start = op.domain().upload(gradient)?;
                let run = Lanczos::from_start(op, &start, config.seed)?;
                let run = Run::done(op, run, config.max_steps)?;
                products += run.steps;
                Some(run)
            }
            _ => None,
        };
        let all = || runs.iter().chain(&from_gradient);
        let nodes = all().flat_map(|run| &run.quadrature.nodes);
        let (mut low, mut high) = (ends.min.value, ends.max.value);
        for node in nodes {
            (low, high) = (low.min(*node), high.max(*node));
        }
        let largest = low.abs().max(high.abs());
        let error = all().fold(op.relative_error(), |error, run| error.max(run.error)) * largest;
        let threshold = error.max(config.zero_tolerance * largest);
        let below = |run: &Run| {
            let bound = -threshold - run.error * largest;
            run.quadrature.nodes.partition_point(|node| *node < bound)
        };
        let above = |run: &Run| {
            let bound = threshold + run.error * largest;
            let nodes = &run.quadrature.nodes;
            nodes.len() - nodes.partition_point(|node| *node <= bound)
        };
        // One Ritz vector is an orthonormal basis too.
        let negative = usize::from(ends.min.value < -threshold - error);
        let positive = usize::from(ends.max.value > threshold + error);
        let negative = all().map(below).fold(negative, usize::max);
        let positive = all().map(above).fold(positive, usize::max);
        let newton = gradient.map(|gradient| {
            let Some(run) = &from_gradient else {
                return Newton::default();
            };
            let square = norm(gradient).powi(2);
            let weights = run.quadrature.weights.iter().map(|weight| weight * square);
            Newton::of(run.quadrature.nodes.iter().copied().zip(weights), threshold)
        });
        let reach = reach(&runs, op.dim(), config.confidence);
        // Both ends may lie that much farther out, which widens the spread itself.
        let margin = if reach < 0.5 {
            reach * (high - low) / (1.0 - 2.0 * reach) + error
        } else {
            f64::INFINITY
        };
        let quadratures: Vec<Quadrature> = runs.into_iter().map(|run| run.quadrature).collect();
        let index = SaddleIndex {
            at_least: negative,
            at_most: op.dim() - positive,
            estimate: None,
            quadrature_bounds: None,
        };
        Ok(Self {
            min: Eigenvalue {
                value: ends.min.value,
                error: ends.min.residual,
                vector: ends.min.vector,
            },
            max: Eigenvalue {
                value: ends.max.value,
                error: ends.max.residual,
                vector: ends.max.vector,
            },
            largest,
            threshold,
            range: [low - margin, high + margin],
            index: index.with_estimate(&quadratures, -threshold, op.dim()),
            positive,
            inertia: None,
            eigenvalues: None,
            statistics: None,
            newton,
            products,
        })
    }
}

/// A Lanczos run that is done.
struct Run {
    steps: usize,
    quadrature: Quadrature,
    /// Bound of the norm of the errors of T, relative to the operator's norm.
    error: f64,
}

impl Run {
    fn done<A: LinearOperator + ?Sized>(
        op: &A,
        mut run: Lanczos,
        steps: usize,
    ) -> Result<Self, Error> {
        run.extend(op, steps)?;
        is_symmetric(op, run.asymmetry)?;
        let steps = run.steps();
        // No entry of QᵀAQ is off by more than that, nor left out of T, times the run's own scale:
        // a row sum of T, at most three times the norm. The norm of a matrix of k rows is at most k
        // times its largest entry.
        let entry = 3.0 * op.relative_error().max(run.asymmetry).max(f64::EPSILON);
        Ok(Self {
            steps,
            quadrature: run.quadrature()?,
            error: steps as f64 * entry,
        })
    }
}

/// Returns by which part of the spread the extreme eigenvalues may lie beyond the extreme Ritz
/// values of all runs, but for a probability of `(1 − confidence) / 2` at either end.
///
/// A run of k steps from a start that is uniform on the sphere misses by more than the part ε with
/// probability at most `1.648 √P exp(−√ε (2k − 1))` (Kuczyński and Woźniakowski 1992, theorem 4.2,
/// for an operator shifted to have zero at its other end, which changes no Krylov space); several
/// independent ones all do with the product of these.
fn reach(runs: &[Run], dim: usize, confidence: f64) -> f64 {
    let Some(steps) = runs.iter().map(|run| run.steps).min() else {
        return f64::INFINITY;
    };
    let miss = 0.5 * (1.0 - confidence);
    let root = ((1.648 * (dim as f64).sqrt()).ln() - miss.ln() / runs.len() as f64)
        / (2 * steps - 1) as f64;
    root * root
}
