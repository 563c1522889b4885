//! Changes of the weights of a module of linear layers and convolutions: scaled, with other biases,
//! rescaled between two layers.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};

/// Returns `model` with every weight times `factor`; biases, norms and buffers stay.
///
/// A weight is a parameter with two axes or more.
#[must_use]
pub fn scale_weights<M: Module>(model: M, factor: f64) -> M {
    altered(model, |place, value| match place {
        Place::Weight(_) => value * factor,
        Place::Bias(_) => value,
    })
}

/// Returns `model` with every entry of every bias equal to `value`.
///
/// A bias is a parameter with one axis and the name `bias`: those of linear layers and
/// convolutions. The shift of a norm stays.
#[must_use]
pub fn fill_biases<M: Module>(model: M, value: f64) -> M {
    altered(model, |place, old| match place {
        Place::Bias(_) => value,
        Place::Weight(_) => old,
    })
}

/// Returns `model` with the weight and the bias of its first layer times `factor`, and the weight
/// of its second layer divided by it.
///
/// Where nothing but a positively homogeneous function stands between the two layers (ReLU, max
/// pooling), the outputs stay and the curvature does not: the gradient by the first layer is
/// divided by `factor`, that by the second multiplied, and the largest eigenvalue of the Hessian
/// grows like `factor²` as far as the second layer has curvature of its own.
///
/// The layers are the first two parameters with two axes or more, in the order in which Burn visits
/// them.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device, Tensor};
/// use models::{MlpConfig, rescale_layers};
///
/// let options = (&Device::flex(), DType::F64);
/// let model = MlpConfig::new(vec![2, 8, 3]).init_seeded(7, options)?;
/// let images = Tensor::<2>::ones([1, 2], options);
/// let before = model.forward(images.clone());
/// let after = rescale_layers(model, 8.0).forward(images);
/// // A power of two: no rounding at all.
/// assert_eq!(before.into_data(), after.into_data());
/// # Ok::<(), models::Error>(())
/// ```
///
/// # References
/// Dinh, Pascanu, Bengio, Bengio (2017), "Sharp minima can generalize for deep nets", section 3.
#[must_use]
pub fn rescale_layers<M: Module>(model: M, factor: f64) -> M {
    altered(model, |place, value| match place {
        Place::Weight(0) | Place::Bias(1) => value * factor,
        Place::Weight(1) => value / factor,
        _ => value,
    })
}

/// The kind of a parameter, and how many weights stand before it.
#[derive(Clone, Copy)]
enum Place {
    Weight(usize),
    Bias(usize),
}

/// Returns `model` with each entry replaced by a function of its place and value.
fn altered<M: Module>(model: M, change: impl Fn(Place, f64) -> f64) -> M {
    model.map(&mut Altered {
        change,
        weights: 0,
        names: Vec::new(),
    })
}

struct Altered<F> {
    change: F,
    weights: usize,
    names: Vec<String>,
}

impl<F: Fn(Place, f64) -> f64> ModuleMapper for Altered<F> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let is_bias = self.names.last().is_some_and(|name| name == "bias");
        let place = match (D, is_bias) {
            (2.., _) => Place::Weight(self.weights),
            (_, true) => Place::Bias(self.weights),
            _ => return param,
        };
        self.weights += usize::from(D >= 2);
        param.map(|tensor| {
            let options = (&tensor.device(), tensor.dtype());
            let data = tensor.to_data();
            let shape = tensor.dims();
            let values = data.iter::<f64>();
            let values: Vec<f64> = values.map(|value| (self.change)(place, value)).collect();
            let changed = Tensor::from_data(TensorData::new(values, shape), options);
            changed.set_require_grad(tensor.is_require_grad())
        })
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.names.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.names.pop();
    }
}
