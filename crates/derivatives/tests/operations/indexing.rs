//! Gathering, scattering, selecting and masking.

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};

use super::harness::{check, report, type_of};

fn matrix(x: Tensor<1>) -> Tensor<2> {
    x.reshape([3, 4])
}

fn indices<const D: usize>(values: &[i64], shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
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
            let kind = type_of(&x);
            let m = matrix(x);
            let order = m.clone().argsort(1);
            let index = ((order.clone() + 5).clamp(1, 7) * 3 - 2) % 4;
            let wide: Tensor<2, Int> = Tensor::cat(vec![index.clone(), order.abs()], 1);
            let top = wide.clone().sort_with_indices(1).1.topk(4, 1);
            let count = wide.cumsum(1).sum_dim(1).powi_scalar(2);
            // Burn's devices differ in the integer types of indices and sums.
            let [top, count] = [top, count].map(|x| x.cast(kind));
            m.gather(1, index) * (top + count) * 0.01
        }),
        check("booleans", 12, |x| {
            let kind = type_of(&x);
            let m = matrix(x);
            let low = m.clone().lower_elem(0.5);
            let high = m.clone().greater_equal_elem(-0.5);
            let mask = low.bool_and(high.bool_not().bool_or(m.clone().equal_elem(0.3)));
            m.clone() * mask.clone().float().cast(kind) + m.mask_fill(mask, 0.0)
        }),
    ]);
}

/// Two of the values go to one place; at the others the update does nothing.
#[test]
fn scatters_with_every_update() {
    let parts = |x: Tensor<1>| -> (Tensor<2>, Tensor<2>) {
        (
            matrix(x.clone().slice_dim(0, 0..12)),
            x.slice_dim(0, 12..18).reshape([3, 2]),
        )
    };
    let unique = |device: &Device| indices(&[1, 0, 0, 3, 2, 1], [3, 2], device);
    let mut rows = Vec::new();
    for update in [
        IndexingUpdateOp::Assign,
        IndexingUpdateOp::Mul,
        IndexingUpdateOp::Min,
        IndexingUpdateOp::Max,
    ] {
        rows.push(check(&format!("scatter, {update:?}"), 18, |x| {
            let index = unique(&x.device());
            let (base, values) = parts(x);
            base.scatter(1, index, values, update)
        }));
        rows.push(check(&format!("select_assign, {update:?}"), 20, |x| {
            let index = indices(&[2, 0], [2], &x.device());
            let base = matrix(x.clone().slice_dim(0, 0..12));
            let values: Tensor<2> = x.slice_dim(0, 12..20).reshape([2, 4]);
            base.select_assign(0, index, values, update)
        }));
        rows.push(check(&format!("scatter_nd, {update:?}"), 15, |x| {
            let index = indices(&[0, 1, 2, 3, 1, 1], [3, 2], &x.device());
            let base = matrix(x.clone().slice_dim(0, 0..12));
            base.scatter_nd(index, x.slice_dim(0, 12..15), update)
        }));
    }
    report(&rows);
}

/// Burn's gradient is for indices that are unique; here it is the slope that has to be right.
#[test]
fn repeated_indices_have_the_value_of_burn_and_the_slope_of_the_value() {
    for update in [
        IndexingUpdateOp::Assign,
        IndexingUpdateOp::Mul,
        IndexingUpdateOp::Min,
        IndexingUpdateOp::Max,
    ] {
        let row = check(&format!("scatter, {update:?}, repeated"), 18, |x| {
            let index = indices(&[1, 1, 0, 0, 3, 3], [3, 2], &x.device());
            let base = matrix(x.clone().slice_dim(0, 0..12));
            let values: Tensor<2> = x.slice_dim(0, 12..18).reshape([3, 2]);
            base.scatter(1, index, values, update)
        });
        assert!(row.is_consistent(), "{row:?}");
    }
}

#[test]
fn integers_and_booleans_are_constants_of_every_operation() {
    let factor = |x: Tensor<2, Int>| x.float();
    let ordered = |m: &Tensor<2>| m.clone().argsort(1);
    let mut rows = vec![
        check("mean of integers", 12, |x| {
            let m = matrix(x);
            let order = ordered(&m) * 3 - 2;
            let mean = order.clone().mean_dim(1) + order.clone().mean().reshape([1, 1]);
            m * factor(mean)
        }),
        check("max_abs of integers", 12, |x| {
            let m = matrix(x);
            let order = ordered(&m) - 2;
            let largest = order.clone().max_abs_dim(1) + order.max_abs().reshape([1, 1]);
            m * factor(largest)
        }),
        check("powers of integers", 12, |x| {
            let m = matrix(x);
            let order = ordered(&m);
            m * factor((order.clone() - 1).powi(order)) * 0.1
        }),
        check("padded integers", 12, |x| {
            let m = matrix(x);
            let mut padded = ordered(&m).pad([(1, 0), (0, 2)], 7);
            padded = padded + ordered(&m).pad((1, 1, 1, 0), burn::tensor::ops::PadMode::Edge);
            m.repeat(&[2, 2]).slice([0..4, 0..6]) * factor(padded)
        }),
        check("products of integer matrices", 12, |x| {
            let m = matrix(x);
            let order = ordered(&m);
            let product = order.clone().matmul(order.transpose());
            factor(product).matmul(m) * 0.1
        }),
    ];
    for update in [
        IndexingUpdateOp::Assign,
        IndexingUpdateOp::Add,
        IndexingUpdateOp::Mul,
        IndexingUpdateOp::Min,
        IndexingUpdateOp::Max,
    ] {
        rows.push(check(
            &format!("scatter of integers, {update:?}"),
            12,
            |x| {
                let index = indices(&[1, 1, 0, 3, 2, 2], [3, 2], &x.device());
                let m = matrix(x);
                let order = ordered(&m) - 1;
                let values = order.clone().slice([0..3, 1..3]) + 2;
                let first = order.clone().scatter(1, index, values, update);
                let rows = indices(&[2, 0], [2], &m.device());
                let part = order.slice([0..2, 0..4]) * 2;
                m * factor(first.select_assign(0, rows, part, update)) * 0.1
            },
        ));
    }
    report(&rows);
}
