//! The loss on a plane.

use burn::module::Module;
use burn::tensor::Tensor;
use landscape::slice::{linspace, plane_observed};
use landscape::{Batch, Grid, ParameterSpace, Risk, Surface, filter_normalize, random_directions};
use pictures::{AxisScale, ContourConfig, contour_with};

use crate::budget::MeasuringCost;
use crate::record::{Records, json_numbers};
use crate::workload::Work;
use crate::{Error, Moment, Probe, show, tag};

/// Forward passes that the preparation of a plane takes.
const PREPARATION: f64 = 12.0;

/// Fewest points along a side; odd, so that the weights themselves are one.
const LEAST_SIDE: usize = 5;

/// The loss on the plane of two random directions, each normalised by filter, as the contour
/// picture `landscape/surface`, in space as `landscape/surface_mesh`, and the numbers
/// `landscape/surface_data`. Recorded at several steps, TensorBoard's slider animates it.
///
/// Under a limited [`Budget`](crate::Budget) it has as many points as there is time for, over the
/// same range.
///
/// The raw directions are the same at every step, drawn from the seed; their filters are scaled to
/// the weights of the step.
#[derive(Debug, Clone)]
pub struct LossSurface<M, B> {
    risk: Risk<M, B>,
    grid: Grid,
    seed: u64,
    scale: SurfaceScale,
    /// The ends of the colours, once the scale has chosen them.
    limits: Option<[f64; 2]>,
    keeps_directions: bool,
    directions: Option<[Tensor<1>; 2]>,
}

/// The colours of the surfaces of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum SurfaceScale {
    /// From the smallest to the largest loss of each surface: colours of two steps do not compare.
    #[default]
    Own,
    /// From the smallest to the largest loss of the first surface that is measured.
    First,
    /// So many decades down from the largest loss of the first surface, on a logarithmic scale:
    /// for losses that fall far below the first ones.
    Decades(u32),
    /// Between these losses.
    Limits([f64; 2]),
}

impl<M: Module, B: Batch> LossSurface<M, B> {
    /// Measures the surface of `risk` on `grid`.
    pub fn of(risk: &Risk<M, B>, grid: Grid) -> Self {
        Self {
            risk: risk.clone(),
            grid,
            seed: 0,
            scale: SurfaceScale::Own,
            limits: None,
            keeps_directions: false,
            directions: None,
        }
    }

    /// Sets the seed of the directions.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Sets the colours: with one scale for all steps, pictures that are shown one after the other
    /// are an animation. A loss beyond the scale has the colour of the nearer end. The scales that
    /// follow the first surface follow the first after a resumed run's checkpoint anew; the numbers
    /// hold the limits, which [`SurfaceScale::Limits`] takes.
    #[must_use]
    pub fn with_scale(self, scale: SurfaceScale) -> Self {
        Self { scale, ..self }
    }

    /// Keeps the directions of the first measurement as they are, in place of scaling their filters
    /// to the weights of each step: a unit of the plane is then the same distance at each step. It
    /// keeps two vectors of all parameters.
    #[must_use]
    pub fn with_fixed_directions(self) -> Self {
        Self {
            keeps_directions: true,
            ..self
        }
    }
}

impl<M, B> LossSurface<M, B> {
    /// Returns the grid, with at most so many points: the same ends, fewer points between them.
    fn within(&self, points: usize) -> Grid {
        let (a, b) = (self.grid.a.len(), self.grid.b.len());
        if points >= a * b {
            return self.grid.clone();
        }
        let side = odd_root(points).max(LEAST_SIDE);
        let coarse = |axis: &[f64]| match axis {
            [first, .., last] if axis.len() > side => linspace(*first..=*last, side),
            axis => axis.to_vec(),
        };
        Grid {
            a: coarse(&self.grid.a),
            b: coarse(&self.grid.b),
        }
    }
}

impl<M: Module, B> LossSurface<M, B> {
    /// Returns the directions of the plane.
    fn directions(&mut self, model: &M) -> Result<[Tensor<1>; 2], Error> {
        if let Some(kept) = &self.directions {
            return Ok(kept.clone());
        }
        let space = ParameterSpace::of(model)?;
        let [first, second] = random_directions(&space, self.seed);
        let first = filter_normalize(&space, model, first)?;
        let second = filter_normalize(&space, model, second)?;
        let found = [first, second];
        self.directions = self.keeps_directions.then(|| found.clone());
        Ok(found)
    }

    /// Returns the ends of the colours, which the first surface may choose. A surface without two
    /// different finite losses chooses nothing.
    fn limits(&mut self, surface: &Surface) -> Option<[f64; 2]> {
        let finite = || surface.loss.iter().copied().filter(|loss| loss.is_finite());
        let low = finite().fold(f64::INFINITY, f64::min);
        let high = finite().fold(f64::NEG_INFINITY, f64::max);
        let of_first = match self.scale {
            SurfaceScale::Own => None,
            SurfaceScale::Limits(limits) => Some(limits),
            SurfaceScale::First => (low < high).then_some([low, high]),
            SurfaceScale::Decades(decades) => {
                (high > 0.0).then(|| [high / 10.0_f64.powf(f64::from(decades.clamp(1, 30))), high])
            }
        };
        self.limits = self.limits.or(of_first);
        self.limits
    }
}

/// Returns the largest odd number whose square is at most `points`.
fn odd_root(points: usize) -> usize {
    let root = points.isqrt();
    if root.is_multiple_of(2) {
        root.saturating_sub(1)
    } else {
        root
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for LossSurface<M, B> {
    fn name(&self) -> String {
        "loss surface".into()
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of points")]
    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let all = self.grid.a.len() * self.grid.b.len();
        let least = self.within(0);
        let least = least.a.len() * least.b.len();
        let seconds =
            |points: usize| moment.estimated(&self.risk, Work::passes(PREPARATION + points as f64));
        Ok(Some(MeasuringCost {
            least: moment.drawing() + seconds(least)?,
            full: moment.drawing() + seconds(all)?,
        }))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let [first, second] = self.directions(moment.model)?;
        let points = moment.after_drawing().passes(&self.risk, PREPARATION)?;
        let grid = points.map_or_else(|| self.grid.clone(), |points| self.within(points));
        let directions = [&first, &second];
        let count = grid.a.len() * grid.b.len();
        let surface = moment.timed_passes(&self.risk, count, |risk| {
            plane_observed(moment.model, risk, directions, &grid, |_, _| {
                moment.going_on()
            })
        })?;
        if grid != self.grid {
            records.shortened(format!(
                "{} x {} points in place of {} x {}",
                grid.a.len(),
                grid.b.len(),
                self.grid.a.len(),
                self.grid.b.len()
            ));
        }
        let limits = self.limits(&surface);
        let mut data = show::surface_data(&surface, self.seed);
        if let Some(limits) = limits {
            data["limits"] = json_numbers(&limits);
        }
        if self.keeps_directions {
            data["directions"] =
                "two random directions, filter-normalised at the first measurement".into();
        }
        records.data(tag::SURFACE_DATA, data);
        // A surface without a mesh, of one row say, still has its picture.
        if let Ok(mesh) = show::surface_mesh(&surface, limits) {
            records.mesh(tag::SURFACE_MESH, mesh);
        }
        let picture = moment.draw(|| {
            let title = format!("Loss surface, step {}", moment.step);
            let config = ContourConfig {
                limits,
                scale: match self.scale {
                    SurfaceScale::Decades(_) if surface.loss.iter().all(|loss| *loss > 0.0) => {
                        AxisScale::Log
                    }
                    _ => AxisScale::Auto,
                },
                ..ContourConfig::new(title)
            };
            let field = (&surface.a[..], &surface.b[..], &surface.loss[..]);
            Ok(contour_with(field, &config)?)
        })?;
        records.picture(tag::SURFACE, picture);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coarse_grid_has_the_same_ends_and_the_weights_in_its_middle() {
        let device = burn::tensor::Device::flex();
        let data = [Tensor::<2>::zeros([1, 1], &device)];
        let risk = Risk::mean(data, |_: &burn::nn::Linear, x: &Tensor<2>| x.clone().mean());
        let surface = LossSurface::of(&risk, Grid::square(-2.0..=2.0, 21));
        for (points, side) in [(500, 21), (440, 19), (100, 9), (60, 7), (3, 5)] {
            let axis = surface.within(points).a;
            assert_eq!(axis.len(), side);
            assert_eq!((axis[0], axis[side / 2], axis[side - 1]), (-2.0, 0.0, 2.0));
        }
    }
}
