//! Chains of entrywise operations as one, which makes one pass over memory.
//!
//! Each operation alone reads and writes whole tensors, and for those the cache is too small long
//! before the arithmetic counts. This is below the rules of differentiation: only plans know it.

use crate::graph::elements;
use crate::primitive::{Binary, Primitive, Unary};

/// More inputs or operations than this do not fit the innermost cache together.
const MOST: usize = 16;

/// Where entry `i` of a result finds its entry of an input whose axes of length 1 are repeated:
/// at `i / run % len`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeat {
    pub(crate) run: usize,
    pub(crate) len: usize,
}

impl Repeat {
    /// `None` where the axes that are not repeated do not stand together.
    fn of(input: &[usize], shape: &[usize]) -> Option<Self> {
        let kept = |axis: &usize| input[*axis] == shape[*axis] && shape[*axis] != 1;
        let axes: Vec<usize> = (0..shape.len()).filter(kept).collect();
        let (Some(&first), Some(&last)) = (axes.first(), axes.last()) else {
            return Some(Self { run: 1, len: 1 });
        };
        let together = (first..=last).all(|axis| input[axis] == shape[axis]);
        together.then(|| Self {
            run: elements(&shape[last + 1..]),
            len: elements(&shape[first..=last]),
        })
    }
}

/// An operation on earlier values: first come the inputs of the chain, then its results.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) primitive: Primitive,
    pub(crate) arguments: Vec<usize>,
}

/// See the [module](self). The last result is the value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chain {
    pub(crate) inputs: Vec<Repeat>,
    pub(crate) links: Vec<Link>,
}

/// Whether kernels have this operation.
const fn has_kernel(primitive: &Primitive) -> bool {
    matches!(
        primitive,
        Primitive::Unary(
            Unary::Scale(_) | Unary::Offset(_) | Unary::Recip | Unary::Relu | Unary::Step
        ) | Primitive::Binary(Binary::Add | Binary::Sub | Binary::Mul)
    )
}

impl Chain {
    /// One operation on `inputs`, which have a name and a shape each, as a chain if it can be part of
    /// one; and the names of the chain's inputs, each once.
    pub(crate) fn of(
        primitive: &Primitive,
        inputs: &[(usize, &[usize])],
        shape: &[usize],
    ) -> Option<(Self, Vec<usize>)> {
        if !has_kernel(primitive) {
            return None;
        }
        let mut chain = Self::default();
        let mut names: Vec<usize> = Vec::new();
        let mut arguments = Vec::with_capacity(inputs.len());
        for (name, input) in inputs {
            let known = names.iter().position(|known| known == name);
            arguments.push(known.unwrap_or(names.len()));
            if known.is_none() {
                names.push(*name);
                chain.inputs.push(Repeat::of(input, shape)?);
            }
        }
        chain.links.push(Link {
            primitive: primitive.clone(),
            arguments,
        });
        Some((chain, names))
    }

    /// This chain with its input `at` computed by `inner`, if that is not too long. `names` are the
    /// inputs of this one and `inner_names` those of the other; equal names are one input. The result
    /// comes with its inputs.
    pub(crate) fn absorb(
        &self,
        names: &[usize],
        at: usize,
        inner: &Self,
        inner_names: &[usize],
    ) -> Option<(Self, Vec<usize>)> {
        let mut all: Vec<usize> = Vec::new();
        let mut chain = Self::default();
        let kept = names.iter().zip(&self.inputs).enumerate();
        let kept = kept
            .filter(|(place, _)| *place != at)
            .map(|(_, input)| input);
        for (&name, &repeat) in kept.chain(inner_names.iter().zip(&inner.inputs)) {
            if !all.contains(&name) {
                all.push(name);
                chain.inputs.push(repeat);
            }
        }
        let count = all.len();
        if count + inner.links.len() + self.links.len() > MOST {
            return None;
        }
        let place = |name: &usize| all.iter().position(|known| known == name);
        for link in &inner.links {
            chain.links.push(link.moved(
                |argument| match argument.checked_sub(inner_names.len()) {
                    Some(link) => count + link,
                    None => place(&inner_names[argument]).unwrap_or(0),
                },
            ));
        }
        let computed = count + inner.links.len() - 1;
        for link in &self.links {
            chain.links.push(
                link.moved(|argument| match argument.checked_sub(names.len()) {
                    Some(link) => computed + 1 + link,
                    None if argument == at => computed,
                    None => place(&names[argument]).unwrap_or(0),
                }),
            );
        }
        Some((chain, all))
    }

    /// The value, operation by operation: what the kernel is compared with.
    #[cfg(any(test, not(feature = "flex")))]
    pub(crate) fn evaluate(
        &self,
        inputs: Vec<burn_dispatch::DispatchTensor>,
        at: &crate::primitive::Site<'_>,
    ) -> Option<burn_dispatch::DispatchTensor> {
        let mut values = inputs;
        for link in &self.links {
            let arguments = link.arguments.iter();
            let arguments = arguments
                .map(|&argument| values[argument].clone())
                .collect();
            values.push(link.primitive.evaluate(arguments, at)?);
        }
        values.pop()
    }
}

impl Link {
    fn moved(&self, to: impl Fn(usize) -> usize) -> Self {
        Self {
            primitive: self.primitive.clone(),
            arguments: self
                .arguments
                .iter()
                .map(|&argument| to(argument))
                .collect(),
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::tensor::{DType, Device, Tensor, TensorData};

    use super::*;
    use crate::graph::Real;
    use crate::kernel;
    use crate::primitive::{Site, upload};

    const SHAPE: [usize; 3] = [5, 7, 31];

    /// relu((x y + b) / 3) (c - step(x)) x x, where b repeats along two axes and c along two others.
    fn chain() -> Chain {
        let whole: &[usize] = &SHAPE;
        let single = |primitive: Primitive, inputs: &[(usize, &[usize])]| {
            Chain::of(&primitive, inputs, &SHAPE).expect("an entrywise operation")
        };
        let then = |outer: (Chain, Vec<usize>), name: usize, inner: (Chain, Vec<usize>)| {
            let at = outer
                .1
                .iter()
                .position(|&known| known == name)
                .expect("an input");
            let chain = outer.0.absorb(&outer.1, at, &inner.0, &inner.1);
            chain.expect("a short chain")
        };
        let (x, y, b, c) = (0, 1, 2, 3);
        let product = single(Binary::Mul.into(), &[(x, whole), (y, whole)]);
        let sum = single(Binary::Add.into(), &[(4, whole), (b, &[1, 7, 1])]);
        let third = single(Unary::Scale(Real::new(1.0 / 3.0)).into(), &[(5, whole)]);
        let relu = single(Unary::Relu.into(), &[(6, whole)]);
        let left = then(relu, 6, then(third, 5, then(sum, 4, product)));
        let step = single(Unary::Step.into(), &[(x, whole)]);
        let rest = single(Binary::Sub.into(), &[(c, &[1, 1, 31]), (7, whole)]);
        let right = then(rest, 7, step);
        let square = single(Binary::Mul.into(), &[(x, whole), (x, whole)]);
        let last = single(Binary::Mul.into(), &[(8, whole), (9, whole)]);
        let last = then(then(last, 8, left), 9, right);
        let all = single(Binary::Mul.into(), &[(10, whole), (11, whole)]);
        let (chain, names) = then(then(all, 10, last), 11, square);
        assert_eq!(
            names.len(),
            4,
            "x is one input, though used often: {names:?}"
        );
        chain
    }

    #[test]
    fn axes_that_stand_apart_are_not_repeated_by_a_kernel() {
        assert_eq!(Repeat::of(&[5, 1, 31], &SHAPE), None);
        assert_eq!(
            Repeat::of(&[1, 7, 1], &SHAPE),
            Some(Repeat { run: 31, len: 7 })
        );
        assert_eq!(
            Repeat::of(&[1, 1, 1], &SHAPE),
            Some(Repeat { run: 1, len: 1 })
        );
    }

    #[test]
    fn kernel_and_generic_path_are_equal_bit_for_bit() {
        let device = Device::flex();
        for dtype in [DType::F32, DType::F64] {
            let tensor = |shape: &[usize], seed: usize| {
                let numbers = (0..elements(shape)).map(|i| ((i * 37 + seed) as f64).sin());
                let data = TensorData::new(numbers.collect::<Vec<_>>(), shape.to_vec());
                upload(data.convert_dtype(dtype), device.as_dispatch())
            };
            let site = Site {
                shape: &SHAPE,
                dtype,
                device: device.as_dispatch(),
            };
            let chain = chain();
            let inputs = || -> Vec<_> {
                let shape = |repeat: &Repeat| match *repeat {
                    Repeat { run: 31, len: 7 } => vec![1, 7, 1],
                    Repeat { run: 1, len: 31 } => vec![1, 1, 31],
                    _ => SHAPE.to_vec(),
                };
                let inputs = chain.inputs.iter().enumerate();
                inputs
                    .map(|(seed, repeat)| tensor(&shape(repeat), seed))
                    .collect()
            };
            let data = |value| Tensor::<3>::from_dispatch(value).into_data();
            let expected = data(chain.evaluate(inputs(), &site).expect("a value"));
            let shared = inputs();
            let beside = kernel::chain(&chain, shared.clone(), &site).expect("a value");
            assert_eq!(data(beside), expected);
            drop(shared);
            let over = kernel::chain(&chain, inputs(), &site).expect("a value");
            assert_eq!(data(over), expected);
            let site = Site {
                shape: &[1, 1, 1],
                ..site
            };
            let sum = kernel::chain_sum(&chain, inputs(), &SHAPE, &site).expect("a sum");
            let sum = data(sum).iter::<f64>().next().expect("a number");
            let terms: Vec<f64> = expected.iter::<f64>().collect();
            // Up to 1085 roundings, which are of both signs, of terms of the size of their sum of sizes.
            let size: f64 = terms.iter().map(|term| term.abs()).sum();
            let unit = if dtype == DType::F32 { 6e-8 } else { 1.1e-16 };
            let gap = (sum - terms.iter().sum::<f64>()).abs();
            assert!(gap <= 40.0 * unit * size, "{gap} of {size}");
        }
    }
}
