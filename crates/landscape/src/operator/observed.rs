//! An operator that tells a callback of every product, and lets it cancel.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

use burn::tensor::Tensor;

use super::LinearOperator;
use crate::error::Error;
use crate::vector::Domain;

/// An operator that calls back after every product or quadratic form with their number so far: a
/// progress bar for any algorithm, and the way to stop it.
///
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::{Dense, LinearOperator, Observed};
/// use std::ops::ControlFlow;
///
/// let dense = Dense::new(&[2.0, 0.0, 0.0, 1.0], (&Device::flex(), DType::F64))?;
/// let observed = Observed::new(&dense, |done| {
///     if done < 2 {
///         ControlFlow::Continue(())
///     } else {
///         ControlFlow::Break(())
///     }
/// });
/// let v = dense.domain().upload(&[1.0, 1.0])?;
/// assert!(observed.apply(&v).is_ok());
/// assert!(observed.apply(&v).is_err());
/// # Ok::<(), landscape::Error>(())
/// ```
pub struct Observed<A, F> {
    operator: A,
    callback: RefCell<F>,
    done: Cell<usize>,
}

impl<A: LinearOperator, F: FnMut(usize) -> ControlFlow<()>> Observed<A, F> {
    /// Makes an operator that calls `callback` after each product; [`ControlFlow::Break`] makes
    /// that product an [`Error::Cancelled`].
    pub const fn new(operator: A, callback: F) -> Self {
        Self {
            operator,
            callback: RefCell::new(callback),
            done: Cell::new(0),
        }
    }

    fn tell(&self) -> Result<(), Error> {
        let done = self.done.get() + 1;
        self.done.set(done);
        match (self.callback.borrow_mut())(done) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled { done }),
        }
    }
}

impl<A: LinearOperator, F: FnMut(usize) -> ControlFlow<()>> LinearOperator for Observed<A, F> {
    fn domain(&self) -> &Domain {
        self.operator.domain()
    }

    fn relative_error(&self) -> f64 {
        self.operator.relative_error()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let product = self.operator.apply(v)?;
        self.tell()?;
        Ok(product)
    }

    fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
        let form = self.operator.quadratic_form(v)?;
        self.tell()?;
        Ok(form)
    }
}
