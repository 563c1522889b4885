//! The backward pass of a loss, and the mistakes of a closure that show in it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Gradients, Tensor};

use crate::error::{Error, Pass};
use crate::module::is_of_a_used_graph;

/// Reads the value of a loss.
pub(crate) fn value(loss: &Tensor<1>, pass: Pass) -> Result<f64, Error> {
    let [numbers] = loss.dims();
    if numbers != 1 {
        return Err(Error::NotOneNumber { pass, numbers });
    }
    Ok(loss.clone().inner().into_scalar())
}

/// Computes the gradient of a loss for every trained parameter of `model`, the sum over the places
/// of each.
///
/// `live` is the model that the caller has outside the closure. A loss that depends on a leaf of it
/// that is none of `model` comes from a closure that has used the wrong one.
pub(crate) fn gradients<M: Module>(
    loss: &Tensor<1>,
    model: &M,
    live: &M,
    pass: Pass,
) -> Result<GradientsParams, Error> {
    if !loss.is_tracked() {
        return Err(Error::Constant { pass });
    }
    let mut of_leaves = backward(loss, pass)?;
    let mut total = Total {
        of_leaves: &mut of_leaves,
        gradients: GradientsParams::new(),
    };
    model.visit(&mut total);
    let gradients = total.gradients;
    // The leaves that both models share have been taken out.
    let mut left = Left {
        of_leaves: &of_leaves,
        path: Vec::new(),
        found: None,
    };
    live.visit(&mut left);
    if let Some(path) = left.found {
        return Err(Error::OtherModel { pass, path });
    }
    if gradients.is_empty() {
        return Err(Error::NoGradient { pass });
    }
    Ok(gradients)
}

/// Runs the backward pass. A graph that is used up makes Burn panic, before it has changed
/// anything.
fn backward(loss: &Tensor<1>, pass: Pass) -> Result<Gradients, Error> {
    catch_unwind(AssertUnwindSafe(|| loss.backward())).map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        if text.is_some_and(is_of_a_used_graph) {
            Error::UsedUp { pass }
        } else {
            resume_unwind(payload)
        }
    })
}

/// The gradients, added up over the leaves of a parameter; Burn's `from_grads` keeps the last
/// leaf's alone.
struct Total<'a> {
    of_leaves: &'a mut Gradients,
    gradients: GradientsParams,
}

impl ModuleVisitor for Total<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            return;
        }
        let Some(gradient) = param.base().grad_remove(self.of_leaves) else {
            return;
        };
        let gradient = match self.gradients.remove::<D>(param.id) {
            Some(before) => before + gradient,
            None => gradient,
        };
        self.gradients.register(param.id, gradient);
    }
}

/// The path of a parameter that still has a gradient.
struct Left<'a> {
    of_leaves: &'a Gradients,
    path: Vec<String>,
    found: Option<String>,
}

impl ModuleVisitor for Left<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.found.is_none() && param.base().grad(self.of_leaves).is_some() {
            self.found = Some(self.path.join("."));
        }
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }
}
