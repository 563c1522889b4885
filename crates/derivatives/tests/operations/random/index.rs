//! Entries picked, brought in and masked by index.

use burn::tensor::{DType, Device, IndexingUpdateOp, Int, Tensor, TensorData};
use proptest::prelude::*;

use super::super::harness::check;
use super::{config, consistent, holds};

fn indices<const D: usize>(values: &[i64], shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    let data = TensorData::new(values.to_vec(), shape);
    Tensor::from_data(data, (device, DType::I64))
}

fn update() -> impl Strategy<Value = IndexingUpdateOp> {
    prop_oneof![
        Just(IndexingUpdateOp::Add),
        Just(IndexingUpdateOp::Assign),
        Just(IndexingUpdateOp::Mul),
        Just(IndexingUpdateOp::Min),
        Just(IndexingUpdateOp::Max),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn picked_by_any_index(
        rows in prop::collection::vec(0_i64..4, 1..6), table in prop::collection::vec(0_i64..3, 12),
    ) {
        let count = rows.len();
        holds("select", 12, |x| {
            let index = indices(&rows, [count], &x.device());
            let m: Tensor<2> = x.reshape([3, 4]);
            m.select(1, index)
        });
        holds("gather", 12, |x| {
            let index = indices(&table, [3, 4], &x.device());
            let m: Tensor<2> = x.reshape([3, 4]);
            m.gather(0, index)
        });
    }

    // Indices may repeat, where Burn's gradient does not hold: the slope of the value has to.
    #[test]
    fn brought_in_by_any_index_with_any_update(
        rows in prop::collection::vec(0_i64..3, 2), table in prop::collection::vec(0_i64..4, 6),
        update in update(),
    ) {
        consistent(&check("select_assign", 20, |x| {
            let index = indices(&rows, [2], &x.device());
            let m: Tensor<2> = x.clone().slice_dim(0, 0..12).reshape([3, 4]);
            let values: Tensor<2> = x.slice_dim(0, 12..20).reshape([2, 4]);
            m.select_assign(0, index, values, update)
        }));
        consistent(&check("scatter", 18, |x| {
            let index = indices(&table, [3, 2], &x.device());
            let m: Tensor<2> = x.clone().slice_dim(0, 0..12).reshape([3, 4]);
            let values: Tensor<2> = x.slice_dim(0, 12..18).reshape([3, 2]);
            m.scatter(1, index, values, update)
        }));
    }

    #[test]
    fn masked_at_any_threshold(threshold in -1.0..1.0_f64, len in 2_usize..20) {
        let near = super::super::harness::noise(len, 1).iter().any(|x| (x - threshold).abs() < 1e-4);
        prop_assume!(!near);
        holds("mask_where", len, |x| {
            let mask = x.clone().lower_elem(threshold);
            x.clone().mask_where(mask, x.exp())
        });
        holds("mask_fill", len, |x| {
            let mask = x.clone().greater_elem(threshold);
            x.mask_fill(mask, 0.25)
        });
    }
}
