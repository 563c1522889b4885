//! The loss on a plane.

use burn::module::Module;
use landscape::slice::plane_with;
use landscape::{Batch, Grid, ParameterSpace, Risk, filter_normalize, random_directions};
use serde_json::json;

use crate::Error;
use crate::probe::{Moment, Probe};
use crate::record::{Records, json_numbers};
use crate::render::{ContourConfig, Field, contour};

/// The loss on the plane of two random directions, each normalised by filter, as the contour picture `landscape/surface` and the numbers `landscape/surface_data`.
///
/// The raw directions are the same at every step, drawn from the seed; their filters are scaled to the weights of the step.
#[derive(Clone, Debug)]
pub struct LossSurface<M, B> {
    risk: Risk<M, B>,
    grid: Grid,
    seed: u64,
}

impl<M: Module, B: Batch> LossSurface<M, B> {
    /// The surface of `risk` on `grid`.
    pub fn of(risk: &Risk<M, B>, grid: Grid) -> Self {
        Self {
            risk: risk.clone(),
            grid,
            seed: 0,
        }
    }

    /// The seed of the directions.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}

impl<M: Module, B: Batch> Probe<M> for LossSurface<M, B> {
    fn name(&self) -> String {
        "loss surface".into()
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let space = ParameterSpace::of(moment.model)?;
        let [first, second] = random_directions(&space, self.seed);
        let first = filter_normalize(&space, moment.model, first)?;
        let second = filter_normalize(&space, moment.model, second)?;
        let surface = plane_with(
            moment.model,
            &self.risk,
            [&first, &second],
            &self.grid,
            |_, _| moment.going_on(),
        )?;
        records.data(
            "landscape/surface_data",
            json!({
                "directions": "two random directions, filter-normalised",
                "seed": self.seed,
                "a": json_numbers(&surface.a),
                "b": json_numbers(&surface.b),
                "loss": json_numbers(&surface.loss),
                "order": "loss[i * b.len() + j] belongs to a[i] and b[j]",
            }),
        );
        let config = ContourConfig::new(format!("Loss surface, step {}", moment.step));
        let field = Field {
            a: &surface.a,
            b: &surface.b,
            values: &surface.loss,
        };
        records.picture("landscape/surface", contour(&field, &config)?);
        Ok(())
    }
}
