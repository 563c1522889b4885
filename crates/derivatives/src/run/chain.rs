//! Entrywise steps made one step, where a device has a kernel for chains of them.
//!
//! This is below the rules of differentiation: only plans know it.

use std::collections::HashMap;

use burn::tensor::DType;
use flex_kernels::{Chain, Entrywise};

use super::step::{Step, Work};
use crate::graph::elements;
use crate::primitive::{Binary, Primitive, Reduce, Unary};

/// Returns `steps` with entrywise operations whose value only one other of the same shape uses, or
/// only the sum of all its entries, made one with it. `uses` counts for each value the steps that
/// use it, and `shape_of` gives its shape.
pub(crate) fn fused<'g>(
    steps: Vec<Step>,
    mut uses: Vec<usize>,
    shape_of: impl Fn(usize) -> Option<&'g [usize]>,
) -> Vec<Step> {
    // For each value that a chain makes, where in `found`.
    let mut makers: HashMap<usize, usize> = HashMap::new();
    let mut found: Vec<Option<Step>> = Vec::with_capacity(steps.len());
    for mut step in steps {
        if let Some((mut chain, names)) = chain_of(&step, &shape_of) {
            step.inputs = names;
            let mut at = 0;
            while at < step.inputs.len() {
                let maker = makers.get(&step.inputs[at]).copied();
                let inner = maker.and_then(|maker| found[maker].as_ref());
                let longer = inner.and_then(|inner| match &inner.work {
                    Work::Many(made) if uses[inner.out] == 1 && inner.shape == step.shape => {
                        chain.absorb(&step.inputs, at, made, &inner.inputs)
                    }
                    _ => None,
                });
                let (Some((longer, names)), Some(maker)) = (longer, maker) else {
                    at += 1;
                    continue;
                };
                // What both used has one use less.
                let inner = found[maker].take();
                for input in inner.expect("a chain that was looked at").inputs {
                    uses[input] -= usize::from(step.inputs.contains(&input));
                }
                (chain, step.inputs) = (longer, names);
                at = 0;
            }
            let inputs = std::mem::take(&mut step.inputs);
            step.take(inputs);
            step.work = Work::Many(chain);
            makers.insert(step.out, found.len());
        } else if is_whole_sum(&step)
            && let Some(&maker) = makers.get(&step.inputs[0])
            && uses[step.inputs[0]] == 1
        {
            let inner = found[maker].take();
            let inner = inner.expect("a chain whose value is used is no part of another");
            let Work::Many(chain) = inner.work else {
                unreachable!("`makers` has chains only");
            };
            step.work = Work::Sum(chain, inner.shape);
            step.take(inner.inputs);
        }
        found.push(Some(step));
    }
    found.into_iter().flatten().collect()
}

fn is_whole_sum(step: &Step) -> bool {
    let is_sum = matches!(step.work, Work::One(Primitive::Reduce(Reduce::Sum)));
    is_sum && step.dtype.is_float() && elements(&step.shape) == 1
}

/// Returns the step alone as a chain, and the names of its inputs.
fn chain_of<'g>(
    step: &Step,
    shape_of: &impl Fn(usize) -> Option<&'g [usize]>,
) -> Option<(Chain, Vec<usize>)> {
    let Work::One(primitive) = &step.work else {
        return None;
    };
    // Kernels are for the two types that a program differentiates in.
    if !matches!(step.dtype, DType::F32 | DType::F64) {
        return None;
    }
    let operation = entrywise(primitive)?;
    let inputs = step.inputs.iter();
    let inputs = inputs.map(|&input| Some((input, shape_of(input)?)));
    Chain::of(operation, &inputs.collect::<Option<Vec<_>>>()?, &step.shape)
}

/// Returns the operation of a kernel that does what a primitive does, if there is one.
const fn entrywise(primitive: &Primitive) -> Option<Entrywise> {
    Some(match primitive {
        Primitive::Unary(Unary::Scale(c)) => Entrywise::Scale(c.get()),
        Primitive::Unary(Unary::Offset(c)) => Entrywise::Offset(c.get()),
        Primitive::Unary(Unary::Recip) => Entrywise::Recip,
        Primitive::Unary(Unary::Relu) => Entrywise::Relu,
        Primitive::Unary(Unary::Step) => Entrywise::Step,
        Primitive::Unary(Unary::Exp) => Entrywise::Exp,
        Primitive::Unary(Unary::Tanh) => Entrywise::Tanh,
        Primitive::Unary(Unary::Sigmoid) => Entrywise::Sigmoid,
        Primitive::Unary(Unary::Erf) => Entrywise::Erf,
        Primitive::Binary(Binary::Add) => Entrywise::Add,
        Primitive::Binary(Binary::Sub) => Entrywise::Sub,
        Primitive::Binary(Binary::Mul) => Entrywise::Mul,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, Tensor, TensorData};

    use burn_dispatch::DispatchTensor;
    use flex_kernels::Repeat;

    use super::*;
    use crate::graph::Real;
    use crate::primitive::{Site, upload};

    const SHAPE: [usize; 3] = [5, 7, 31];

    /// relu((x y + b) / 3) (c - step(x)) x x, where b repeats along two axes and c along two
    /// others.
    fn chain() -> Chain {
        let whole: &[usize] = &SHAPE;
        let single = |primitive: Primitive, inputs: &[(usize, &[usize])]| {
            let operation = entrywise(&primitive).expect("an entrywise operation");
            Chain::of(operation, inputs, &SHAPE).expect("inputs that a kernel reads")
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

    /// Returns the value, operation by operation, by Burn's own.
    fn by_burn(chain: &Chain, inputs: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor {
        let mut values = inputs;
        for link in &chain.links {
            let primitive: Primitive = match link.operation {
                Entrywise::Scale(c) => Unary::Scale(Real::new(c)).into(),
                Entrywise::Offset(c) => Unary::Offset(Real::new(c)).into(),
                Entrywise::Recip => Unary::Recip.into(),
                Entrywise::Relu => Unary::Relu.into(),
                Entrywise::Step => Unary::Step.into(),
                Entrywise::Exp => Unary::Exp.into(),
                Entrywise::Tanh => Unary::Tanh.into(),
                Entrywise::Sigmoid => Unary::Sigmoid.into(),
                Entrywise::Erf => Unary::Erf.into(),
                Entrywise::Add => Binary::Add.into(),
                Entrywise::Sub => Binary::Sub.into(),
                Entrywise::Mul => Binary::Mul.into(),
            };
            let arguments = link.arguments.iter().map(|&at| values[at].clone());
            let value = primitive.evaluate(arguments.collect(), at);
            values.push(value.expect("an operation has a value"));
        }
        values.pop().expect("a chain has a link")
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
            let expected = data(by_burn(&chain, inputs(), &site));
            let shared = inputs();
            let beside =
                flex_kernels::chain(&chain, shared.clone(), &SHAPE, dtype).expect("a value");
            assert_eq!(data(beside), expected);
            drop(shared);
            let over = flex_kernels::chain(&chain, inputs(), &SHAPE, dtype).expect("a value");
            assert_eq!(data(over), expected);
            let sum = flex_kernels::chain_sum(&chain, inputs(), &SHAPE, &[1, 1, 1], dtype)
                .expect("a sum");
            let sum = data(sum).iter::<f64>().next().expect("a number");
            let terms: Vec<f64> = expected.iter::<f64>().collect();
            // Up to 1085 roundings, which are of both signs, of terms of the size of their sum of
            // sizes.
            let size: f64 = terms.iter().map(|term| term.abs()).sum();
            let unit = if dtype == DType::F32 { 6e-8 } else { 1.1e-16 };
            let gap = (sum - terms.iter().sum::<f64>()).abs();
            assert!(gap <= 40.0 * unit * size, "{gap} of {size}");
        }
    }

    #[test]
    fn elementary_functions_are_burns_in_f64_and_near_them_in_f32() {
        let device = Device::flex();
        for dtype in [DType::F32, DType::F64] {
            let numbers: Vec<f64> = (0..1085).map(|i| f64::from(i) * 0.01 - 5.0).collect();
            let data = TensorData::new(numbers, SHAPE.to_vec()).convert_dtype(dtype);
            let site = Site {
                shape: &SHAPE,
                dtype,
                device: device.as_dispatch(),
            };
            for function in [Unary::Exp, Unary::Tanh, Unary::Sigmoid, Unary::Erf] {
                let operation = entrywise(&function.into()).expect("an entrywise operation");
                let chain = Chain::of(operation, &[(0, &SHAPE)], &SHAPE);
                let (chain, _) = chain.expect("an input that a kernel reads");
                let input = || vec![upload(data.clone(), device.as_dispatch())];
                let data = |value| Tensor::<3>::from_dispatch(value).into_data();
                let expected = data(by_burn(&chain, input(), &site));
                let found = flex_kernels::chain(&chain, input(), &SHAPE, dtype).expect("a value");
                let found = data(found);
                if dtype == DType::F64 {
                    assert_eq!(found, expected, "{function:?}");
                }
                for (found, expected) in found.iter::<f64>().zip(expected.iter::<f64>()) {
                    let gap = (found - expected).abs();
                    assert!(
                        gap <= 4e-7 * expected.abs(),
                        "{function:?} {found} {expected}"
                    );
                }
            }
        }
    }
}
