//! The search for a critical point.

use burn::config::Config;
use burn::module::Module;

use super::config::setting;
use crate::batch::Batch;
use crate::curvature::Hessian;
use crate::error::Error;
use crate::parameters::ParameterSpace;
use crate::risk::Risk;
use crate::spectrum::materialize;
use crate::vector::{add_scaled, dot, download, norm};

/// Settings of [`find_critical_point`].
#[derive(Config, Debug, PartialEq)]
pub struct SearchConfig {
    /// Most steps, each with a Hessian.
    #[config(default = 100)]
    pub max_steps: usize,
    /// Most coordinates: each step computes every eigenvalue.
    #[config(default = 1000)]
    pub dense_limit: usize,
    /// A critical point is found where `‖g‖ ≤ gradient_tolerance · ‖H‖ · (1 + ‖θ‖)`, as in
    /// [`CriticalConfig`](super::CriticalConfig).
    #[config(default = 1e-6)]
    pub gradient_tolerance: f64,
    /// Longest step, in multiples of `1 + ‖θ‖`.
    #[config(default = 0.5)]
    pub longest_step: f64,
}

impl SearchConfig {
    fn check(&self) -> Result<(), Error> {
        for (name, value) in [
            ("gradient_tolerance", self.gradient_tolerance),
            ("longest_step", self.longest_step),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return setting(name, value.to_string(), "positive and finite");
            }
        }
        Ok(())
    }
}

/// The end of a search for a critical point.
#[derive(Debug, Clone)]
pub struct CriticalSearch<M> {
    /// The model at its end.
    pub model: M,
    /// The loss there.
    pub loss: f64,
    /// The gradient's norm there, the smallest on the way.
    pub gradient_norm: f64,
    /// Steps that were taken.
    pub steps: usize,
    /// Whether the gradient is small there. A search may end where its norm has a minimum that is
    /// not zero.
    pub converged: bool,
}

/// Searches for a critical point near the model, of any kind: a minimum, a saddle or a maximum.
///
/// Minimises `½ ‖g‖²` by the method of Levenberg and Marquardt: in the eigenvectors of the Hessian
/// `H = Σ λᵢ vᵢ vᵢᵀ` a step is
///
/// ```text
/// s = −Σᵢ λᵢ / (λᵢ² + μ) ⟨vᵢ, g⟩ vᵢ
/// ```
///
/// which is Newton's for `μ = 0`. μ is multiplied by 10 while the norm does not fall and divided by
/// 10 where it does. The search goes on until the norm falls no further, so the point is as exact
/// as the model's float type allows; [`critical_point`](super::critical_point) then says what kind
/// it is. Gradient descent finds minima alone.
///
/// Cost of each step: a [`Hessian`], P products and `O(P³)` operations, and a gradient for each μ;
/// two matrices of `P²` numbers and three vectors of P.
///
/// # Errors
/// [`Error::Setting`] for a setting out of range and for a model with more than `dense_limit`
/// coordinates, and as [`Hessian::at`].
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::critical::{SearchConfig, find_critical_point};
/// use landscape::test_functions::{Point, TestFunction};
///
/// let options = (&Device::flex(), DType::F64);
/// let start = Point::new([0.8, 0.9], options);
/// let risk = TestFunction::Rosenbrock.risk(options);
/// let found = find_critical_point(&start, &risk, &SearchConfig::new())?;
/// let [x, y] = found.model.coordinates();
/// assert!(found.converged && (x - 1.0).abs() < 1e-12 && (y - 1.0).abs() < 1e-12);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Levenberg 1944, "A Method for the Solution of Certain Non-Linear Problems in Least Squares";
/// Frye et al. 2021, "Critical Point-Finding Methods Reveal Gradient-Flat Regions of Deep Network
/// Losses", on where such searches end.
pub fn find_critical_point<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    config: &SearchConfig,
) -> Result<CriticalSearch<M>, Error> {
    config.check()?;
    let space = ParameterSpace::of(model)?;
    if space.dim() > config.dense_limit {
        let value = config.dense_limit.to_string();
        return setting(
            "dense_limit",
            value,
            "at least the number of coordinates: each step computes every eigenvalue",
        );
    }
    let mut here = Place::of(model.clone(), risk, &space)?;
    let mut steps = 0;
    let mut damping = 0.0;
    let mut converged = false;
    while steps < config.max_steps && here.norm > 0.0 {
        let eigen = materialize(&Hessian::at(&here.model, risk)?)?.eigen()?;
        let largest = eigen.values.iter().fold(0.0_f64, |l, x| l.max(x.abs()));
        let length = 1.0 + norm(&download(&space.flatten(&here.model)?));
        converged = here.norm <= config.gradient_tolerance * largest * length;
        let along: Vec<f64> = eigen
            .vectors
            .iter()
            .map(|vector| dot(vector, &here.gradient))
            .collect();
        let mut next = None;
        for _ in 0..ATTEMPTS {
            let mut step = vec![0.0; space.dim()];
            for ((vector, &value), &along) in eigen.vectors.iter().zip(&eigen.values).zip(&along) {
                let square = value * value + damping * largest * largest;
                if square > 0.0 {
                    add_scaled(&mut step, -value / square * along, vector);
                }
            }
            let size = norm(&step);
            if size <= config.longest_step * length {
                let step = space.domain.upload(&step)?;
                let moved = Place::of(space.displace(&here.model, &step)?, risk, &space)?;
                if moved.norm < here.norm {
                    next = Some(moved);
                    break;
                }
            }
            damping = if damping == 0.0 {
                LEAST
            } else {
                damping * 10.0
            };
        }
        let Some(next) = next else { break };
        damping = if damping > LEAST { damping / 10.0 } else { 0.0 };
        here = next;
        steps += 1;
    }
    Ok(CriticalSearch {
        converged: converged || here.norm == 0.0,
        model: here.model,
        loss: here.loss,
        gradient_norm: here.norm,
        steps,
    })
}

/// The smallest damping that is not zero, relative to the square of the largest eigenvalue.
const LEAST: f64 = 1e-10;

/// Dampings that are tried in one step: from [`LEAST`] to 1e8, where a step moves by less than the
/// rounding of the parameters.
const ATTEMPTS: usize = 19;

/// A model with its loss and gradient.
struct Place<M> {
    model: M,
    loss: f64,
    gradient: Vec<f64>,
    norm: f64,
}

impl<M: Module> Place<M> {
    fn of<B: Batch>(model: M, risk: &Risk<M, B>, space: &ParameterSpace) -> Result<Self, Error> {
        let (loss, gradient) = risk.gradient(&model)?;
        let gradient = download(&space.domain.adopt(&gradient)?);
        Ok(Self {
            norm: norm(&gradient),
            model,
            loss,
            gradient,
        })
    }
}
