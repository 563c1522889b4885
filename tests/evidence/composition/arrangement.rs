//! Random operations of shape, with indices, with constants, and on images.

use burn::tensor::ops::{
    AvgPoolOptions, InterpolateMode, InterpolateOptions, MaxPoolOptions, PadMode, UnfoldOptions,
};
use burn::tensor::{IndexingUpdateOp, Tensor, module as layer};

use super::operation::run;
use super::random::Random;
use super::scene::{Run, integers, noise};
use super::value::{Value, joined, mapped};

/// A change of shape, which may change the rank.
pub(super) fn shape(random: &mut Random, rank: usize) -> (String, Run) {
    let (a, b) = (random.below(rank), random.below(rank));
    let named = |label: &str, f: Run| (label.to_owned(), f);
    match random.below(8) {
        0 => (
            format!("swap_dims {a} {b}"),
            run(move |_, x| mapped!(x[0].clone(), x => x.swap_dims(a, b))),
        ),
        1 => named(
            "flatten but the first",
            run(|_, x| {
                let (rows, len) = (x[0].dims()[0], x[0].len());
                x[0].clone().reshape(&[rows, len / rows])
            }),
        ),
        2 => named("flatten", run(|_, x| Value::One(x[0].clone().flat()))),
        3 => named(
            "unsqueeze, last",
            run(|_, x| {
                let mut dims = x[0].dims();
                dims.push(1);
                x[0].clone().reshape(&dims)
            }),
        ),
        4 => (
            format!("merge {a}"),
            run(move |_, x| {
                let mut dims = x[0].dims();
                assert!(a + 1 < dims.len(), "two axes");
                let n = dims.remove(a);
                dims[a] *= n;
                x[0].clone().reshape(&dims)
            }),
        ),
        5 => (
            format!("split {a} by two"),
            run(move |_, x| {
                let mut dims = x[0].dims();
                assert!(dims[a] % 2 == 0, "even");
                dims[a] /= 2;
                dims.insert(a + 1, 2);
                x[0].clone().reshape(&dims)
            }),
        ),
        6 => (
            format!("mean over {a}, squeezed"),
            run(move |_, x| {
                let mean = mapped!(x[0].clone(), x => x.mean_dim(a));
                let mut dims = mean.dims();
                assert!(dims.len() > 1, "an axis is left");
                dims.remove(a);
                mean.reshape(&dims)
            }),
        ),
        _ => named(
            "permute",
            run(|_, x| match x[0].clone() {
                Value::One(x) => Value::One(x),
                Value::Two(x) => Value::Two(x.transpose()),
                Value::Three(x) => Value::Three(x.permute([2, 0, 1])),
                Value::Four(x) => Value::Four(x.permute([0, 2, 3, 1])),
            }),
        ),
    }
}

/// An operation with indices, constants or a product.
pub(super) fn indexed(random: &mut Random, rank: usize) -> (String, Run) {
    let seed = random.next();
    let axis = random.below(rank);
    let update = random.one_of(&[
        IndexingUpdateOp::Add,
        IndexingUpdateOp::Add,
        IndexingUpdateOp::Assign,
        IndexingUpdateOp::Mul,
        IndexingUpdateOp::Max,
        IndexingUpdateOp::Min,
    ]);
    match random.below(12) {
        0 => (
            format!("gather, axis {axis}"),
            run(move |_, x| {
                mapped!(x[0].clone(), x => {
                    let (dims, device) = (x.dims(), x.device());
                    x.gather(axis, integers(seed, dims[axis], dims, &device))
                })
            }),
        ),
        1 => (
            format!("scatter add, axis {axis}"),
            run(move |_, x| {
                mapped!(x[0].clone(), x => {
                    let (dims, device) = (x.dims(), x.device());
                    let index = integers(seed, dims[axis], dims, &device);
                    let values = x.clone().sin();
                    x.scatter(axis, index, values, IndexingUpdateOp::Add)
                })
            }),
        ),
        2 => (
            format!("select, axis {axis}"),
            run(move |_, x| {
                mapped!(x[0].clone(), x => {
                    let (n, device) = (x.dims()[axis], x.device());
                    x.select(axis, integers(seed, n, [n + 1], &device))
                })
            }),
        ),
        3 => (
            format!("select_assign {update:?}, axis {axis}"),
            run(move |_, x| {
                mapped!(x[0].clone(), x => {
                    let (n, device) = (x.dims()[axis], x.device());
                    // Each place once, but for sums.
                    let index = match update {
                        IndexingUpdateOp::Add => integers(seed, n, [n], &device),
                        _ => Tensor::arange(0..i64::try_from(n).expect("small"), &device).flip([0]),
                    };
                    let values = x.clone().cos();
                    x.select_assign(axis, index, values, update)
                })
            }),
        ),
        4 => (
            "slice_fill".to_owned(),
            run(move |_, x| {
                mapped!(x[0].clone(), x => {
                    let ranges = x.dims().map(|n| 0..n.div_ceil(2));
                    x.slice_fill(ranges, 0.3)
                })
            }),
        ),
        5 => (
            "host constant plus".to_owned(),
            run(move |_, x| {
                let constant = Value::of(noise(seed, x[0].len()), &x[0].dims(), &x[0].device());
                joined!(x[0].clone(), constant, x, y => x + y)
            }),
        ),
        6 => (
            "host constant times".to_owned(),
            run(move |_, x| {
                let constant = Value::of(noise(seed, x[0].len()), &x[0].dims(), &x[0].device());
                joined!(x[0].clone(), constant, x, y => x * y)
            }),
        ),
        7 => (
            "matmul with a host constant".to_owned(),
            run(move |_, x| {
                let width = *x[0].dims().last().expect("an axis");
                let device = x[0].device();
                let matrix = Value::of(noise(seed, width * 3), &[width, 3], &device);
                let Value::Two(matrix) = matrix else {
                    panic!("two axes")
                };
                match x[0].clone() {
                    Value::One(x) => Value::One(x.unsqueeze::<2>().matmul(matrix).reshape([3])),
                    Value::Two(x) => Value::Two(x.matmul(matrix)),
                    Value::Three(x) => Value::Three(x.matmul(matrix.unsqueeze())),
                    Value::Four(x) => Value::Four(x.matmul(matrix.unsqueeze())),
                }
            }),
        ),
        8 => (
            "matmul with itself, transposed".to_owned(),
            run(move |_, x| {
                assert!(x[0].rank() > 1, "two axes");
                mapped!(x[0].clone(), x => x.clone().matmul(x.sin().transpose()) * 0.3)
            }),
        ),
        9 => (
            format!("pad, axis {axis}"),
            run(move |_, x| {
                mapped!(x[0].clone(), x => {
                    let mut padding = x.dims().map(|_| (0, 0));
                    padding[axis] = (1, 1);
                    let mode = match seed % 4 {
                        0 => PadMode::Constant(0.4),
                        1 => PadMode::Edge,
                        2 => PadMode::Reflect,
                        _ => PadMode::Constant(0.0),
                    };
                    x.pad(padding, mode)
                })
            }),
        ),
        10 => (
            "tril".to_owned(),
            run(move |_, x| {
                assert!(x[0].rank() > 1, "two axes");
                mapped!(x[0].clone(), x => if seed.is_multiple_of(2) { x.tril(0) } else { x.triu(-1) })
            }),
        ),
        _ => (
            "gather_nd, scatter_nd".to_owned(),
            run(move |_, x| {
                let Value::Two(x) = x[0].clone() else {
                    panic!("a matrix")
                };
                let ([n, _], device) = (x.dims(), x.device());
                let index = integers(seed, n, [n, 1], &device);
                let rows: Tensor<2> = x.clone().gather_nd(index.clone());
                Value::Two(x.scatter_nd(index, rows.sin(), IndexingUpdateOp::Add))
            }),
        ),
    }
}

/// An operation on images.
pub(super) fn spatial(random: &mut Random) -> (String, Run) {
    type Entry = (&'static str, fn(Tensor<4>) -> Tensor<4>);
    const ALL: &[Entry] = &[
        ("max_pool2d", |x| {
            layer::max_pool2d(x, MaxPoolOptions::new([2, 2]).with_stride([1, 2]))
        }),
        ("max_pool2d, padded", |x| {
            layer::max_pool2d(
                x,
                MaxPoolOptions::new([3, 2])
                    .with_stride([2, 1])
                    .with_padding([1, 1]),
            )
        }),
        ("avg_pool2d", |x| {
            layer::avg_pool2d(x, AvgPoolOptions::new([2, 2]).with_stride([2, 1]))
        }),
        ("avg_pool2d, padded", |x| {
            layer::avg_pool2d(
                x,
                AvgPoolOptions::new([3, 3])
                    .with_stride([2, 2])
                    .with_padding([1, 1])
                    .with_count_include_pad(false),
            )
        }),
        ("adaptive_avg_pool2d", |x| {
            layer::adaptive_avg_pool2d(x, [2, 3])
        }),
        ("interpolate bilinear", |x| {
            layer::interpolate(
                x,
                InterpolateOptions::new(InterpolateMode::Bilinear).with_output_size([5, 3]),
            )
        }),
        ("interpolate nearest", |x| {
            layer::interpolate(
                x,
                InterpolateOptions::new(InterpolateMode::Nearest).with_output_size([3, 5]),
            )
        }),
        ("interpolate bicubic", |x| {
            layer::interpolate(
                x,
                InterpolateOptions::new(InterpolateMode::Bicubic).with_output_size([4, 5]),
            )
        }),
        ("unfold4d", |x| {
            let n = x.dims()[0];
            let patches = layer::unfold4d(x, [2, 2], UnfoldOptions::new([1, 1], [0, 0], [1, 1]));
            let [_, c, l] = patches.dims();
            patches.reshape([n, c, l, 1])
        }),
        ("max over space", |x| x.max_dim(3).max_dim(2)),
        ("mean over space", |x| x.mean_dims(&[2, 3])),
    ];
    let (label, f) = random.one_of(ALL);
    (
        label.to_owned(),
        run(move |_, x| match x[0].clone() {
            Value::Four(x) => Value::Four(f(x)),
            other => panic!("rank {}", other.rank()),
        }),
    )
}
