//! Shapes turned, cut, joined, repeated and padded.

use burn::tensor::ops::PadMode;
use burn::tensor::{Tensor, s};
use proptest::prelude::*;

use super::super::harness::check;
use super::{agrees, config, holds};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn chains_of_rearrangements(
        axes in Just(vec![0, 1, 2]).prop_shuffle(), flip in 0_usize..3, start in 0_usize..2,
        step in 1_isize..3, repeat in 1_usize..3,
    ) {
        agrees(&check("rearranged", 24, |x| {
            let cube: Tensor<3> = x.reshape([2, 3, 4]);
            let turned = cube.permute([axes[0], axes[1], axes[2]]).tanh().flip([flip]);
            let len = turned.dims()[1];
            let part = turned.clone().slice_dim(1, s![start..len;step]);
            let back = turned.permute([axes[0], axes[1], axes[2]]).exp();
            // Kept small: the harness takes a sine of it.
            (part.repeat_dim(0, repeat).cumsum(1).sum() + back.cumsum(2).sum_dim(0).sum()) * 0.01
        }));
    }

    #[test]
    fn slices_with_steps_to_both_sides(
        rows in (0_usize..2, 1_usize..4), columns in (0_usize..3, 1_usize..4),
        steps in (1_isize..4, 1_isize..4), back in (any::<bool>(), any::<bool>()),
    ) {
        let step = |step: isize, back: bool| if back { -step } else { step };
        let (first, second) = (step(steps.0, back.0), step(steps.1, back.1));
        holds("slice", 30, |x| {
            let m: Tensor<2> = x.reshape([5, 6]);
            let (from, to) = (rows.0, (rows.0 + rows.1).min(5));
            let (left, right) = (columns.0, (columns.0 + columns.1).min(6));
            m.exp().slice([s![from..to;first], s![left..right;second]])
        });
        holds("slice_assign", 30 + 4, |x| {
            let m: Tensor<2> = x.clone().slice_dim(0, 0..30).reshape([5, 6]);
            let value: Tensor<2> = x.slice_dim(0, 30..34).reshape([2, 2]);
            let (from, left) = (rows.0, columns.0);
            m.slice_assign([from..from + 2, left..left + 2], value.exp())
        });
    }

    #[test]
    fn padding_of_any_width_and_mode(
        before in (0_usize..3, 0_usize..3), after in (0_usize..3, 0_usize..3), mode in 0_usize..3,
        value in -1.0..1.0_f32,
    ) {
        holds("pad", 12, |x| {
            let m: Tensor<2> = x.reshape([3, 4]);
            let mode = match mode {
                0 => PadMode::Constant(value),
                1 => PadMode::Reflect,
                _ => PadMode::Edge,
            };
            m.pad([(before.0, after.0), (before.1, after.1)], mode)
        });
    }

    #[test]
    fn windows_rolls_and_joins(
        size in 1_usize..4, step in 1_usize..4, shift in -3_i64..4, axis in 0_usize..3,
        repeat in 1_usize..3,
    ) {
        holds("unfold", 24, |x| {
            let m: Tensor<2> = x.reshape([3, 8]);
            let windows: Tensor<3> = m.exp().unfold(1, size, step);
            windows
        });
        holds("roll, cat and repeat", 24, |x| {
            let cube: Tensor<3> = x.reshape([2, 3, 4]);
            let rolled = cube.clone().roll(&[shift], &[axis]);
            Tensor::cat(vec![rolled.exp(), cube], axis).repeat_dim(axis, repeat)
        });
    }
}
