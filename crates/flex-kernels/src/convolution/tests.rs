//! Convolutions beside the products of patches and their transposes.

use super::*;
use crate::lanes::Lanes;
use crate::window_kernels::{patches, unpatches};

const SQUARE: Windows = Windows {
    input: [8, 8],
    output: [8, 8],
    kernel: [3, 3],
    stride: [1, 1],
    padding: [1, 1],
    dilation: [1, 1],
};

fn noise<E: Lanes>(count: usize, seed: usize) -> Vec<E> {
    // Fractions of multiples of the golden ratio, in (-1, 1).
    (0..count)
        .map(|i| ((i + 1000 * seed + 1) as f64 * 0.618_033_988_749_894_9).fract() * 2.0 - 1.0)
        .map(E::of)
        .collect()
}

fn entries<E: Lanes>(x: &DispatchTensor) -> Vec<f64> {
    let x = contiguous(x).expect("of flex");
    let entries = E::entries(&x).expect("its type");
    entries.iter().map(|&x| x.into()).collect()
}

/// `A B`, with `transpose` saying which are transposed, of `[m, k]` and `[k, n]`.
fn product(a: &[f64], b: &[f64], [m, k, n]: [usize; 3], transpose: [bool; 2]) -> Vec<f64> {
    let of_a = |i: usize, l: usize| {
        if transpose[0] {
            a[l * m + i]
        } else {
            a[i * k + l]
        }
    };
    let of_b = |l: usize, j: usize| {
        if transpose[1] {
            b[j * k + l]
        } else {
            b[l * n + j]
        }
    };
    let entry = |i: usize, j: usize| (0..k).map(|l| of_a(i, l) * of_b(l, j)).sum();
    (0..m * n)
        .map(|place| entry(place / n, place % n))
        .collect()
}

fn assert_close(found: &[f64], expected: &[f64], unit: f64) {
    assert_eq!(found.len(), expected.len());
    let size = expected.iter().map(|x| x.abs()).fold(1.0, f64::max);
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 100.0 * unit * size,
            "{found} {expected}"
        );
    }
}

fn compare<E: Lanes>(windows: &Windows, [o, c, n]: [usize; 3], unit: f64) {
    assert!(windows.have_kernels());
    let [h, w] = windows.input;
    let [ho, wo] = windows.output;
    let taps = windows.kernel[0] * windows.kernel[1];
    let (shape, flat) = ([c, n, h, w], [o, n * ho * wo]);
    let weights: Vec<_> = (1..3)
        .map(|seed| float(noise::<E>(o * c * taps, seed), &[o, c * taps]))
        .collect();
    let images: Vec<_> = (3..5)
        .map(|seed| float(noise::<E>(c * n * h * w, seed), &shape))
        .collect();
    let outputs: Vec<_> = (5..7)
        .map(|seed| float(noise::<E>(o * n * ho * wo, seed), &flat))
        .collect();
    let of_patches = |x: &DispatchTensor| {
        entries::<E>(&patches(x, windows, &[c * taps, flat[1]]).expect("patches"))
    };
    let add =
        |a: Vec<f64>, b: Vec<f64>| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a + b).collect() };

    let size = [o, c * taps, flat[1]];
    let one = |i: usize| {
        product(
            &entries::<E>(&weights[i]),
            &of_patches(&images[i]),
            size,
            [false; 2],
        )
    };
    let found = convolution(&[[&weights[0], &images[0]]], windows, n).expect("a convolution");
    assert_close(&entries::<E>(&found), &one(0), unit);
    let both = [[&weights[0], &images[0]], [&weights[1], &images[1]]];
    let found = convolution(&both, windows, n).expect("a convolution");
    assert_close(&entries::<E>(&found), &add(one(0), one(1)), unit);

    let size = [c * taps, o, flat[1]];
    let one = |i: usize| {
        let columns = product(
            &entries::<E>(&weights[i]),
            &entries::<E>(&outputs[i]),
            size,
            [true, false],
        );
        let columns = float(
            columns.into_iter().map(E::of).collect(),
            &[size[0], size[2]],
        );
        entries::<E>(&unpatches(&columns, windows, &shape).expect("images"))
    };
    let both = [[&weights[0], &outputs[0]], [&weights[1], &outputs[1]]];
    let found = convolution_back(&both, windows, &shape).expect("a transpose");
    assert_close(&entries::<E>(&found), &add(one(0), one(1)), unit);

    let size = [o, flat[1], c * taps];
    let expected = product(
        &entries::<E>(&outputs[0]),
        &of_patches(&images[0]),
        size,
        [false, true],
    );
    let found = convolution_weights(&outputs[0], &images[0], windows, n).expect("a derivative");
    assert_close(&entries::<E>(&found), &expected, unit * 10.0);
}

#[test]
fn convolutions_are_products_of_patches() {
    for (input, kernel, padding, dilation) in [
        ([14, 14], [3, 3], [1, 1], [1, 1]),
        ([7, 9], [3, 3], [0, 0], [1, 1]),
        ([1, 40], [1, 5], [0, 2], [1, 1]),
        ([6, 5], [2, 4], [1, 0], [1, 1]),
        ([9, 8], [3, 2], [2, 1], [2, 1]),
        ([5, 5], [5, 5], [0, 0], [1, 1]),
    ] {
        let output = [0, 1].map(|axis: usize| {
            input[axis] + 2 * padding[axis] - (kernel[axis] - 1) * dilation[axis]
        });
        let windows = Windows {
            input,
            output,
            kernel,
            stride: [1, 1],
            padding,
            dilation,
        };
        for channels in [[1, 1, 1], [5, 3, 2], [9, 2, 7]] {
            compare::<f64>(&windows, channels, f64::EPSILON);
            compare::<f32>(&windows, channels, f64::from(f32::EPSILON));
        }
    }
    // More images than the derivative by the weights takes at a time, the last ones fewer.
    compare::<f64>(&SQUARE, [2, 1, 160], f64::EPSILON);
    compare::<f32>(&SQUARE, [2, 1, 160], f64::from(f32::EPSILON));
}

#[test]
fn other_windows_are_not_direct() {
    let windows = SQUARE;
    assert!(windows.are_direct(1));
    // Patches of eight by eight outputs are made for less than the outputs between rows cost.
    assert!(!windows.are_direct(1000));
    for other in [
        Windows {
            stride: [1, 2],
            output: [8, 4],
            ..windows
        },
        Windows {
            kernel: [1, 1],
            padding: [0, 0],
            ..windows
        },
        Windows {
            padding: [3, 1],
            output: [12, 8],
            ..windows
        },
        // The last windows are left out.
        Windows {
            output: [7, 8],
            ..windows
        },
    ] {
        assert!(!other.are_direct(1), "{other:?}");
    }
}

#[test]
fn convolutions_do_not_depend_on_the_number_of_threads() {
    let windows = SQUARE;
    let weight = float(noise::<f32>(21 * 4 * 9, 1), &[21, 36]);
    let x = float(noise::<f32>(4 * 3 * 64, 2), &[4, 3, 8, 8]);
    let outputs = float(noise::<f32>(21 * 3 * 64, 3), &[21, 192]);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().expect("threads").install(|| {
            let forward = convolution(&[[&weight, &x]], &windows, 3).expect("a convolution");
            let back = convolution_back(&[[&weight, &outputs]], &windows, &[4, 3, 8, 8]);
            let weights = convolution_weights(&outputs, &x, &windows, 3);
            [
                forward,
                back.expect("a transpose"),
                weights.expect("a derivative"),
            ]
            .map(|x| entries::<f32>(&x))
        })
    };
    assert_eq!(with(1), with(3));
}
