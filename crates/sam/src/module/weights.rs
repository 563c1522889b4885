//! Weights that are no numbers.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use crate::Error;

/// A batch is not to blame where the weights are lost.
pub(crate) fn that_are_not_finite<M: Module>(model: &M) -> Option<Error> {
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
    let mut find = Find::default();
    model.visit(&mut find);
    find.found.map(|path| Error::Weight { path })
}
