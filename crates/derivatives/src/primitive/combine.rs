//! A tensor plus multiples of others: $c + \sum_i s_i t_i$, perhaps followed by a ReLU.
//!
//! The inputs are c, the terms $t_i$, all of the node's shape, and the numbers $s_i$, each of shape
//! `[1]`. Programs on a plane are made of it ([`on_plane`](crate::transform::on_plane)); those are
//! evaluated and not transformed again, so it has no derivative.

use burn_backend::ops::{ActivationOps, FloatTensorOps};
use burn_dispatch::{Dispatch, DispatchTensor};

use super::{Rules, Site, Stack};
use crate::graph::{Graph, NodeId};

/// A sum of multiples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Combine {
    /// Whether what is negative becomes zero.
    pub(crate) relu: bool,
}

impl Graph {
    /// `base` plus each of `terms` times the number beside it.
    pub(crate) fn combine(
        &mut self,
        base: NodeId,
        terms: &[(NodeId, NodeId)],
        relu: bool,
    ) -> NodeId {
        let (shape, dtype) = (self.shape(base).to_vec(), self.dtype(base));
        let mut inputs = vec![base];
        inputs.extend(terms.iter().map(|&(term, _)| term));
        // Coordinates have the float type of the parameters, a part of the loss may have another.
        let factors = terms.iter().map(|&(_, factor)| factor);
        inputs.extend(factors.map(|factor| self.cast(factor, dtype)));
        self.insert(Combine { relu }, inputs, shape, dtype)
    }
}

impl Rules for Combine {
    fn evaluate(&self, mut terms: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor {
        let factors = terms.split_off(1 + terms.len() / 2);
        let base = terms.remove(0);
        flex_kernels::combine(&base, &terms, &factors, self.relu, at.shape)
            .unwrap_or_else(|| self.generic(base, terms, factors, at))
    }

    fn jvp(
        &self,
        _graph: &mut Graph,
        _inputs: &[NodeId],
        _out: NodeId,
        _tangents: &[Option<NodeId>],
    ) -> Option<NodeId> {
        unreachable!("a program on a plane is not differentiated")
    }

    fn batch(&self, _graph: &mut Graph, _stack: &Stack<'_>) -> NodeId {
        unreachable!("a program on a plane is not batched")
    }
}

impl Combine {
    /// Without a kernel of our own.
    fn generic(
        self,
        base: DispatchTensor,
        terms: Vec<DispatchTensor>,
        factors: Vec<DispatchTensor>,
        at: &Site<'_>,
    ) -> DispatchTensor {
        let mut sum = base;
        for (term, factor) in terms.into_iter().zip(factors) {
            let factor = Dispatch::float_reshape(factor, vec![1; at.shape.len()].into());
            sum = Dispatch::float_add(sum, Dispatch::float_mul(term, factor));
        }
        if self.relu { Dispatch::relu(sum) } else { sum }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, Tensor, TensorData};

    use super::*;

    fn bits(tensor: DispatchTensor) -> Vec<u64> {
        Tensor::<2>::from_dispatch(tensor)
            .into_data()
            .iter::<f64>()
            .map(f64::to_bits)
            .collect()
    }

    #[test]
    fn kernel_and_generic_path_are_equal_bit_for_bit() {
        let device = Device::flex();
        for dtype in [DType::F32, DType::F64] {
            let upload = |values: Vec<f64>, shape: &[usize]| {
                let data = TensorData::new(values, shape.to_vec()).convert_dtype(dtype);
                super::super::upload(data, device.as_dispatch())
            };
            let matrix = |seed: f64| {
                let mut values: Vec<f64> = (0..12).map(|i| (seed * f64::from(i)).sin()).collect();
                (values[3], values[5]) = (f64::NAN, f64::INFINITY);
                upload(values, &[3, 4])
            };
            // The base as a view that is not contiguous.
            let base = Dispatch::float_transpose(upload((0..12).map(f64::from).collect(), &[4, 3]));
            let site = Site {
                shape: &[3, 4],
                dtype,
                device: device.as_dispatch(),
            };
            for count in [1, 2] {
                let terms: Vec<_> = [1.0, 2.0][..count].iter().map(|&s| matrix(s)).collect();
                let factors: Vec<_> = [0.3, -7.0][..count]
                    .iter()
                    .map(|&s| upload(vec![s], &[1]))
                    .collect();
                for relu in [false, true] {
                    let own = flex_kernels::combine(&base, &terms, &factors, relu, site.shape);
                    let generic = Combine { relu }.generic(
                        base.clone(),
                        terms.clone(),
                        factors.clone(),
                        &site,
                    );
                    assert_eq!(bits(own.expect("a kernel")), bits(generic));
                }
            }
        }
    }
}
