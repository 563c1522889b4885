//! Normal initial weights for any module of linear layers and convolutions: He's, Glorot's.

use std::f64::consts::TAU;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use crate::initialise::unit;

/// Returns `model` with weights drawn on the host from `seed`: normal, with mean 0 and the standard
/// deviation `gain · √(2 / n)`.
///
/// n is the number of inputs to each output: the rows of a linear layer's `[in, out]`, the entries
/// of one filter of a convolution's `[out, in, ..]`. Biases become 0; the scale and the shift of a
/// norm and all buffers stay. A gain of 1 keeps the size of the signals of a ReLU network from
/// layer to layer, a gain of 0 makes every weight zero.
///
/// The weights are drawn in the order in which Burn visits them, a number for each entry of weights
/// and biases, so that they are a function of the seed and of the shapes alone; ids, devices and
/// float types stay. Layers of other kinds (embeddings, transposed convolutions) count their inputs
/// otherwise: this function is not for them.
///
/// # Examples
/// ```
/// use burn::tensor::Device;
/// use models::{MlpConfig, he_normal};
///
/// let model = MlpConfig::new(vec![64, 32, 10]).init(&Device::flex().autodiff())?;
/// let zero = he_normal(model, 7, 0.0);
/// let largest: f32 = zero.layers[0].weight.val().abs().max().into_scalar();
/// assert_eq!(largest, 0.0);
/// # Ok::<(), models::Error>(())
/// ```
///
/// # References
/// He, Zhang, Ren, Sun (2015), "Delving deep into rectifiers", section 2.2, equation 10.
#[must_use]
pub fn he_normal<M: Module>(model: M, seed: u64, gain: f64) -> M {
    normal(model, seed, gain, |inputs, _| (2.0 / inputs).sqrt())
}

/// Returns `model` with weights drawn on the host from `seed`: normal, with mean 0 and the standard
/// deviation `gain · √(2 / (n + m))`.
///
/// n is the number of inputs to each output as in [`he_normal`], m the number of outputs that each
/// input reaches: the columns of a linear layer's `[in, out]`, the entries of one input channel of
/// a convolution's `[out, in, ..]`. A gain of 1 keeps the size of the signals and that of the
/// gradients, as well as one number can do both, in a network that is linear around zero, as with
/// `tanh`. All else is as in [`he_normal`].
///
/// # References
/// Glorot, Bengio (2010), "Understanding the difficulty of training deep feedforward neural
/// networks", equation 12.
#[must_use]
pub fn xavier_normal<M: Module>(model: M, seed: u64, gain: f64) -> M {
    normal(model, seed, gain, |inputs, outputs| {
        (2.0 / (inputs + outputs)).sqrt()
    })
}

/// Returns `model` with normal weights of the standard deviation `gain · unit(inputs, outputs)`.
fn normal<M: Module>(model: M, seed: u64, gain: f64, deviation: fn(f64, f64) -> f64) -> M {
    model.map(&mut Normal {
        generator: Xoshiro256PlusPlus::seed_from_u64(seed),
        gain,
        deviation,
        names: Vec::new(),
    })
}

/// The weights of one network, in order.
struct Normal {
    generator: Xoshiro256PlusPlus,
    gain: f64,
    /// The standard deviation for a gain of 1, of the inputs to each output and of the outputs
    /// that each input reaches.
    deviation: fn(f64, f64) -> f64,
    names: Vec<String>,
}

impl Normal {
    /// Returns a number of N(0,1), by Box and Muller.
    fn normal(&mut self) -> f64 {
        // 1 − u is above 0, so that its logarithm is finite.
        let radius = (-2.0 * (1.0 - unit(self.generator.next_u64())).ln()).sqrt();
        radius * (TAU * unit(self.generator.next_u64())).cos()
    }
}

impl ModuleMapper for Normal {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let tensor = param.val();
        let is_bias = self.names.last().is_some_and(|name| name == "bias");
        if D < 2 && !is_bias {
            return param;
        }
        let shape = tensor.dims();
        let (inputs, outputs): (usize, usize) = match D {
            ..2 => (1, 1),
            2 => (shape[0], shape[1]),
            _ => {
                let kernel: usize = shape[2..].iter().product();
                (shape[1] * kernel, shape[0] * kernel)
            }
        };
        let deviation = if D < 2 {
            0.0
        } else {
            self.gain * (self.deviation)(inputs as f64, outputs as f64)
        };
        let values: Vec<f64> = (0..shape.iter().product())
            .map(|_| deviation * self.normal())
            .collect();
        param.map(|tensor| {
            let options = (&tensor.device(), tensor.dtype());
            let drawn = Tensor::from_data(TensorData::new(values, shape), options);
            drawn.set_require_grad(tensor.is_require_grad())
        })
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.names.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.names.pop();
    }
}
