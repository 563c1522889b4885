//! Norms and products of gradients whose squares leave the range of their type.
//!
//! The squares of float32 entries leave its range beyond 1e19 and below 1e-23, where a gradient of
//! a scaled loss may well be. So every tensor is divided by its largest entry before it is squared
//! and summed on its device, and the sums meet on the host in float64.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, FloatDType, Tensor, Transaction};

use super::{Norm, Question};
use crate::module::Once;

/// Returns `‖g‖` and `‖T g‖`, the latter over the parameters that the ascent moves.
pub(crate) fn norms<M: Module>(
    model: &M,
    gradients: &GradientsParams,
    question: &Question<'_>,
) -> (Norm, Norm) {
    let mut parts = Parts {
        gradients,
        question,
        reads: Transaction::default(),
        ascents: Vec::new(),
        once: Once::default(),
    };
    model.visit(&mut parts);
    // One (largest, sum) pair for each tensor, two where a scale makes T g differ from g.
    let mut read = parts.reads.execute().into_iter().map(|data| {
        let mut pair = data.iter::<f64>();
        let mut number = || pair.next().expect("a read is a pair of numbers");
        (number(), number())
    });
    let mut next = || read.next().expect("each part has been read");
    let (mut plain, mut ascent) = (Vec::new(), Vec::new());
    for part in parts.ascents {
        let pair = next();
        plain.push(pair);
        match part {
            Part::Outside => {}
            Part::Plain => ascent.push(pair),
            Part::Scaled => ascent.push(next()),
        }
    }
    (Norm::combine(&plain), Norm::combine(&ascent))
}

/// The part that a parameter has in the ascent.
enum Part {
    Outside,
    Plain,
    Scaled,
}

struct Parts<'a> {
    gradients: &'a GradientsParams,
    question: &'a Question<'a>,
    reads: Transaction,
    ascents: Vec<Part>,
    once: Once,
}

impl Parts<'_> {
    fn read<const D: usize>(&mut self, tensor: Tensor<D>) {
        let reads = std::mem::take(&mut self.reads);
        self.reads = reads.register(largest_and_sum(tensor));
    }
}

impl ModuleVisitor for Parts<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.once.gradient(self.gradients, param) else {
            return;
        };
        // Nothing has no largest entry, and adds none.
        if gradient.shape().num_elements() == 0 {
            return;
        }
        self.read(gradient.clone());
        let part = if !self.question.moves(param.id) {
            Part::Outside
        } else if let Some(scale) = self.question.scale.of(&param.base().inner()) {
            let device = scale.device();
            self.read(scale * gradient.to_device(&device));
            Part::Scaled
        } else {
            Part::Plain
        };
        self.ascents.push(part);
    }
}

/// Returns the cosine of two gradients, from their entries in units of the largest.
pub(crate) fn cosine<M: Module>(
    model: &M,
    (x, x_norm): (&GradientsParams, Norm),
    (y, y_norm): (&GradientsParams, Norm),
) -> f64 {
    if x_norm.is_zero() || y_norm.is_zero() {
        return 0.0;
    }
    let mut dots = Dots {
        x: (x, x_norm.largest),
        y: (y, y_norm.largest),
        reads: Transaction::default(),
        once: Once::default(),
    };
    model.visit(&mut dots);
    let read = dots.reads.execute().into_iter();
    let dot: f64 = read
        .map(|data| data.iter::<f64>().next().expect("a sum is one number"))
        .sum();
    dot / (x_norm.ratio * y_norm.ratio)
}

struct Dots<'a> {
    x: (&'a GradientsParams, f64),
    y: (&'a GradientsParams, f64),
    reads: Transaction,
    once: Once,
}

impl ModuleVisitor for Dots<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.once.is_new(param) {
            return;
        }
        let unit = |(of, largest): (&GradientsParams, f64)| {
            let gradient = of.get::<D>(param.id)?.inner();
            Some(summable(gradient.div_scalar(largest)))
        };
        if let (Some(x), Some(y)) = (unit(self.x), unit(self.y)) {
            let device = x.device();
            let reads = std::mem::take(&mut self.reads);
            self.reads = reads.register((x * y.to_device(&device)).sum());
        }
    }
}

/// Returns the largest absolute value and the sum of squares in units of it, `[2]`.
fn largest_and_sum<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    // A sum of squares of up to one each leaves the range of half precision at 65504 entries.
    let tensor = summable(tensor);
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

/// Returns the tensor in the type in which it is summed: half precision in float32.
pub(crate) fn summable<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    match tensor.dtype() {
        DType::F16 | DType::BF16 => tensor.cast(FloatDType::F32),
        _ => tensor,
    }
}
