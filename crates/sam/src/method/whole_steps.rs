//! A step of a training loop, and its gradient alone.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Tensor;

use super::SharpnessAware;
use crate::error::Error;
use crate::module::{BatchNormStatistics, check_places, separated, tied, with_own_statistics};
use crate::rule::{BatchUse, Rule};
use crate::step::{
    Caller, Descent, Examples, Loss, Mean, Measures, Rejected, Rows, Step, StepLoss, descent,
};

impl<R: Rule> SharpnessAware<R> {
    /// Takes one step of training: a gradient at `w`, a gradient at the peak, and the optimiser's
    /// step from `w` along what the method makes of them.
    ///
    /// A parameter that stands in several places of the model, a `Param` or layer cloned into
    /// another field, is one: it counts once, moves as one and stays one, as in PyTorch. Burn's own
    /// `optim.step` would step its first place alone.
    ///
    /// `loss` gives the loss of a model, one number, on the batch of this step. It is called
    /// exactly twice by methods that look for a peak in each step, also where ρ is 0, and only once
    /// where the first pass is refused. `optim` and `lr` are what Burn's own `optim.step` takes.
    /// Weight decay is the optimiser's and acts at `w`. What is [measured](Step::measured) has been
    /// computed for the step anyway.
    ///
    /// Where `loss` gives a pair of the loss and something else, that of the first pass, at `w`, is
    /// [`Step::output`]:
    ///
    /// ```
    /// # use burn::nn::{Linear, LinearConfig};
    /// # use burn::optim::SgdConfig;
    /// # use burn::tensor::{Device, Tensor};
    /// # use sam::SamConfig;
    /// # let device = Device::flex().autodiff();
    /// # let model = LinearConfig::new(2, 1).init(&device);
    /// # let x = Tensor::<2>::ones([4, 2], &device);
    /// # let (mut sam, mut optim) = (SamConfig::new().init()?, SgdConfig::new().init());
    /// # let before = model.forward(x.clone()).into_data();
    /// let step = sam.step(&mut optim, 0.1, model, |model| {
    ///     let output = model.forward(x.clone());
    ///     (output.clone().square().mean(), output)
    /// })?;
    /// assert_eq!(step.output.into_data(), before); // of the weights before the step
    ///
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Rejected`], with the model as it was before the step, weights and running statistics; the
    /// optimiser has not been called, and the method is as before. The reasons are
    ///
    /// - a loss, a gradient or a weight that is not finite;
    /// - a loss that is no single number, depends on no weight, or on weights of another model than
    ///   the closure's argument, in either pass, or whose graph an earlier backward pass has used
    ///   up: Burn panics there, and the panic hook of the process sees that before it is caught;
    /// - a model without trained parameters, or on a device without autodiff; places of one
    ///   parameter that differ;
    /// - a [`Perturbed`](crate::Perturbed) that chooses nothing, a radius that is negative or not
    ///   finite, or a method that needs [`step_examples`](Self::step_examples).
    ///
    /// # Panics
    /// When `loss` does.
    pub fn step<M: Module, E: StepLoss>(
        &mut self,
        optim: &mut ModuleOptimizer,
        lr: impl Into<ModuleLearningRate>,
        model: M,
        mut loss: impl FnMut(&M) -> E,
    ) -> Result<Step<M, E::Output>, Rejected<M>> {
        let mut output = None;
        let mut mean = Mean(|model: &M| {
            let (loss, of_pass) = loss(model).into_parts();
            output.get_or_insert(of_pass);
            loss
        });
        let (model, measured) = self.take(optim, lr.into(), model, &mut mean)?;
        Ok(Step {
            model,
            output: output.expect("a step that was taken has had its first pass"),
            measured,
        })
    }

    /// Takes a [`step`](Self::step) with a loss that tells the `examples` of the batch apart:
    /// `terms` gives the losses of the wanted [`Rows`], one number each, `[k]`; the loss is their
    /// mean.
    ///
    /// [`Esam`](crate::Esam), which selects examples, and [`MicroBatchSam`](crate::MicroBatchSam),
    /// which groups them, need it; every method takes it.
    ///
    /// Where `terms` gives a pair of the losses and something else, that of the whole batch at `w`
    /// is [`Step::output`]. A method that never takes the whole batch at once
    /// ([`MicroBatchSam`](crate::MicroBatchSam)) then needs one more forward pass, for the output
    /// alone.
    ///
    /// ```
    /// # use burn::module::{Module, Param};
    /// # use burn::optim::SgdConfig;
    /// # use burn::tensor::{Device, Tensor};
    /// # use sam::EsamConfig;
    /// # #[derive(Module, Debug)]
    /// # struct Line { w: Param<Tensor<1>> }
    /// # let device = Device::flex().autodiff();
    /// # let model = Line { w: Param::from_data([3.0], &device) };
    /// # let x = Tensor::<1>::from_data([1.0, 2.0, 3.0, 4.0], &device);
    /// # let mut optim = SgdConfig::new().init();
    /// let mut esam = EsamConfig::new().init()?;
    /// let step = esam.step_examples(&mut optim, 0.01, model, 4, |model, rows| {
    ///     (model.w.val() * rows.of(&x)).square()
    /// })?;
    /// assert_eq!(step.measured.cost.backward, 1.5); // half of the examples in the second pass
    ///
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`step`](Self::step); another number of losses than there are wanted rows; no examples.
    ///
    /// # Panics
    /// When `terms` does.
    pub fn step_examples<M: Module, E: StepLoss>(
        &mut self,
        optim: &mut ModuleOptimizer,
        lr: impl Into<ModuleLearningRate>,
        model: M,
        examples: usize,
        mut terms: impl FnMut(&M, Rows<'_>) -> E,
    ) -> Result<Step<M, E::Output>, Rejected<M>> {
        let mut output = E::NOTHING;
        let is_in_parts = matches!(self.batches(), BatchUse::Micro(size) if size < examples);
        let is_extra = output.is_none() && is_in_parts;
        if is_extra {
            // The weights are gone after the step; the live statistics see these examples in it.
            let (_, of_batch) = terms(&with_own_statistics(&model), Rows::ALL).into_parts();
            output = Some(of_batch);
        }
        let mut losses = Examples(examples, |model: &M, rows: Rows<'_>| {
            let (losses, of_pass) = terms(model, rows).into_parts();
            if rows.indices().is_none() {
                output.get_or_insert(of_pass);
            }
            losses
        });
        let (model, mut measured) = self.take(optim, lr.into(), model, &mut losses)?;
        measured.cost.forward += f64::from(u8::from(is_extra));
        Ok(Step {
            model,
            output: output.expect("the first pass takes the whole batch"),
            measured,
        })
    }

    /// Computes the gradient for the optimiser and steps nothing. It is what a training loop of
    /// another shape needs: Burn's `LBFGS`, say, whose closure gives a loss and a gradient for each
    /// point it tries.
    ///
    /// # Errors
    /// As [`step`](Self::step). The method is then as before.
    pub fn gradient<M: Module>(
        &mut self,
        model: &M,
        loss: impl FnMut(&M) -> Tensor<1>,
    ) -> Result<Descent, Error> {
        let caller = Caller {
            is_tied: check_places(model)?,
            recomputes: false,
        };
        self.descent(model, &mut Mean(loss), caller)
    }

    /// Runs the passes of a step, and counts it.
    ///
    /// # Errors
    /// As [`step`](Self::step). The method is then as before.
    pub(crate) fn descent<M: Module, L: Loss<M>>(
        &mut self,
        model: &M,
        loss: &mut L,
        caller: Caller,
    ) -> Result<Descent, Error> {
        if loss.examples() == Some(0) {
            return Err(Error::NoExamples);
        }
        let (descent, carried) = descent(self.start()?, model, loss, caller)?;
        self.state.carried = carried;
        self.state.steps += 1;
        Ok(descent)
    }

    fn take<M: Module, L: Loss<M>>(
        &mut self,
        optim: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        model: M,
        loss: &mut L,
    ) -> Result<(M, Measures), Rejected<M>> {
        let is_tied = match check_places(&model) {
            Ok(is_tied) => is_tied,
            Err(reason) => return Err(Rejected { model, reason }),
        };
        // The first pass already moves the live statistics, and a batch with a NaN would spoil them
        // for good. This copy shares the weights and costs no arithmetic.
        let before = separated(&model);
        let seen = self.state.learning_rate;
        self.at_learning_rate(lr.base());
        let caller = Caller {
            is_tied,
            recomputes: true,
        };
        let Descent {
            gradients,
            mut measured,
        } = match self.descent(&model, loss, caller) {
            Ok(descent) => descent,
            Err(reason) => {
                self.state.learning_rate = seen;
                return Err(Rejected {
                    model: before.unwrap_or(model),
                    reason,
                });
            }
        };
        // Burn's optimisers step the first place of a parameter.
        let model = tied(optim.step(lr, model, gradients), is_tied);
        if self.ascent.batch_norm == BatchNormStatistics::Recomputed {
            let _ = loss.mean(&model);
            measured.cost.forward += 1.0;
        }
        Ok((model, measured))
    }
}
