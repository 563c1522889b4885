//! A derivative by an input, inside a loss.

use std::cell::Cell;

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::record::{self, Marker};
use crate::{Capture, Statistics};

thread_local! {
    /// Flag that Burn's gradient may lack what an input gradient depends on: it is not taken for
    /// the whole then.
    static ALLOWED: Cell<bool> = const { Cell::new(false) };
    static USED: Cell<bool> = const { Cell::new(false) };
}

/// Returns `u = f(model, x)` and the gradient of the sum of u's entries by `x`, of the shape of
/// `x`: for physics-informed networks and gradient penalties.
///
/// Where each row of u depends on its row of x alone, row n of the gradient is `∂uₙ/∂xₙ`. In a loss
/// that is measured, both are part of the recorded function, and derivatives of any order go
/// through them; `f` may call `input_gradient` again for second derivatives such as `u_xx`.
///
/// Burn differentiates once, so on a device with autodiff the gradient would be a constant, and
/// training by `backward` would leave out how it depends on the weights. There it is an error,
/// except while a loss is measured. Train with the gradient of the recorded loss
/// ([`CapturedLoss::gradient`](crate::CapturedLoss::gradient)).
///
/// Cost: on a recording device, one call of `f`; elsewhere two, one of which is recorded.
///
/// # Panics
/// If the model is being trained by Burn's autodiff, if `f` cannot be recorded (it reads data,
/// say), or if u does not depend on x.
///
/// ```
/// use burn::module::Param;
/// use burn::tensor::{Device, Tensor};
/// use derivatives::input_gradient;
///
/// let device = Device::flex();
/// let w = Param::from_tensor(Tensor::<1>::from_floats([2.0], &device));
/// let x = Tensor::<1>::from_floats([3.0], &device);
/// // u = w x², u' = 2 w x, u'' = 2 w
/// let slope =
///     |w: &Param<Tensor<1>>, x| input_gradient(w, x, |w, x| w.val() * x.square()).1;
/// let (first, second) = input_gradient(&w, x, slope);
/// assert_eq!(first.into_scalar::<f32>(), 12.0);
/// assert_eq!(second.into_scalar::<f32>(), 4.0);
/// ```
pub fn input_gradient<M: Module, const D: usize, const E: usize>(
    model: &M,
    x: Tensor<D>,
    f: impl Fn(&M, Tensor<D>) -> Tensor<E>,
) -> (Tensor<E>, Tensor<D>) {
    let variable = Marker::Variable.mark(x.clone());
    let u = f(model, variable.clone());
    if let Some(gradient) = record::input_gradient(&u, &variable) {
        return (u, gradient);
    }
    if u.is_tracked() {
        assert!(
            ALLOWED.get(),
            "`input_gradient` is a constant to Burn's `backward`, so a step with it would be wrong; train with the gradient of the recorded loss instead"
        );
        USED.set(true);
    }
    // Recorded apart from the ordinary evaluation: a constant of autodiff, right in value.
    let gradient = of_recording(model, x.clone().without_autodiff(), u.is_autodiff(), &f);
    let gradient = if x.is_autodiff() || u.is_autodiff() {
        Tensor::from_inner(gradient)
    } else {
        gradient
    };
    (u, gradient)
}

/// Records `f` as a function of `x`, and differentiates it.
fn of_recording<M: Module, const D: usize, const E: usize>(
    model: &M,
    x: Tensor<D>,
    by_batch: bool,
    f: &impl Fn(&M, Tensor<D>) -> Tensor<E>,
) -> Tensor<D> {
    let shape = x.shape();
    let input = Param::from_tensor(x);
    let id = input.id;
    // On an autodiff device a layer that normalises by the batch has done so for u.
    let statistics = if by_batch {
        Statistics::Batch
    } else {
        Statistics::Running
    };
    let gradient = Capture::of(&(input, model.clone()))
        .with_parameters([id])
        .with_statistics(statistics)
        .loss(|(input, model): &(Param<Tensor<D>>, M), _| f(model, input.val()).sum())
        .and_then(|sum| sum.gradient(&sum.origin()));
    match gradient {
        Ok((_, gradient)) => gradient.reshape(shape),
        Err(error) => panic!("`input_gradient` cannot differentiate its closure: {error}"),
    }
}

/// Runs a closure in which Burn's gradient may lack what input gradients depend on, and returns
/// whether there was one, so that the gradient has to be taken from the recorded loss.
pub fn allowing_input_gradients<T>(run: impl FnOnce() -> T) -> (T, bool) {
    /// Puts the flags back when the closure panics, too.
    struct Before(bool, bool);
    impl Drop for Before {
        fn drop(&mut self) {
            ALLOWED.set(self.0);
            USED.set(self.1);
        }
    }
    let _before = Before(ALLOWED.replace(true), USED.replace(false));
    let result = run();
    (result, USED.get())
}
