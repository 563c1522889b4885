//! The spectral density of the Hessian.

use burn::module::Module;
use landscape::{Batch, DensityConfig, Risk, spectral_density};

use super::density_history::DensityHistory;
use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::workload::Work;
use crate::{Error, Moment, Probe, show, tag};

/// Start vectors and Lanczos steps from each, unless something else is asked for.
const STARTS: usize = 2;
const STEPS: usize = 30;

/// Fewer steps show little but the largest eigenvalue.
const LEAST_STEPS: usize = 8;

/// The spectral density of the Hessian by stochastic Lanczos quadrature: a picture on a logarithmic
/// scale as `curvature/density_picture`, and the nodes, weights, grid and density as
/// `curvature/density_data`. From the second measurement on also the densities of all steps so
/// far, as a map of the logarithm of the density over step and eigenvalue:
/// `curvature/density_over_time`, with the numbers under `curvature/density_over_time_data`. For
/// that it keeps the nodes and weights of each step, some hundred numbers; a run that is gone on
/// with begins anew.
///
/// It takes 2 start vectors with 30 Lanczos steps each, 60 products, unless
/// [`with_config`](Self::with_config) asks for more. Under a limited [`Budget`](crate::Budget) it
/// takes as many as there is time for: first fewer starts, then fewer steps.
#[derive(Debug, Clone)]
pub struct HessianDensity<M, B> {
    risk: Risk<M, B>,
    config: DensityConfig,
    history: DensityHistory,
}

impl<M: Module, B: Batch> HessianDensity<M, B> {
    /// Measures the density of the Hessian of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            config: DensityConfig::new().with_starts(STARTS).with_steps(STEPS),
            history: DensityHistory::default(),
        }
    }

    /// Sets the seed of the start vectors.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// Sets all settings of the quadrature.
    #[must_use]
    pub fn with_config(self, config: DensityConfig) -> Self {
        Self { config, ..self }
    }
}

/// Returns what so many runs of so many steps take. One product more is made to see that products
/// do not change, and each new vector is orthogonalised twice against all before it.
fn work(starts: usize, steps: usize) -> Work {
    let products = starts * steps + 1;
    Work::curvature(products, starts * 2 * steps * steps + 6 * products)
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> HessianDensity<M, B> {
    /// Returns the settings for which there is time: fewer starts, and if that is not enough fewer
    /// steps.
    fn within(&self, moment: &Moment<'_, M>) -> Result<DensityConfig, Error> {
        let DensityConfig { starts, steps, .. } = self.config;
        let risk = &self.risk;
        let starts = moment.most(risk, (1, starts), |starts| work(starts, steps))?;
        let steps = match starts {
            1 => moment.most(risk, (LEAST_STEPS, steps), |steps| work(1, steps))?,
            _ => steps,
        };
        Ok(self.config.clone().with_starts(starts).with_steps(steps))
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for HessianDensity<M, B> {
    fn name(&self) -> String {
        "spectral density".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let (starts, steps) = (self.config.starts, self.config.steps);
        let seconds = |starts, steps| moment.estimated(&self.risk, work(starts, steps));
        // One of this step, and one of all steps so far.
        let drawing = 2.0 * moment.drawing();
        Ok(Some(MeasuringCost {
            least: drawing + seconds(1, LEAST_STEPS.min(steps))?,
            full: drawing + seconds(starts, steps)?,
        }))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let hessian = moment.hessian(&self.risk)?;
        let config = match moment.seconds {
            Some(_) => self.within(&moment.after_drawing())?,
            None => self.config.clone(),
        };
        let found = spectral_density(&hessian, &config)?;
        if config != self.config {
            records.shortened(format!(
                "{} start(s) with {} Lanczos steps, in place of {} with {}",
                config.starts, config.steps, self.config.starts, self.config.steps
            ));
        }
        records.data(tag::DENSITY_DATA, show::density_data(&found));
        let picture = moment.draw(|| show::density_picture(&found, moment.step))?;
        records.picture(tag::DENSITY_PICTURE, picture);
        self.history.add(moment.step, &found);
        if let Some((data, draw)) = self.history.show() {
            records.data(tag::DENSITY_OVER_TIME_DATA, data);
            records.picture(tag::DENSITY_OVER_TIME, moment.draw(draw)?);
        }
        Ok(())
    }
}
