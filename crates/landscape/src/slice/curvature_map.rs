//! The curvature over a plane: how much of it is negative.

use std::ops::ControlFlow;

use burn::module::Module;
use burn::tensor::Tensor;

use super::{Grid, directions};
use crate::batch::Batch;
use crate::curvature::Hessian;
use crate::error::Error;
use crate::parameters::ParameterSpace;
use crate::risk::Risk;
use crate::spectrum::{LanczosConfig, extremes, extremes_from};

/// The largest and the smallest eigenvalue of the Hessian at a point of a plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointCurvature {
    /// `λ_max`.
    pub max: f64,
    /// `λ_min`.
    pub min: f64,
    /// Residual `‖Hv − λv‖` of the largest: some eigenvalue lies within it.
    pub max_residual: f64,
    /// Residual of the smallest.
    pub min_residual: f64,
    /// Whether both residuals are at most the tolerance times the largest magnitude.
    pub converged: bool,
}

impl PointCurvature {
    /// The entry where the loss is not finite.
    const NONE: Self = Self {
        max: f64::NAN,
        min: f64::NAN,
        max_residual: f64::NAN,
        min_residual: f64::NAN,
        converged: false,
    };

    /// Returns `|λ_min / λ_max|`: near 0 where the loss is nearly convex, near 1 or above where it
    /// curves down as much as up. Zero where the smallest eigenvalue is not negative. NaN where
    /// there is no curvature or none could be computed.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        if self.min >= 0.0 && self.max > 0.0 {
            return 0.0;
        }
        (self.min / self.max).abs()
    }
}

/// The curvature on a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct CurvatureMap {
    /// The coordinates.
    pub grid: Grid,
    /// Curvatures, row-major `[a.len(), b.len()]`.
    pub points: Vec<PointCurvature>,
}

/// Returns the extreme eigenvalues of the Hessian of `risk` over the plane through a model along
/// two directions, for the map of `|λ_min / λ_max|`.
///
/// Points are done row by row, every other row backwards, each from the eigenvectors of the one
/// before: values are the same from other starts up to their residuals, not bit for bit. Each
/// finished point is handed to `each` with its index, row-major; `each` may cancel. Where the loss
/// is not finite the curvature is NaN and not converged.
///
/// Li et al. take the magnitude of both eigenvalues; where no eigenvalue is negative the ratio here
/// is 0, since no curvature is negative.
///
/// Cost for each point: [`Hessian::at`] and at most `config.max_steps` products, fewer from the
/// second point on; memory: the basis of a Lanczos run, `max_steps` vectors of P, and four more.
///
/// # Errors
/// Directions that span no plane, an empty grid, a risk that cannot be differentiated, settings of
/// [`extremes`], and [`Error::Cancelled`].
///
/// # References
/// Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets", section 6.
pub fn curvature_map<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    along: [&Tensor<1>; 2],
    grid: &Grid,
    config: &LanczosConfig,
    mut each: impl FnMut(usize, &PointCurvature) -> ControlFlow<()>,
) -> Result<CurvatureMap, Error> {
    super::extent::check_points(&grid.points())?;
    let along = directions::spanning(model, &along)?;
    let space = ParameterSpace::of(model)?;
    let mut points = vec![PointCurvature::NONE; grid.len()];
    let mut vectors: Vec<Tensor<1>> = Vec::new();
    let columns = grid.b.len();
    for (done, (i, j)) in serpentine(grid.a.len(), columns).enumerate() {
        let step = along[0].clone() * grid.a[i] + along[1].clone() * grid.b[j];
        let moved = space.displace(model, &step)?;
        let found = Hessian::at(&moved, risk).and_then(|hessian| {
            if vectors.is_empty() {
                extremes(&hessian, config)
            } else {
                extremes_from(&hessian, &vectors, config)
            }
        });
        let curvature = match found {
            Ok(ends) => {
                let curvature = PointCurvature {
                    max: ends.max.value,
                    min: ends.min.value,
                    max_residual: ends.max.residual,
                    min_residual: ends.min.residual,
                    converged: ends.max.converged && ends.min.converged,
                };
                vectors = vec![ends.max.vector, ends.min.vector];
                curvature
            }
            Err(Error::NonFiniteLoss { .. } | Error::NonFiniteVector { .. }) => {
                PointCurvature::NONE
            }
            Err(error) => return Err(error),
        };
        points[i * columns + j] = curvature;
        if each(i * columns + j, &curvature).is_break() {
            return Err(Error::Cancelled { done: done + 1 });
        }
    }
    Ok(CurvatureMap {
        grid: grid.clone(),
        points,
    })
}

/// Returns the positions of a grid, every other row backwards, so that each is beside the one
/// before.
fn serpentine(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |i| {
        (0..columns).map(move |j| (i, if i % 2 == 0 { j } else { columns - 1 - j }))
    })
}
