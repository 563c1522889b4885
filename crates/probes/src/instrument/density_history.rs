//! The spectral densities of a run so far, against its steps.

use landscape::spectrum::Density;
use pictures::{AxisScale, ContourConfig, Picture, contour_with};
use serde_json::{Value, json};

use crate::Error;
use crate::record::{json_number, json_numbers};

/// Points of the common grid.
const POINTS: usize = 400;

/// The part of the highest density below which densities are drawn alike.
const FLOOR: f64 = 1e-5;

/// The densities of the steps so far: nodes and weights alone, some hundred numbers a step.
#[derive(Debug, Clone, Default)]
pub(super) struct DensityHistory {
    steps: Vec<Kept>,
}

#[derive(Debug, Clone)]
struct Kept {
    step: u64,
    nodes: Vec<f64>,
    weights: Vec<f64>,
    sigma: f64,
}

impl DensityHistory {
    /// Takes note of the density of a step.
    pub(super) fn add(&mut self, step: u64, found: &Density) {
        self.steps.push(Kept {
            step,
            nodes: found.nodes.clone(),
            weights: found.weights.clone(),
            sigma: found.sigma,
        });
    }

    /// Returns picture and numbers of the steps so far; nothing before there are two.
    ///
    /// All densities are smoothed by the widest Gaussian of any step, on one grid: they differ by
    /// the spectrum alone. The colour is the logarithm of the density.
    #[expect(clippy::cast_precision_loss, reason = "numbers of points and steps")]
    pub(super) fn show(&self) -> Option<(Value, impl FnOnce() -> Result<Picture, Error>)> {
        let [first, .., last] = &self.steps[..] else {
            return None;
        };
        let sigma = self.steps.iter().map(|kept| kept.sigma).fold(0.0, f64::max);
        let nodes = || self.steps.iter().flat_map(|kept| &kept.nodes).copied();
        let low = nodes().fold(f64::INFINITY, f64::min) - 4.0 * sigma;
        let high = nodes().fold(f64::NEG_INFINITY, f64::max) + 4.0 * sigma;
        let spacing = (high - low) / (POINTS - 1) as f64;
        // Where the spectrum is wide the grid would miss a narrow peak.
        let sigma = sigma.max(spacing);
        let grid: Vec<f64> = (0..POINTS).map(|i| low + i as f64 * spacing).collect();
        let densities: Vec<Vec<f64>> = self
            .steps
            .iter()
            .map(|kept| grid.iter().map(|x| smoothed(kept, *x, sigma)).collect())
            .collect();
        let steps: Vec<u64> = self.steps.iter().map(|kept| kept.step).collect();
        let data = json!({
            "steps": steps,
            "grid": json_numbers(&grid),
            "sigma": json_number(sigma),
            "density": densities.iter().map(|density| json_numbers(density)).collect::<Value>(),
            "order": "density[i] belongs to steps[i], its values to the grid",
        });
        let title = format!(
            "Spectral density of the Hessian, steps {} to {}",
            first.step, last.step
        );
        let draw = move || picture(&steps, &grid, &densities, title);
        Some((data, draw))
    }
}

/// Returns the density of a step at x, smoothed by a Gaussian.
fn smoothed(kept: &Kept, x: f64, sigma: f64) -> f64 {
    let norm = (sigma * (2.0 * std::f64::consts::PI).sqrt()).recip();
    let gauss = |node: f64| norm * (-0.5 * ((x - node) / sigma).powi(2)).exp();
    let pairs = kept.nodes.iter().zip(&kept.weights);
    pairs.map(|(node, weight)| weight * gauss(*node)).sum()
}

/// Draws the densities as a map, eigenvalues upwards.
#[expect(clippy::cast_precision_loss, reason = "a step as a coordinate")]
fn picture(
    steps: &[u64],
    grid: &[f64],
    densities: &[Vec<f64>],
    title: String,
) -> Result<Picture, Error> {
    let highest = densities.iter().flatten().copied().fold(0.0, f64::max);
    let floor = FLOOR * highest;
    let values: Vec<f64> = densities.iter().flatten().map(|d| d.max(floor)).collect();
    // Steps that are spaced by their logarithm would be crowded at the left.
    let span = steps[steps.len() - 1] - steps[0];
    let early = steps.iter().filter(|step| 10 * (*step - steps[0]) < span);
    let is_log = 2 * early.count() > steps.len();
    let place = |step: &u64| {
        if is_log {
            (1.0 + *step as f64).log10()
        } else {
            *step as f64
        }
    };
    let places: Vec<f64> = steps.iter().map(place).collect();
    let label = if is_log { "log10 (1 + step)" } else { "step" };
    let config = ContourConfig {
        a_label: label.into(),
        b_label: "eigenvalue".into(),
        value_label: format!("density, at least {floor:.0e}"),
        scale: AxisScale::Log,
        labels: false,
        marks: false,
        ..ContourConfig::new(title)
    };
    Ok(contour_with((&places[..], grid, &values[..]), &config)?)
}
