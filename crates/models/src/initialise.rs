//! Initial weights drawn on the host.
//!
//! Weights and biases of a layer with n inputs to each output (`fan in`: the features of a linear
//! layer, channels times kernel of a convolution) are uniform in `[−1/√n, 1/√n)`. That is the
//! default of both PyTorch (Kaiming uniform with `a = √5` for the weight, the same bound for the
//! bias) and Burn (Kaiming uniform with gain `1/√3`). The values are not PyTorch's: its generator
//! and its order of drawing differ.
//!
//! One stream of xoshiro256++ runs through the layers in the order of the forward pass, the weight
//! before the bias, each row by row in Burn's layout. A value is the upper 53 bits of a word, so
//! f32 and f64 weights of one seed are the same numbers up to rounding.
//!
//! # References
//! He, Zhang, Ren, Sun (2015), "Delving deep into rectifiers", section 2.2.

use burn::module::{Param, RunningState};
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear};
use burn::tensor::{Device, Shape, Tensor, TensorCreationOptions, TensorData};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// The generator of the layers of one network, in order.
pub(crate) struct Initialiser {
    generator: Xoshiro256PlusPlus,
    options: TensorCreationOptions,
}

impl Initialiser {
    pub(crate) fn new(seed: u64, options: TensorCreationOptions) -> Self {
        Self {
            generator: Xoshiro256PlusPlus::seed_from_u64(seed),
            options,
        }
    }

    /// Returns the device of the layers.
    pub(crate) fn device(&self) -> Device {
        self.options.device.clone()
    }

    /// Returns `layer` with drawn weights. Its own, never used, are not drawn: Burn draws a weight
    /// when it is first read.
    pub(crate) fn linear(&mut self, layer: Linear) -> Linear {
        let fan_in = layer.weight.lazy_shape()[0];
        let weight = self.uniform(layer.weight.lazy_shape(), fan_in);
        let bias = layer
            .bias
            .map(|bias| self.uniform(bias.lazy_shape(), fan_in));
        Linear { weight, bias }
    }

    /// As [`linear`](Self::linear), for a convolution.
    pub(crate) fn conv(&mut self, layer: Conv2d) -> Conv2d {
        let shape = layer.weight.lazy_shape();
        let fan_in = shape[1] * shape[2] * shape[3];
        let weight = self.uniform(shape, fan_in);
        let bias = layer
            .bias
            .as_ref()
            .map(|bias| self.uniform(bias.lazy_shape(), fan_in));
        Conv2d {
            weight,
            bias,
            ..layer
        }
    }

    /// Returns `layer` in the float type asked for. Nothing of a norm is drawn: gain 1, shift 0,
    /// mean 0, variance 1.
    pub(crate) fn norm(&self, layer: BatchNorm) -> BatchNorm {
        let channels = layer.gamma.lazy_shape();
        let zeros = || Tensor::zeros(channels.clone(), self.options.clone());
        let ones = || Tensor::ones(channels.clone(), self.options.clone());
        BatchNorm {
            gamma: Param::from_tensor(ones()),
            beta: Param::from_tensor(zeros()),
            running_mean: RunningState::new(zeros()),
            running_var: RunningState::new(ones()),
            ..layer
        }
    }

    fn uniform<const D: usize>(&mut self, shape: Shape, fan_in: usize) -> Param<Tensor<D>> {
        let bound = 1.0 / (fan_in as f64).sqrt();
        let values: Vec<f64> = (0..shape.num_elements())
            .map(|_| bound * (2.0 * unit(self.generator.next_u64()) - 1.0))
            .collect();
        Param::from_tensor(Tensor::from_data(
            TensorData::new(values, shape),
            self.options.clone(),
        ))
    }
}

/// Returns the upper 53 bits as a number in `[0, 1)`, exact in f64.
pub(crate) fn unit(word: u64) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
    (word >> 11) as f64 * STEP
}
