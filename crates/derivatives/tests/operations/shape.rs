//! Reshaping, permuting, slicing, joining and padding.

use burn::tensor::{Tensor, ops::PadMode, s};

use super::harness::{check, report, type_of};

fn cube(x: Tensor<1>) -> Tensor<3> {
    x.reshape([2, 3, 4])
}

#[test]
fn shapes() {
    report(&[
        check("reshape", 24, |x| cube(x).reshape([4, 6])),
        check("swap_dims", 24, |x| cube(x).swap_dims(0, 2)),
        check("permute", 24, |x| cube(x).permute([2, 0, 1])),
        check("permute twice", 24, |x| {
            cube(x).permute([2, 0, 1]).permute([1, 0, 2])
        }),
        check("flip", 24, |x| cube(x).flip([0, 2]).cumsum(1)),
        check("expand", 4, |x| {
            let row: Tensor<2> = x.reshape([1, 4]);
            row.expand([3, 4]).cumsum(0)
        }),
        check("expand to a higher rank", 4, |x| {
            let big: Tensor<3> = x.expand([2, 3, 4]);
            big.cumsum(0)
        }),
        check("slice", 24, |x| cube(x).slice(s![0..1, 1..3, ..])),
        check("slice with a step", 24, |x| {
            cube(x).slice(s![.., 0..3;2, 1..4;2])
        }),
        check("slice backwards", 24, |x| {
            cube(x).slice(s![.., .., 0..4;-1]).cumsum(2)
        }),
        check("slice backwards by two", 24, |x| {
            cube(x).slice(s![.., .., 0..4;-2]).cumsum(2)
        }),
        check("slice_assign", 30, |x| {
            let base = cube(x.clone().slice_dim(0, 0..24));
            let value: Tensor<3> = x.slice_dim(0, 24..30).reshape([1, 2, 3]);
            base.slice_assign(s![1..2, 0..2, 1..4], value)
        }),
        check("slice_fill", 24, |x| {
            cube(x).slice_fill(s![0..1, .., 1..3], 0.7)
        }),
        check("cat", 24, |x| {
            let c = cube(x);
            Tensor::cat(vec![c.clone().sin(), c.clone(), c.square()], 1)
        }),
        check("stack", 24, |x| {
            let c = cube(x);
            let stacked: Tensor<4> = Tensor::stack(vec![c.clone(), c.cos()], 1);
            stacked
        }),
        check("repeat_dim", 24, |x| cube(x).repeat_dim(1, 3).cumsum(1)),
        check("repeat", 24, |x| cube(x).repeat(&[2, 1, 3]).cumsum(2)),
        check("roll", 24, |x| cube(x).roll(&[1, 2], &[0, 2]).cumsum(2)),
        check("narrow", 24, |x| cube(x).narrow(1, 1, 2)),
        check("chunk", 24, |x| cube(x).chunk(2, 2).remove(1)),
        check("squeeze and unsqueeze", 24, |x| {
            let one: Tensor<4> = cube(x).unsqueeze_dim(1);
            let back: Tensor<3> = one.squeeze_dim(1);
            back
        }),
        check("flatten", 24, |x| {
            let flat: Tensor<2> = cube(x).flatten(1, 2);
            flat
        }),
        check("movedim", 24, |x| cube(x).movedim(0, 2)),
        check("unfold", 24, |x| {
            let windows: Tensor<4> = cube(x).unfold(2, 2, 1);
            windows.cumsum(3)
        }),
        check("unfold with a step", 20, |x| {
            let m: Tensor<2> = x.reshape([2, 10]);
            let windows: Tensor<3> = m.unfold(1, 4, 3);
            windows
        }),
        check("pad with a constant", 24, |x| {
            cube(x).pad([(1, 0), (2, 1)], PadMode::Constant(0.25))
        }),
        check("pad with zeros", 24, |x| {
            cube(x).pad([(1, 0), (2, 1)], PadMode::Constant(0.0))
        }),
        check("pad by reflection", 24, |x| {
            cube(x).pad([(1, 2), (2, 1)], PadMode::Reflect).cumsum(2)
        }),
        check("pad with the edge", 24, |x| {
            cube(x).pad([(1, 2), (2, 1)], PadMode::Edge).cumsum(2)
        }),
        check("cast there and back (f32 in Burn)", 24, |x| {
            let kind = type_of(&x);
            let narrow: Tensor<3> = (cube(x) * 0.5).cast(kind);
            narrow
        }),
    ]);
}
