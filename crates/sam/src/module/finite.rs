//! Weights that are not finite.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use crate::error::Error;

/// Refuses a model with a trained weight that is infinite or not a number: no batch is to blame for
/// it.
///
/// # Errors
/// [`Error::Weight`], with the path of the first such parameter.
pub(crate) fn check_weights<M: Module>(model: &M) -> Result<(), Error> {
    let mut find = Find::default();
    model.visit(&mut find);
    match find.found {
        Some(path) => Err(Error::Weight { path }),
        None => Ok(()),
    }
}

#[derive(Default)]
struct Find {
    path: Vec<String>,
    found: Option<String>,
}

impl ModuleVisitor for Find {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.found.is_some() || !param.is_require_grad() {
            return;
        }
        let data = param.base().inner().to_data();
        if !data.iter::<f64>().all(f64::is_finite) {
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
