//! What the references are made of: vectors, SGD with momentum, and the steps of each method.

use super::Start;
use super::network::{gradient, is_matrix};

pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

pub(crate) fn norm(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

/// a x + b y.
pub(crate) fn sum(a: f64, x: &[f64], b: f64, y: &[f64]) -> Vec<f64> {
    x.iter().zip(y).map(|(x, y)| a * x + b * y).collect()
}

pub(crate) fn relative_difference(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len());
    norm(&sum(1.0, x, -1.0, y)) / norm(y)
}

/// w + length · d / ‖d‖.
pub(crate) fn towards(w: &[f64], d: &[f64], length: f64) -> Vec<f64> {
    sum(1.0, w, length / norm(d), d)
}

/// v <- mu v + d, w <- w - lr v (Polyak's heavy ball, in the form that PyTorch and Burn have).
pub(crate) struct Momentum {
    mu: f64,
    velocity: Option<Vec<f64>>,
}

impl Momentum {
    pub(crate) fn new(mu: f64) -> Self {
        Self { mu, velocity: None }
    }

    pub(crate) fn step(&mut self, w: &mut [f64], lr: f64, d: &[f64]) {
        let velocity = match &self.velocity {
            Some(velocity) => sum(self.mu, velocity, 1.0, d),
            None => d.to_vec(),
        };
        for (w, v) in w.iter_mut().zip(&velocity) {
            *w -= lr * v;
        }
        self.velocity = Some(velocity);
    }
}

impl Start<'_> {
    pub(crate) fn gradient(&self, at: &[f64]) -> Vec<f64> {
        gradient(at, self.data, &self.data.all())
    }

    /// SAM's descent in so many ascent steps: Foret et al. 2021, equations 2 (p = 2) and 3.
    pub(crate) fn sam(&self, rho: f64, ascent_steps: usize) -> Vec<f64> {
        let mut peak = self.weights.to_vec();
        for _ in 0..ascent_steps {
            let along = self.gradient(&peak);
            peak = towards(&peak, &along, rho / ascent_steps as f64);
        }
        self.gradient(&peak)
    }

    /// ASAM's: Kwon et al. 2021, equation 9; T = |w| + eta on matrices and 1 on biases.
    pub(crate) fn asam(&self, rho: f64, eta: f64, ascent_steps: usize) -> Vec<f64> {
        let mut peak = self.weights.to_vec();
        for _ in 0..ascent_steps {
            let g = self.gradient(&peak);
            let scale = |entry: usize| {
                if is_matrix(entry) {
                    peak[entry].abs() + eta
                } else {
                    1.0
                }
            };
            let scaled: Vec<f64> = (0..g.len()).map(|entry| scale(entry) * g[entry]).collect();
            let twice: Vec<f64> = (0..g.len())
                .map(|entry| scale(entry) * scaled[entry])
                .collect();
            let length = rho / ascent_steps as f64;
            peak = sum(1.0, &peak, length / norm(&scaled), &twice);
        }
        self.gradient(&peak)
    }

    /// GSAM's: Zhuang et al. 2022, algorithm 1, written for the gradient that is descended.
    pub(crate) fn gsam(&self, rho: f64, alpha: f64) -> Vec<f64> {
        let g = self.gradient(self.weights);
        let at_peak = self.gradient(&towards(self.weights, &g, rho));
        let parallel = dot(&g, &at_peak) / dot(&at_peak, &at_peak);
        let orthogonal = sum(1.0, &g, -parallel, &at_peak);
        sum(1.0, &at_peak, -alpha, &orthogonal)
    }
}
