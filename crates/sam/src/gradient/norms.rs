//! The norms of a gradient over all parameters together, and its angle with another.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor, Transaction};

use super::scaled_norms::{self, summable};
use super::{Norm, Question};
use crate::kernel;
use crate::module::Once;

/// The norms of one gradient, and its angle with another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norms {
    /// The norm `‖g‖`.
    pub(crate) gradient: Norm,
    /// The norm `‖T g‖` over the parameters that the ascent moves.
    pub(crate) ascent: Norm,
    /// The cosine with the other gradient, if there was one; 0 where one of them is zero.
    pub(crate) cosine: Option<f64>,
}

/// The sums of squares, in float32 and in float64, between which no digits that count have been
/// lost.
const SAFE: [(f64, f64); 2] = [(1e-30, 1e37), (1e-280, 1e307)];

/// The largest tensors that are summed together, in one operation for all; in entries.
const SMALL: usize = 1 << 12;

impl Norms {
    /// Computes what is asked, over all parameters that have a gradient, with one read from the
    /// device.
    pub(crate) fn of<M: Module>(
        model: &M,
        gradients: &GradientsParams,
        question: &Question<'_>,
    ) -> Self {
        let mut terms = Terms {
            gradients,
            question,
            small: Vec::new(),
            sums: Sums::default(),
            totals: [0.0; 3],
            is_double: true,
            once: Once::default(),
        };
        model.visit(&mut terms);
        let (lowest, highest) = SAFE[usize::from(terms.is_double)];
        let [plain, ascent, dot] = terms.totals();
        let is_safe = |sum: f64| (lowest..=highest).contains(&sum);
        let (gradient, ascent) = if is_safe(plain) && is_safe(ascent) {
            (Norm::of_squares(plain), Norm::of_squares(ascent))
        } else {
            scaled_norms::norms(model, gradients, question)
        };
        let cosine = question.other.map(|(other, norm)| {
            if gradient.is_plain() && norm.is_plain() {
                dot / (gradient.ratio * norm.ratio)
            } else {
                scaled_norms::cosine(model, (gradients, gradient), (other, norm))
            }
        });
        Self {
            gradient,
            ascent,
            cosine,
        }
    }
}

/// The quantities to which a sum is added.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Both,
    Scaled,
    Dot,
}

/// The sums on the device, which are read together.
#[derive(Default)]
struct Sums {
    reads: Transaction,
    kinds: Vec<Kind>,
}

impl Sums {
    fn add(&mut self, terms: Tensor<1>, kind: Kind) {
        let reads = std::mem::take(&mut self.reads);
        self.reads = reads.register(terms.sum());
        self.kinds.push(kind);
    }
}

/// A small gradient, flat, with the quantities that its squares are added to and the other
/// gradient.
struct Small {
    gradient: Tensor<1>,
    kind: Kind,
    other: Option<Tensor<1>>,
}

struct Terms<'a> {
    gradients: &'a GradientsParams,
    question: &'a Question<'a>,
    small: Vec<Small>,
    sums: Sums,
    /// The sums that were made on the host.
    totals: [f64; 3],
    is_double: bool,
    once: Once,
}

impl Terms<'_> {
    /// Returns the sums of squares of g and of T g, and the inner product with the other gradient.
    fn totals(mut self) -> [f64; 3] {
        for Small {
            gradient,
            kind,
            other,
        } in together(self.small)
        {
            if let Some(other) = other {
                self.sums.add(gradient.clone() * other, Kind::Dot);
            }
            self.sums.add(gradient.square(), kind);
        }
        let [mut plain, mut ascent, mut dot] = self.totals;
        for (data, kind) in self.sums.reads.execute().into_iter().zip(self.sums.kinds) {
            let sum = data.iter::<f64>().next().expect("a sum is one number");
            match kind {
                Kind::Plain => plain += sum,
                Kind::Both => {
                    plain += sum;
                    ascent += sum;
                }
                Kind::Scaled => ascent += sum,
                Kind::Dot => dot += sum,
            }
        }
        [plain, ascent, dot]
    }
}

impl ModuleVisitor for Terms<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.once.gradient(self.gradients, param) else {
            return;
        };
        let gradient = summable(gradient);
        self.is_double &= gradient.dtype() == DType::F64;
        let moves = self.question.moves(param.id);
        let eta = self.question.scale.eta::<D>().filter(|_| moves);
        let weight = eta.map(|_| param.base().inner());
        let other = self.question.other.and_then(|(other, _)| {
            let other = summable(other.get::<D>(param.id)?.inner());
            Some(other.to_device(&gradient.device()))
        });
        let scale = weight.as_ref().zip(eta);
        if let Some(sums) = kernel::sums(&gradient, scale, other.as_ref()) {
            let [plain, ascent, dot] = &mut self.totals;
            *plain += sums.plain;
            *ascent += if moves { sums.scaled } else { 0.0 };
            *dot += sums.dot;
            return;
        }
        let scale = weight.and_then(|weight| self.question.scale.of(&weight));
        let kind = if moves && scale.is_none() {
            Kind::Both
        } else {
            Kind::Plain
        };
        let entries = gradient.shape().num_elements();
        if let Some(scale) = scale {
            let device = scale.device();
            let scaled = summable(scale) * gradient.clone().to_device(&device);
            self.sums
                .add(scaled.reshape([entries]).square(), Kind::Scaled);
        }
        let other = other.map(|other| other.reshape([entries]));
        let gradient = gradient.reshape([entries]);
        if entries <= SMALL {
            self.small.push(Small {
                gradient,
                kind,
                other,
            });
            return;
        }
        if let Some(other) = other {
            self.sums.add(gradient.clone() * other, Kind::Dot);
        }
        self.sums.add(gradient.square(), kind);
    }
}

/// Joins all into one, if all are added to the same quantities, on one device and in one type.
fn together(small: Vec<Small>) -> Vec<Small> {
    let Some(first) = small.first() else {
        return small;
    };
    let key = |small: &Small| {
        let tensor = &small.gradient;
        (
            small.kind,
            small.other.is_some(),
            tensor.dtype(),
            tensor.device(),
        )
    };
    let of_first = key(first);
    if small.len() == 1 || small.iter().any(|small| key(small) != of_first) {
        return small;
    }
    let (mut gradients, mut others) = (Vec::new(), Vec::new());
    for each in small {
        gradients.push(each.gradient);
        others.extend(each.other);
    }
    vec![Small {
        gradient: Tensor::cat(gradients, 0),
        kind: of_first.0,
        other: (!others.is_empty()).then(|| Tensor::cat(others, 0)),
    }]
}
