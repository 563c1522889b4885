//! The stability of the optimiser's steps, with its own threshold.

use burn::module::Module;
use landscape::spectrum::{EigenPair, Which};
use landscape::stability::{Optimiser, OptimiserSettings, Preconditioner, stability_of};
use landscape::{Batch, LanczosConfig, ParameterSpace, Risk, download, norm};

use super::divergence::{DivergenceRule, StabilitySeen};
use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::workload::Work;
use crate::{Error, Moment, Probe, tag};

/// The tolerance while training: the error of an isolated eigenvalue is of the order of the
/// residual's square, so this gives three to four digits.
const TOLERANCE: f64 = 1e-2;

/// Lanczos steps that are taken to be needed before any run has told.
const USUAL_STEPS: usize = 20;

/// Fewer steps say little.
const LEAST_STEPS: usize = 4;

/// The largest curvature as the optimiser meets it, over the largest at which its steps are
/// stable, and a warning before a training diverges.
///
/// | tag | quantity |
/// |---|---|
/// | `stability/sharpness_ratio` | `λ / threshold` |
/// | `stability/threshold` | the threshold of [`OptimiserSettings::optimiser`] at the present rate |
/// | `stability/lambda_1` | `λ`, the largest eigenvalue of `H + w I`, preconditioned for Adam, AdamW and RMSprop |
/// | `stability/component` | the size of `uᵀg` with u the unit eigenvector, in the preconditioner's units (`uᵀP^(−1/2) g`) |
/// | `curvature_check/sharpness_ratio_error` | the eigenvalue's residual over the threshold |
/// | `stability/warning` | text, when the [`DivergenceRule`] warns; also a message |
///
/// The learning rate is the one that the loop tells
/// ([`Probes::set_learning_rate`](crate::Probes::set_learning_rate)), or else the one of
/// [`with_learning_rate`](Self::with_learning_rate). The second moments of an adaptive optimiser
/// are read from the optimiser that the loop shows
/// ([`Probes::observe_with`](crate::Probes::observe_with); `learner::WithProbes` shows it). Before
/// its first step an adaptive optimiser has none: there nothing is recorded for it.
///
/// Adam divides its first moment by `1 − β₁ᵗ`, which acts like a learning rate that is larger by
/// the inverse of it: over the first tens of steps (t of 22 for `β₁ = 0.9` and 10 %) the true
/// threshold is lower than the one recorded.
///
/// Where [`TopEigenvalues`](super::TopEigenvalues) of the same risk measures before it at the same
/// step, the eigenpair of H is taken from there: then it costs a gradient, otherwise a Lanczos run
/// too. That measures to its own tolerance.
#[derive(Debug, Clone)]
pub struct StabilityMonitor<M, B> {
    risk: Risk<M, B>,
    settings: OptimiserSettings,
    learning_rate: Option<f64>,
    lanczos: LanczosConfig,
    rule: DivergenceRule,
    /// Steps of the last measurement.
    usual: Option<usize>,
}

/// The curvature over the threshold.
struct Ratio {
    largest: EigenPair,
    threshold: f64,
    preconditioner: Option<Preconditioner>,
}

impl<M: Module, B: Batch> StabilityMonitor<M, B> {
    /// Measures the stability of an optimiser of these settings, which
    /// `OptimiserSettings::try_from(&config)` reads from one of Burn's configurations, on `risk`.
    pub fn of(risk: &Risk<M, B>, settings: OptimiserSettings) -> Self {
        Self {
            risk: risk.clone(),
            settings,
            learning_rate: None,
            lanczos: LanczosConfig::new().with_tolerance(TOLERANCE),
            rule: DivergenceRule::default(),
            usual: None,
        }
    }

    /// Sets the seed of the start vector.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.lanczos.seed = seed;
        self
    }

    /// Sets the configuration of the Lanczos run, but for the end of the spectrum.
    #[must_use]
    pub fn with_config(self, lanczos: LanczosConfig) -> Self {
        Self { lanczos, ..self }
    }

    /// Sets the learning rate where the loop tells none.
    #[must_use]
    pub fn with_learning_rate(self, learning_rate: f64) -> Self {
        Self {
            learning_rate: Some(learning_rate),
            ..self
        }
    }

    /// Sets the rule that warns.
    #[must_use]
    pub fn with_rule(self, rule: DivergenceRule) -> Self {
        Self { rule, ..self }
    }
}

/// Returns what a run of so many steps takes, beside a gradient: a product for the pair and one to
/// see that products do not change; each new vector is orthogonalised twice against all before it.
fn work(steps: usize) -> Work {
    Work {
        gradients: 1.0,
        ..Work::curvature(steps + 2, 2 * steps * steps + 6 * steps)
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> StabilityMonitor<M, B> {
    fn least(&self) -> usize {
        LEAST_STEPS.min(self.lanczos.max_steps)
    }

    fn preconditioner(&self, moment: &Moment<'_, M>) -> Result<Option<Preconditioner>, Error> {
        if self.settings.moments.is_none() {
            return Ok(None);
        }
        let Some(optimiser) = moment.optimiser else {
            return Err(Error::Missing {
                instrument: "the stability of an adaptive optimiser".into(),
                what: "the optimiser with its second moments: call `Probes::observe_with` in the loop in place of `observe`",
            });
        };
        let space = ParameterSpace::of(moment.model)?;
        let found = Preconditioner::of(optimiser, &self.settings, &space)?;
        Ok(Some(found))
    }

    /// Measures the largest curvature beside the threshold.
    fn ratio(
        &mut self,
        moment: &Moment<'_, M>,
        gradient_norm: f64,
        records: &mut Records,
    ) -> Result<Ratio, Error> {
        let learning_rate = moment.learning_rate.or(self.learning_rate).ok_or_else(|| {
            Error::Missing {
                instrument: "the stability ratio".into(),
                what: "the learning rate: call `Probes::set_learning_rate` in the loop, or `with_learning_rate` on the instrument",
            }
        })?;
        let preconditioner = self.preconditioner(moment)?;
        if preconditioner.is_none()
            && let Some(mut largest) = moment.top(&self.risk)
        {
            // An L2 penalty shifts every eigenvalue and no eigenvector.
            largest.value += self.settings.weight_decay;
            let optimiser: &Optimiser = &self.settings.optimiser;
            let threshold = optimiser.threshold(learning_rate, gradient_norm)?;
            return Ok(Ratio {
                largest,
                threshold,
                preconditioner,
            });
        }
        let hessian = moment.hessian(&self.risk)?;
        let (least, most) = (self.least(), self.lanczos.max_steps);
        let max_steps = moment.most(&self.risk, (least, most), work)?;
        let config = self.lanczos.clone().with_which(Which::LargestAlgebraic);
        let config = config.with_max_steps(max_steps);
        let found = stability_of(
            &hessian,
            Some(gradient_norm),
            &self.settings,
            preconditioner.as_ref(),
            learning_rate,
            &config,
        )?;
        if max_steps < most && !found.largest.converged {
            records.shortened(format!(
                "{} Lanczos steps, after which the ratio {:.3} has an error of {:.1e}",
                found.largest.steps, found.ratio, found.ratio_error
            ));
        } else {
            self.usual = Some(found.largest.steps);
        }
        Ok(Ratio {
            largest: found.largest,
            threshold: found.threshold,
            preconditioner,
        })
    }
}

/// Returns `|uᵀ P^(−1/2) g|`, the component of the gradient along an eigenvector.
fn component(found: &Ratio, gradient: &[f64]) -> f64 {
    let u = download(&found.largest.vector);
    let scaled: f64 = match &found.preconditioner {
        None => u.iter().zip(gradient).map(|(u, g)| u * g).sum(),
        Some(preconditioner) => {
            let terms = u.iter().zip(gradient).zip(&preconditioner.diagonal);
            terms.map(|((u, g), p)| u * g / p.sqrt()).sum()
        }
    };
    scaled.abs()
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for StabilityMonitor<M, B> {
    fn name(&self) -> String {
        "stability of the optimiser".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let seconds = |steps| moment.estimated(&self.risk, work(steps));
        let usual = self.usual.unwrap_or(USUAL_STEPS);
        let usual = usual.min(self.lanczos.max_steps).max(self.least());
        // An eigenpair that another probe measures at this step is not known beforehand.
        Ok(Some(MeasuringCost {
            least: seconds(self.least())?,
            full: seconds(usual)?,
        }))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        if self.settings.moments.is_some() && moment.step == 0 {
            // Before the first update there are no second moments, and no step whose stability
            // could be asked for.
            return Ok(());
        }
        let (loss, gradient) = moment.gradient(&self.risk)?;
        let gradient = download(&gradient);
        let found = self.ratio(moment, norm(&gradient), records)?;
        let (ratio, ratio_error) = (
            found.largest.value / found.threshold,
            found.largest.residual / found.threshold,
        );
        let component = component(&found, &gradient);
        records.scalar(tag::SHARPNESS_RATIO, ratio);
        records.scalar(tag::STABILITY_THRESHOLD, found.threshold);
        records.scalar(tag::STABILITY_LAMBDA, found.largest.value);
        records.scalar(tag::STABILITY_COMPONENT, component);
        records.scalar(tag::SHARPNESS_RATIO_ERROR, ratio_error);
        let warning = self.rule.see(StabilitySeen {
            step: moment.step,
            ratio,
            ratio_error,
            loss,
            // The units of a preconditioner change from step to step.
            component: match self.settings.moments {
                None => component,
                Some(_) => f64::NAN,
            },
        });
        if let Some(warning) = warning {
            records.text(tag::STABILITY_WARNING, &warning.text);
            records.warn(warning.text);
        }
        Ok(())
    }
}
