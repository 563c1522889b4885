//! A risk as a function of the flat parameter vector, around one model.

mod of_batch;
mod shares;

use std::sync::OnceLock;

use burn::module::Module;
use burn::tensor::{DType, Device, FloatDType, Tensor};
use derivatives::Statistics;

use super::weights::Counted;
use super::{Batches, Risk, scalar};
use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::{ParameterSpace, cast_owned, place, tracked};
use crate::vector::download;
use shares::Shares;

/// A risk as a function of theta, `[P]`, around the model it was made at: what slices, products by
/// differences and sharpness measures evaluate.
///
/// It owns copies of the model, so the model itself can neither change it nor be changed by it.
#[derive(Debug)]
pub struct Objective<M, B> {
    space: ParameterSpace,
    risk: Risk<M, B>,
    /// On the autodiff device, dropout off.
    tracked: M,
    /// The same without autodiff.
    inner: M,
    origin: Tensor<1>,
    device: Device,
    /// Known from the start for batches held in memory; of streamed ones after they have been
    /// read.
    counted: OnceLock<Counted>,
    /// The way from the origin to points beside it, once it has been asked for.
    pub(super) way: OnceLock<Tensor<1>>,
    /// The shares of the devices, where the risk has any; made at the first evaluation.
    shares: OnceLock<Option<Box<Shares<M, B>>>>,
}

impl<M: Module, B: Batch> Objective<M, B> {
    /// Returns the objective at `model`, in the model's own float type.
    ///
    /// # Errors
    /// A model that cannot be measured, no data, or a loss that is no mean.
    pub fn at(model: &M, risk: &Risk<M, B>) -> Result<Self, Error> {
        Self::new(tracked(model, risk.statistics()), risk)
    }

    /// Returns the objective at `model` with parameters, buffers and float tensors of the batches
    /// cast to f64; in the model's own type, as [`at`](Self::at), where the device has no f64, or
    /// where the closures or the module do not run in it because they hold constants of another
    /// type. Which of both is tried once for each risk.
    ///
    /// # Errors
    /// As [`at`](Self::at).
    pub fn in_double(model: &M, risk: &Risk<M, B>) -> Result<Self, Error> {
        let native = tracked(model, risk.statistics());
        let mut wide = None;
        risk.batches()
            .first(|batch| wide = Some(widened(&native, risk, &batch)))?;
        Self::new(wide.transpose()?.flatten().unwrap_or(native), risk)
    }

    /// Returns this objective in f64, over `batch` alone; none where it is in f64 already or cannot
    /// be.
    pub(crate) fn doubled(&self, batch: &B) -> Result<Option<Self>, Error> {
        let Some(wide) = widened(&self.tracked, &self.risk, batch)? else {
            return Ok(None);
        };
        Self::new(wide, &self.risk.over(vec![batch.clone()])).map(Some)
    }

    fn new(tracked: M, risk: &Risk<M, B>) -> Result<Self, Error> {
        let space = ParameterSpace::of_tracked(&tracked)?;
        let origin = space.origin(&tracked);
        // Burn's `train` makes two leaves of a parameter used twice; `place` makes them one again.
        let tracked = place(&space, tracked, &origin);
        let inner = tracked.valid();
        let device = space.domain.device.clone();
        let objective = Self {
            space,
            risk: risk.clone(),
            tracked,
            inner,
            origin,
            device,
            counted: OnceLock::new(),
            way: OnceLock::new(),
            shares: OnceLock::new(),
        };
        let batches = objective.risk.batches();
        let mut checked = Ok(());
        batches.first(|batch| {
            let batch = objective.prepare(batch, objective.needs_autodiff());
            let model = objective.model_for_values();
            checked = objective.risk.check_reduction(model, &batch);
        })?;
        checked?;
        if matches!(batches, Batches::Held(_)) {
            objective.counted()?;
        }
        Ok(objective)
    }

    /// Returns the coordinates.
    pub const fn space(&self) -> &ParameterSpace {
        &self.space
    }

    /// Returns theta of the model this objective was made at, `[P]`.
    pub const fn origin(&self) -> &Tensor<1> {
        &self.origin
    }

    /// Returns the number of examples N. Streamed batches are read for it, unless they have been.
    ///
    /// # Errors
    /// A batch that cannot be read.
    pub fn examples(&self) -> Result<usize, Error> {
        Ok(self.counted()?.examples)
    }

    /// Returns `L(θ)` for `theta` of shape `[P]`; NaN and infinities as they are. Cost: one forward
    /// pass.
    ///
    /// # Errors
    /// A length other than P, or a batch that cannot be read.
    pub fn value(&self, theta: &Tensor<1>) -> Result<f64, Error> {
        let theta = self.space.domain.adopt(theta)?;
        if let Some(shares) = self.shares()? {
            return shares.value(|share| share.value(&theta));
        }
        self.value_of(&place(&self.space, self.model_for_values().clone(), &theta))
    }

    /// Returns L and its gradient, `[P]`, at `theta`. Cost: one gradient.
    ///
    /// # Errors
    /// A length other than P, a loss that is not finite, or that depends on no parameter.
    pub fn gradient(&self, theta: &Tensor<1>) -> Result<(f64, Tensor<1>), Error> {
        let theta = self.space.domain.adopt(theta)?;
        self.gradient_at(&theta)
    }

    /// Returns L at the origin.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn value_here(&self) -> Result<f64, Error> {
        if let Some(shares) = self.shares()? {
            return shares.value(Self::value_here);
        }
        self.value_of(self.model_for_values())
    }

    /// Returns L and its gradient at the origin.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient).
    pub fn gradient_here(&self) -> Result<(f64, Tensor<1>), Error> {
        self.gradient_at(&self.origin)
    }

    /// Returns the model at the origin, ready to be captured.
    pub(crate) const fn tracked(&self) -> &M {
        &self.tracked
    }

    /// Returns the risk.
    pub(crate) const fn risk(&self) -> &Risk<M, B> {
        &self.risk
    }

    /// Returns the float type of parameters and batches.
    pub(crate) fn float_type(&self) -> FloatDType {
        match self.space.domain.dtype {
            DType::F64 => FloatDType::F64,
            _ => FloatDType::F32,
        }
    }

    /// Returns whether values need the autodiff device: BatchNorm takes its training path there
    /// only.
    fn needs_autodiff(&self) -> bool {
        self.risk.statistics() == Statistics::Batch
    }

    fn model_for_values(&self) -> &M {
        if self.needs_autodiff() {
            &self.tracked
        } else {
            &self.inner
        }
    }

    pub(crate) fn prepare(&self, batch: B, autodiff: bool) -> B {
        let device = if autodiff {
            self.device.clone().autodiff()
        } else {
            self.device.clone()
        };
        batch.on_device(&device).to_dtype(self.float_type())
    }

    fn value_of(&self, model: &M) -> Result<f64, Error> {
        let mut sum = 0.0;
        let divisor = self.for_each_share(|index, batch, share| {
            let batch = self.prepare(batch, self.needs_autodiff());
            sum += share * scalar(&self.risk.batch_loss(model, &batch, index)?);
            Ok(())
        })?;
        Ok(sum / divisor)
    }

    fn gradient_at(&self, theta: &Tensor<1>) -> Result<(f64, Tensor<1>), Error> {
        self.check_inside()?;
        self.burns_gradient(theta)
    }

    /// Returns L and Burn's gradient at `theta`, whether or not it is that of the value.
    pub(crate) fn burns_gradient(&self, theta: &Tensor<1>) -> Result<(f64, Tensor<1>), Error> {
        if let Some(shares) = self.shares()? {
            return shares.gradient(theta, &self.space.domain);
        }
        let mut sum = 0.0;
        let mut total: Option<Tensor<1>> = None;
        let divisor = self.for_each_share(|index, batch, share| {
            // Leaves of its own for each batch: what a closure computes and does not use stays in
            // Burn's graph, and a second backward pass from the same leaves finds it used up.
            let model = &place(&self.space, self.tracked.clone(), theta);
            let loss = self.tracked_loss(model, &batch, index)?;
            let value = scalar(&loss.loss);
            if !value.is_finite() {
                return Err(Error::NonFiniteLoss {
                    value,
                    place: format!("in batch {index}"),
                });
            }
            sum += share * value;
            let gradient = self.backward(model, theta, loss, &batch, index)?;
            let gradient = scaled(gradient, share);
            total = Some(match total.take() {
                Some(total) => total + gradient,
                None => gradient,
            });
            Ok(())
        })?;
        let total = total.expect("without a batch there is an error");
        let total = scaled(total, divisor.recip());
        if download(&total).iter().any(|entry| !entry.is_finite()) {
            return Err(Error::NonFiniteVector { what: "gradient" });
        }
        Ok((sum / divisor, total))
    }

    /// Calls `each` with position, batch and what the mean loss of the batch counts for, and
    /// returns the number by which the sum of all terms is to be divided to be L.
    ///
    /// It is one for batches held in memory, whose shares add up to one, except for sums over
    /// examples that are divided by weights of the batches. Streamed batches are counted on the
    /// way.
    ///
    /// # Errors
    /// A batch that cannot be read, or an error of `each`.
    pub(crate) fn for_each_share(
        &self,
        mut each: impl FnMut(usize, B, f64) -> Result<(), Error>,
    ) -> Result<f64, Error> {
        let batches = self.risk.batches();
        if matches!(batches, Batches::Held(_)) {
            batches.for_each(|index, batch| {
                let share = self.share(&batch)?;
                each(self.risk.number(index), batch, share)
            })?;
            return Ok(1.0);
        }
        let mut counted = Counted::default();
        batches.for_each(|index, batch| {
            let index = self.risk.number(index);
            let amount = counted.add(&self.risk, index, &batch)?;
            each(index, batch, amount)
        })?;
        self.counted.get_or_init(|| counted);
        Ok(counted.weight)
    }

    /// Returns what the mean loss over the examples of a batch counts for in L.
    ///
    /// # Errors
    /// As [`examples`](Self::examples).
    pub(crate) fn share(&self, batch: &B) -> Result<f64, Error> {
        Ok(self.risk.amount(batch) / self.counted()?.weight)
    }

    /// Returns the weight of each example of a batch, so that the mean over all N examples of
    /// weight times gradient is the gradient of L: one, unless batches have weights.
    ///
    /// # Errors
    /// As [`examples`](Self::examples).
    #[expect(
        clippy::cast_precision_loss,
        reason = "there are far fewer than 2^53 examples"
    )]
    pub(crate) fn weight_of_each(&self, batch: &B) -> Result<f64, Error> {
        if !self.risk.has_weights() {
            return Ok(1.0);
        }
        let all = self.examples()? as f64;
        Ok(self.share(batch)? * all / batch.examples() as f64)
    }

    /// Returns the sum of what all batches count for, by which a share of the data counts beside
    /// others.
    ///
    /// # Errors
    /// As [`examples`](Self::examples).
    pub(crate) fn weight(&self) -> Result<f64, Error> {
        Ok(self.counted()?.weight)
    }

    fn counted(&self) -> Result<Counted, Error> {
        if let Some(counted) = self.counted.get() {
            return Ok(*counted);
        }
        let counted = Counted::all(&self.risk)?;
        Ok(*self.counted.get_or_init(|| counted))
    }
}

/// Returns `vector` times `factor`, and as it is where that is one: one batch that is all the data
/// has a share of n / n, which is one exactly.
#[expect(clippy::float_cmp, reason = "n / n is 1 exactly")]
fn scaled(vector: Tensor<1>, factor: f64) -> Tensor<1> {
    if factor == 1.0 {
        vector
    } else {
        vector * factor
    }
}

/// Returns `model` in f64, if it is not, the device has f64 and the closures run in it.
fn widened<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    batch: &B,
) -> Result<Option<M>, Error> {
    let domain = ParameterSpace::of_tracked(model)?.domain;
    if domain.dtype == DType::F64 || !domain.device.supports_dtype(DType::F64) {
        return Ok(None);
    }
    if risk
        .devices()
        .is_some_and(|devices| !devices.support(DType::F64))
    {
        return Ok(None);
    }
    // Not a clone: a clone shares running statistics, and casting would reach both.
    let wide = cast_owned(tracked(model, risk.statistics()), FloatDType::F64);
    let batch = batch
        .clone()
        .doubled(1)
        .on_device(&domain.device.autodiff())
        .to_dtype(FloatDType::F64);
    Ok(risk.runs_in_double(&wide, &batch).then_some(wide))
}
