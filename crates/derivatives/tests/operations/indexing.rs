//! Gathering, scattering, selecting and masking.

use burn::tensor::{DType, Device, IndexingUpdateOp, Int, Tensor, TensorData};

use crate::harness::{check, report};

fn matrix(x: Tensor<1>) -> Tensor<2> {
    x.reshape([3, 4])
}

fn indices<const D: usize>(values: &[i64], shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), shape),
        (device, DType::I64),
    )
}

#[test]
fn indexing() {
    report(&[
        check("select", 12, |x| {
            let device = x.device();
            matrix(x).select(1, indices(&[3, 0, 0], [3], &device))
        }),
        check("select_assign", 20, |x| {
            let device = x.device();
            let base = matrix(x.clone().slice_dim(0, 0..12));
            let values: Tensor<2> = x.slice_dim(0, 12..20).reshape([2, 4]);
            base.select_assign(
                0,
                indices(&[2, 0], [2], &device),
                values,
                IndexingUpdateOp::Add,
            )
        }),
        check("gather", 12, |x| {
            let device = x.device();
            matrix(x).gather(1, indices(&[1, 1, 0, 3, 2, 2], [3, 2], &device))
        }),
        check("scatter", 18, |x| {
            let device = x.device();
            let base = matrix(x.clone().slice_dim(0, 0..12));
            let values: Tensor<2> = x.slice_dim(0, 12..18).reshape([3, 2]);
            let index = indices(&[1, 1, 0, 3, 2, 2], [3, 2], &device);
            base.scatter(1, index, values, IndexingUpdateOp::Add)
        }),
        check("gather_nd", 12, |x| {
            let device = x.device();
            let index = indices(&[0, 1, 2, 3, 0, 1], [3, 2], &device);
            let picked: Tensor<1> = matrix(x).gather_nd(index);
            picked
        }),
        check("scatter_nd", 15, |x| {
            let device = x.device();
            let base = matrix(x.clone().slice_dim(0, 0..12));
            let values: Tensor<1> = x.slice_dim(0, 12..15);
            let index = indices(&[0, 1, 2, 3, 0, 1], [3, 2], &device);
            base.scatter_nd(index, values, IndexingUpdateOp::Add)
        }),
        check("mask_where", 24, |x| {
            let a = matrix(x.clone().slice_dim(0, 0..12));
            let b = matrix(x.slice_dim(0, 12..24));
            let mask = a.clone().greater(b.clone());
            a.mask_where(mask, b.square())
        }),
        check("mask_fill", 12, |x| {
            let m = matrix(x);
            let mask = m.clone().lower_elem(0.2);
            m.mask_fill(mask, 0.1)
        }),
        check("integers", 12, |x| {
            let m = matrix(x);
            let order = m.clone().argsort(1);
            let index = ((order.clone() + 5).clamp(1, 7) * 3 - 2) % 4;
            let wide: Tensor<2, Int> = Tensor::cat(vec![index.clone(), order.abs()], 1);
            let top = wide.clone().sort_with_indices(1).1.topk(4, 1);
            let count = wide.cumsum(1).sum_dim(1).powi_scalar(2);
            // Burn's devices differ in the integer types of indices and sums.
            let [top, count] = [top, count].map(|x| x.cast(burn::tensor::FloatDType::F64));
            m.gather(1, index) * (top + count) * 0.01
        }),
        check("booleans", 12, |x| {
            let m = matrix(x);
            let low = m.clone().lower_elem(0.5);
            let high = m.clone().greater_equal_elem(-0.5);
            let mask = low.bool_and(high.bool_not().bool_or(m.clone().equal_elem(0.3)));
            m.clone() * mask.clone().float().cast(burn::tensor::FloatDType::F64)
                + m.mask_fill(mask, 0.0)
        }),
    ]);
}
