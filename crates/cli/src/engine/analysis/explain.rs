//! The analysis of a model as a whole, and the tests of its learning rate.

use burn::optim::ModuleOptimizer;
use landscape::Risk;
use probes::{Analysis, AnalyzeConfig, Error, LearningRateConfig, analyze_observed};

use super::Placed;
use crate::config::Plan;
use crate::engine::optimiser::stability;
use crate::engine::step::{Stepped, Stepper};
use crate::engine::watch::Watch;
use crate::workload::Workload;

impl<W: Workload> Placed<W> {
    /// Analyses the model over the sample, with its outputs apart where the workload says them.
    pub(super) fn analysis(
        &self,
        config: &AnalyzeConfig,
        watch: &Watch,
    ) -> anyhow::Result<Analysis> {
        let risk = self.risk_of_outputs().unwrap_or_else(|| self.risk());
        Ok(analyze_observed(
            &self.model,
            &risk,
            config.clone(),
            |progress| watch.begins(progress.part.name(), progress.done),
        )?)
    }

    /// Returns the step of a plan, which ends when somebody stops it, and the loss over the
    /// training data in the batches of the plan.
    #[expect(clippy::type_complexity, reason = "a closure and a risk")]
    pub(super) fn steps<'a>(
        &'a self,
        plan: &Plan,
        watch: &'a Watch,
    ) -> anyhow::Result<(
        impl FnMut(W::Model, &mut ModuleOptimizer, f64, &W::Batch) -> Result<(W::Model, f64), Error>
        + 'a,
        Risk<W::Model, W::Batch>,
    )> {
        let mut stepper = Stepper::new(plan)?;
        let batches = self
            .data
            .training_batches(plan.batch_size.get(), &self.device);
        let mut done = 0;
        let step =
            move |model: W::Model, optimiser: &mut ModuleOptimizer, rate, batch: &W::Batch| {
                done += 1;
                if watch.goes_on(done, None, "steps").is_break() {
                    return Err(landscape::Error::Cancelled { done }.into());
                }
                let before = model.clone();
                let workload = self.data.workload();
                Ok(
                    match stepper.step(optimiser, rate, model, workload.as_ref(), batch) {
                        Stepped::Done(model, loss, _) => (model, loss),
                        Stepped::Refused(_) => (before, f64::NAN),
                    },
                )
            };
        Ok((step, self.data.risk(batches)))
    }

    /// Returns the settings with the optimiser of a plan and the size of its sample for curvature.
    pub(super) fn limits(
        &self,
        plan: &Plan,
        config: &LearningRateConfig,
    ) -> anyhow::Result<LearningRateConfig> {
        let examples = Some(self.data.curvature_examples());
        let config = config.clone().with_curvature_examples(examples);
        Ok(config.with_optimiser(stability(plan)?))
    }
}
