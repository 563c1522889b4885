//! Norms of a gradient over all parameters together, and its angle with another.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor, Transaction};

use crate::vectors::summable;
use crate::{Scale, careful};

/// A Euclidean norm as largest * ratio, which neither overflows nor underflows.
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

    /// From a sum of squares that is neither zero nor out of range.
    fn of_squares(sum: f64) -> Self {
        Self {
            largest: 1.0,
            ratio: sum.sqrt(),
        }
    }

    /// Whether it was taken without care for its range.
    #[expect(clippy::float_cmp, reason = "exactly one, as `of_squares` sets it")]
    fn is_plain(self) -> bool {
        self.largest == 1.0
    }

    pub(crate) fn is_zero(self) -> bool {
        self.largest == 0.0
    }

    pub(crate) fn is_finite(self) -> bool {
        self.largest.is_finite() && self.ratio.is_finite()
    }

    /// From the largest entry of each tensor and its sum of squares in units of that.
    pub(crate) fn combine(parts: &[(f64, f64)]) -> Self {
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

/// What is asked of a gradient beside its norm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    /// T.
    pub(crate) scale: Scale,
    /// The parameters that the ascent moves; `None` for all.
    pub(crate) chosen: Option<&'a HashSet<ParamId>>,
    /// A gradient with which to take the cosine.
    pub(crate) other: Option<(&'a GradientsParams, Norm)>,
}

impl Question<'_> {
    pub(crate) fn moves(&self, id: ParamId) -> bool {
        self.chosen.is_none_or(|chosen| chosen.contains(&id))
    }
}

/// What a step needs to know of one gradient.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norms {
    /// ||g||.
    pub(crate) gradient: Norm,
    /// ||T g|| over the parameters of the ascent.
    pub(crate) ascent: Norm,
    /// The cosine with the other gradient, if there was one; 0 where one of them is zero.
    pub(crate) cosine: Option<f64>,
}

/// Squares whose sum lies between these, in float32 and in float64, have lost nothing that counts.
const SAFE: [(f64, f64); 2] = [(1e-30, 1e37), (1e-280, 1e307)];

/// Tensors of at most so many entries are summed together, in one operation for all.
const SMALL: usize = 1 << 12;

impl Norms {
    /// Everything asked, over all parameters that have a gradient, with one read from the device.
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
            is_double: true,
        };
        model.visit(&mut terms);
        let (lowest, highest) = SAFE[usize::from(terms.is_double)];
        let [plain, ascent, dot] = terms.totals();
        let is_safe = |sum: f64| (lowest..=highest).contains(&sum);
        let (gradient, ascent) = if is_safe(plain) && is_safe(ascent) {
            (Norm::of_squares(plain), Norm::of_squares(ascent))
        } else {
            careful::norms(model, gradients, question)
        };
        let cosine = question.other.map(|(other, norm)| {
            if gradient.is_plain() && norm.is_plain() {
                dot / (gradient.ratio * norm.ratio)
            } else {
                careful::cosine(model, (gradients, gradient), (other, norm))
            }
        });
        Self {
            gradient,
            ascent,
            cosine,
        }
    }
}

/// What a sum counts for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Both,
    Scaled,
    Dot,
}

/// Sums on the device, to be read together.
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

/// A flat gradient, what its squares count for, and the other gradient there.
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
    is_double: bool,
}

impl Terms<'_> {
    /// The sums of squares of g and of T g, and the inner product with the other gradient.
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
        let [mut plain, mut ascent, mut dot] = [0.0; 3];
        for (data, kind) in self.sums.reads.execute().into_iter().zip(self.sums.kinds) {
            let sum = data.iter::<f64>().next().unwrap_or(f64::NAN);
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
        let Some(gradient) = self.gradients.get::<D>(param.id) else {
            return;
        };
        let gradient = summable(gradient.inner());
        self.is_double &= gradient.dtype() == DType::F64;
        let moves = self.question.moves(param.id);
        let scale = if moves {
            self.question.scale.of(&param.base().inner())
        } else {
            None
        };
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
        let other = self.question.other.and_then(|(other, _)| {
            let other = summable(other.get::<D>(param.id)?.inner());
            Some(other.to_device(&gradient.device()).reshape([entries]))
        });
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

/// All as one, if all count for the same, on one device and in one type.
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
