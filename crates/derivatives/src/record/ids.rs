//! Tensors of a module that have one id.

use std::any::Any;
use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::kind::Basic;
use burn::tensor::{Bool, Int, Tensor};

use crate::Error;

/// Checks that the tensors of `module` that have one id are one parameter: of one kind, shape and
/// value, all trainable or all frozen.
///
/// Burn keys gradients, records and optimisers by id, and so does everything that works on a
/// module's parameters as one vector. Clones of a layer (`vec![layer; 3]`) have one id, and part at
/// the first step of a Burn optimiser, or when other weights are loaded into one of them: from then
/// on whatever goes by id measures another model. A parameter that is used in several places
/// and has one value is as it should be.
///
/// Cost: a visit; tensors with an id that was met before are compared bit by bit on the host.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::{Device, Tensor};
///
/// let layer = LinearConfig::new(1, 1).init(&Device::flex());
/// let mut layers = vec![layer.clone(), layer];
/// assert!(derivatives::check_ids(&layers).is_ok());
/// // Another value under the same id.
/// layers[1].weight = layers[1].weight.clone().map(|weight| weight + 1.0);
/// let error = derivatives::check_ids(&layers)
///     .expect_err("two values")
///     .to_string();
/// assert!(error.contains("`0.weight` and `1.weight`"), "{error}");
/// ```
///
/// # Errors
/// [`Error::OneId`] with the paths of the first two tensors that differ.
pub fn check_ids<M: Module>(module: &M) -> Result<(), Error> {
    let mut ids = Ids::default();
    module.visit(&mut ids);
    ids.error.map_or(Ok(()), Err)
}

/// The first tensor of an id.
struct First {
    path: String,
    kind: &'static str,
    shape: Vec<usize>,
    trainable: bool,
    tensor: Box<dyn Any>,
}

#[derive(Default)]
struct Ids {
    path: Vec<String>,
    known: HashMap<ParamId, First>,
    error: Option<Error>,
}

impl Ids {
    fn meet<const D: usize, K: Basic + 'static>(
        &mut self,
        id: ParamId,
        kind: &'static str,
        trainable: bool,
        tensor: Tensor<D, K>,
    ) {
        if self.error.is_some() {
            return;
        }
        let path = self.path.join(".");
        let shape = tensor.dims().to_vec();
        let Some(first) = self.known.get(&id) else {
            let tensor = Box::new(tensor);
            self.known.insert(
                id,
                First {
                    path,
                    kind,
                    shape,
                    trainable,
                    tensor,
                },
            );
            return;
        };
        let problem = if first.kind != kind {
            Some(format!("are of kind {} and {kind}", first.kind))
        } else if first.shape != shape {
            Some(format!("have the shapes {:?} and {shape:?}", first.shape))
        } else if first.trainable != trainable {
            let says = |trainable| if trainable { "trainable" } else { "frozen" };
            Some(format!(
                "are {} and {}",
                says(first.trainable),
                says(trainable)
            ))
        } else if first
            .tensor
            .downcast_ref::<Tensor<D, K>>()
            .is_none_or(|known| !same_bits(known, &tensor))
        {
            Some("have different values".to_owned())
        } else {
            None
        };
        if let Some(problem) = problem {
            self.error = Some(Error::OneId {
                first: first.path.clone(),
                second: path,
                problem,
            });
        }
    }
}

/// Returns whether two tensors of one shape hold the same bits: NaN equals itself then.
fn same_bits<const D: usize, K: Basic>(a: &Tensor<D, K>, b: &Tensor<D, K>) -> bool {
    let (a, b) = (a.to_data(), b.to_data());
    a.dtype() == b.dtype() && a.as_bytes() == b.as_bytes()
}

impl ModuleVisitor for Ids {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let trainable = tensor.is_require_grad();
        self.meet(param.id, "float", trainable, tensor);
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.meet(param.id, "integer", false, param.val());
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.meet(param.id, "boolean", false, param.val());
    }

    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }
}
