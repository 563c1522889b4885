//! The quantities of a slice: named means over data.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Tensor;

use super::source::{OnSlice, Source, spread};
use crate::batch::Batch;
use crate::error::Error;
use crate::risk::Risk;

/// A named mean over data, as a function of the model: a loss, or an accuracy.
///
/// An accuracy is a [`Risk`] whose closure gives the share of right answers in a batch. A quantity
/// forgets the type of the batches, so that a slice may have quantities of several splits. It is
/// cheap to clone.
///
/// # Examples
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Int, Tensor};
/// use landscape::{Risk, slice::Quantity};
///
/// type Examples = (Tensor<2>, Tensor<1, Int>);
/// let device = Device::flex();
/// let batch: Examples = (
///     Tensor::from_floats([[1.0], [-1.0], [2.0]], &device),
///     Tensor::from_ints([0, 1, 1], &device),
/// );
/// let accuracy = Risk::mean([batch], |model: &Linear, (x, y): &Examples| {
///     let answers = model.forward(x.clone()).argmax(1).squeeze_dim::<1>(1);
///     answers.equal(y.clone()).float().mean()
/// });
/// let quantity = Quantity::of("accuracy", &accuracy);
/// assert_eq!(quantity.name(), "accuracy");
/// let model = LinearConfig::new(1, 2).init(&device);
/// assert!((0.0..=1.0).contains(&quantity.value(&model)?));
/// # Ok::<(), landscape::Error>(())
/// ```
pub struct Quantity<M> {
    name: String,
    risk: Arc<dyn AnyRisk<M>>,
}

impl<M> Clone for Quantity<M> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            risk: Arc::clone(&self.risk),
        }
    }
}

impl<M> fmt::Debug for Quantity<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quantity")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<M: Module + 'static> Quantity<M> {
    /// Makes a quantity of a risk.
    pub fn of<B: Batch + 'static>(name: impl Into<String>, risk: &Risk<M, B>) -> Self {
        Self {
            name: name.into(),
            risk: Arc::new(risk.clone()),
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value at a model; NaN and infinities as they are. Cost: one forward pass.
    ///
    /// # Errors
    /// As [`Risk::value`].
    pub fn value(&self, model: &M) -> Result<f64, Error> {
        self.risk.value_at(model)
    }

    pub(super) fn risk(&self) -> &dyn AnyRisk<M> {
        &*self.risk
    }
}

/// A risk over batches of any type.
pub(super) trait AnyRisk<M> {
    /// Returns the value at a model.
    fn value_at(&self, model: &M) -> Result<f64, Error>;

    /// Returns whether both are of the same data, so that they may share forward passes.
    fn shares_data(&self, other: &dyn AnyRisk<M>) -> bool;

    /// Returns this risk, and `others` that share its data, on the slice through `model`.
    fn on_slice(
        &self,
        others: &[&dyn AnyRisk<M>],
        model: &M,
        directions: &[Tensor<1>],
    ) -> Result<Box<dyn Source>, Error>;

    /// Returns the risk itself.
    fn as_any(&self) -> &dyn Any;
}

impl<M: Module + 'static, B: Batch + 'static> AnyRisk<M> for Risk<M, B> {
    fn value_at(&self, model: &M) -> Result<f64, Error> {
        self.value(model)
    }

    fn shares_data(&self, other: &dyn AnyRisk<M>) -> bool {
        let other = other.as_any().downcast_ref::<Self>();
        other.is_some_and(|other| self.is_of_same_data(other))
    }

    fn on_slice(
        &self,
        others: &[&dyn AnyRisk<M>],
        model: &M,
        directions: &[Tensor<1>],
    ) -> Result<Box<dyn Source>, Error> {
        let mut risks: Vec<&Self> = vec![self];
        for other in others {
            let other = other.as_any().downcast_ref();
            risks.push(other.expect("the same data has the same type"));
        }
        if let Some(source) = spread(model, &risks, directions)? {
            return Ok(source);
        }
        match directions {
            [d] => Ok(Box::new(OnSlice::new(model, &risks, [d])?)),
            [first, second] => Ok(Box::new(OnSlice::new(model, &risks, [first, second])?)),
            more => Err(Error::Setting {
                name: "number of directions",
                value: more.len().to_string(),
                allowed: "1 for a line or 2 for a plane",
            }),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
