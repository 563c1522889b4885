//! Norms of a gradient over all parameters together.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, FloatDType, Tensor, Transaction};

use crate::SharpnessAware;

/// A Euclidean norm as largest * ratio, which neither overflows nor underflows.
///
/// The squares of float32 entries leave its range beyond 1e19 and below 1e-23, where a gradient of
/// a scaled loss may well be. So every tensor is divided by its largest entry before it is squared
/// and summed on its device, and the sums meet on the host in float64.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm {
    /// The largest absolute value of all entries.
    pub(crate) largest: f64,
    /// The norm over `largest`: 1 up to the square root of the number of entries, or 0.
    pub(crate) ratio: f64,
}

impl Norm {
    pub(crate) fn value(self) -> f64 {
        self.largest * self.ratio
    }

    pub(crate) fn is_zero(self) -> bool {
        self.largest == 0.0
    }

    pub(crate) fn is_finite(self) -> bool {
        self.largest.is_finite() && self.ratio.is_finite()
    }

    /// From the largest entry of each tensor and its sum of squares in units of that.
    fn combine(parts: &[(f64, f64)]) -> Self {
        // `f64::max` would pass over a NaN.
        let largest = parts.iter().fold(0.0, |largest: f64, &(part, _)| {
            if part.is_nan() || part > largest {
                part
            } else {
                largest
            }
        });
        if largest == 0.0 {
            return Self {
                largest,
                ratio: 0.0,
            };
        }
        let sum: f64 = parts
            .iter()
            .map(|(part, sum)| (part / largest).powi(2) * sum)
            .sum();
        Self {
            largest,
            ratio: sum.sqrt(),
        }
    }
}

/// The norms that a method needs of one gradient.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norms {
    /// ||g||.
    pub(crate) gradient: Norm,
    /// ||T g||.
    pub(crate) scaled: Norm,
}

impl Norms {
    /// Both norms over all parameters that have a gradient, with one read from the device.
    pub(crate) fn of<M: Module, S: SharpnessAware>(
        method: &S,
        model: &M,
        gradients: &GradientsParams,
    ) -> Self {
        let mut parts = Parts {
            method,
            gradients,
            reads: Transaction::default(),
            is_scaled: Vec::new(),
        };
        model.visit(&mut parts);
        // One (largest, sum) pair for each tensor, two where a scale makes T g differ from g.
        let mut read = parts.reads.execute().into_iter().map(|data| {
            let mut pair = data.iter::<f64>();
            (
                pair.next().unwrap_or(f64::NAN),
                pair.next().unwrap_or(f64::NAN),
            )
        });
        let (mut plain, mut scaled) = (Vec::new(), Vec::new());
        for is_scaled in parts.is_scaled {
            let missing = (f64::NAN, f64::NAN);
            let pair = read.next().unwrap_or(missing);
            plain.push(pair);
            scaled.push(if is_scaled {
                read.next().unwrap_or(missing)
            } else {
                pair
            });
        }
        Self {
            gradient: Norm::combine(&plain),
            scaled: Norm::combine(&scaled),
        }
    }
}

struct Parts<'a, S> {
    method: &'a S,
    gradients: &'a GradientsParams,
    reads: Transaction,
    is_scaled: Vec<bool>,
}

impl<S> Parts<'_, S> {
    fn read<const D: usize>(&mut self, tensor: Tensor<D>) {
        let reads = std::mem::take(&mut self.reads);
        self.reads = reads.register(largest_and_sum(tensor));
    }
}

impl<S: SharpnessAware> ModuleVisitor for Parts<'_, S> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.get::<D>(param.id) else {
            return;
        };
        let gradient = gradient.inner();
        let scale = self.method.scale(&param.base().inner());
        self.is_scaled.push(scale.is_some());
        self.read(gradient.clone());
        if let Some(scale) = scale {
            let device = scale.device();
            self.read(scale * gradient.to_device(&device));
        }
    }
}

/// `[2]`: the largest absolute value, and the sum of squares in units of it.
fn largest_and_sum<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    // A sum of squares of up to one each leaves the range of half precision at 65504 entries.
    let tensor = match tensor.dtype() {
        DType::F16 | DType::BF16 => tensor.cast(FloatDType::F32),
        _ => tensor,
    };
    let entries = tensor.shape().num_elements();
    let flat: Tensor<1> = tensor.reshape([entries]);
    let largest = flat.clone().abs().max();
    let is_zero = largest.clone().equal_scalar(0.0);
    let sum = flat
        .div(largest.clone().mask_fill(is_zero, 1.0))
        .square()
        .sum();
    Tensor::cat(vec![largest, sum], 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norm_combines_parts_of_very_different_size() {
        // 3e-200 and 4e-200 beside 0: the squares underflow even in float64.
        let norm = Norm::combine(&[(3e-200, 1.0), (4e-200, 1.0), (0.0, 0.0)]);
        assert!((norm.value() / 5e-200 - 1.0).abs() < 1e-15);
    }

    #[test]
    fn norm_of_a_nan_is_not_finite_and_of_nothing_is_zero() {
        assert!(!Norm::combine(&[(f64::NAN, f64::NAN), (1.0, 1.0)]).is_finite());
        assert!(!Norm::combine(&[(1.0, 1.0), (f64::INFINITY, f64::NAN)]).is_finite());
        assert!(Norm::combine(&[]).is_zero());
    }
}
