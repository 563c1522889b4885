//! Products with sparse matrices, beside sums in f64.

use burn::tensor::TensorData;
use burn_dispatch::DispatchTensor;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;
use crate::real::{Real, contiguous};

type Random = Xoshiro256PlusPlus;

/// A matrix of this shape of which a part of the entries differs from the background.
fn matrix<E: Real>(shape: [usize; 2], part: f64, background: &[E], random: &mut Random) -> Vec<E> {
    let [rows, columns] = shape;
    (0..rows * columns)
        .map(|place| {
            let entry = E::of(random.random_range(-1.0..1.0));
            if random.random_bool(part) {
                entry
            } else {
                background[place % columns]
            }
        })
        .collect()
}

fn transposed<E: Copy>(x: &[E], columns: usize) -> Vec<E> {
    let rows = x.len() / columns;
    let entries = (0..columns).flat_map(|column| (0..rows).map(move |row| (row, column)));
    entries
        .map(|(row, column)| x[row * columns + column])
        .collect()
}

/// Returns the product and the sum of the magnitudes of its terms.
fn exact<E: Real>(a: &[E], b: &[E], inner: usize, columns: usize) -> Vec<[f64; 2]> {
    let row = |a: &[E], column: usize| {
        let terms = a
            .iter()
            .enumerate()
            .map(|(k, &a)| a.into() * b[k * columns + column].into());
        terms.fold([0.0, 0.0], |[sum, size], term: f64| {
            [sum + term, size + term.abs()]
        })
    };
    a.chunks(inner)
        .flat_map(|a| (0..columns).map(move |column| (a, column)))
        .map(|(a, column)| row(a, column))
        .collect()
}

fn tensor<E: Real>(x: Vec<E>, shape: [usize; 2]) -> DispatchTensor {
    float(x, &shape)
}

fn entries<E: Real>(x: &DispatchTensor) -> Vec<E> {
    let x = contiguous(x).expect("of flex");
    E::entries(&x).expect("its type").to_vec()
}

/// Compares all four products of a matrix, of a type whose numbers round at `unit`.
fn compare<E: Lanes>(shape: [usize; 2], width: usize, background: &[E], unit: f64) {
    let mut random = Random::seed_from_u64((shape[0] * 1000 + width) as u64);
    let x = matrix(shape, 0.1, background, &mut random);
    for of_transposed in [false, true] {
        let sparse = Sparse::new(&tensor(x.clone(), shape), of_transposed).expect("is sparse");
        let [rows, inner] = if of_transposed {
            [shape[1], shape[0]]
        } else {
            shape
        };
        let a = if of_transposed {
            transposed(&x, shape[1])
        } else {
            x.clone()
        };
        let b = matrix::<E>([inner, width], 1.0, &[], &mut random);
        let expected = exact(&a, &b, inner, width);
        let turned_b = tensor(transposed(&b, width), [width, inner]);
        let b = tensor(b, [inner, width]);
        for (b, transpose_b) in [(b, false), (turned_b, true)] {
            let found: Vec<E> = entries(&sparse.times(&b, transpose_b, false).expect("a product"));
            assert_eq!(found.len(), rows * width);
            for (found, [sum, size]) in found.iter().zip(&expected) {
                let gap = ((*found).into() - sum).abs();
                // What differs from the background by less than the sum of both rounds once more.
                assert!(gap <= 60.0 * unit * (size + 2.0), "{gap} of {size}");
            }
            let turned = entries::<E>(&sparse.times(&b, transpose_b, true).expect("a product"));
            assert!(transposed(&turned, rows) == found, "its transpose");
        }
    }
}

#[test]
fn products_are_those_of_all_entries() {
    for (shape, width) in [
        ([130, 64], 24),
        ([517, 33], 1),
        ([32, 784], 17),
        ([129, 129], 50),
        ([300, 100], 100),
    ] {
        let zeros = vec![0.0; shape[1]];
        let numbers: Vec<f64> = (0..shape[1]).map(|j| (j % 3) as f64 * 0.4 - 0.4).collect();
        for background in [zeros, numbers] {
            compare::<f64>(shape, width, &background, f64::EPSILON);
            let background: Vec<f32> = background.iter().map(|&x| f32::of(x)).collect();
            compare::<f32>(shape, width, &background, f64::from(f32::EPSILON));
        }
    }
}

#[test]
fn products_do_not_depend_on_the_number_of_threads() {
    let mut random = Random::seed_from_u64(3);
    let x = tensor(
        matrix([700, 90], 0.2, &[0.3_f32; 90], &mut random),
        [700, 90],
    );
    let sparse = Sparse::new(&x, false).expect("is sparse");
    let b = tensor(matrix::<f32>([90, 70], 1.0, &[], &mut random), [90, 70]);
    let with = |threads: usize, turned: bool| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().expect("threads");
        pool.install(|| entries::<f32>(&sparse.times(&b, false, turned).expect("a product")))
    };
    for turned in [false, true] {
        assert_eq!(with(1, turned), with(3, turned));
    }
}

#[test]
fn what_is_dense_or_small_has_no_panels() {
    let mut random = Random::seed_from_u64(5);
    let dense = matrix([200, 100], 0.9, &[0.0; 100], &mut random);
    let few = matrix([60, 100], 0.1, &[0.0; 100], &mut random);
    let long = matrix([2000, 9], 0.1, &[0.0; 9], &mut random);
    // Two of five are other numbers, but in other columns of each row.
    let scattered = matrix([200, 100], 0.4, &[0.0; 100], &mut random);
    for (x, shape) in [
        (dense, [200, 100]),
        (few, [60, 100]),
        (long, [2000, 9]),
        (scattered, [200, 100]),
    ] {
        for transposed in [false, true] {
            assert!(Sparse::new(&tensor(x.clone(), shape), transposed).is_none());
        }
    }
    let integers = TensorData::new(vec![0_i64; 20_000], [200, 100]);
    let integers = FlexTensor::from_data(integers);
    assert!(Sparse::new(&crate::real::of_flex(integers), false).is_none());
}

#[test]
fn an_entry_that_is_not_finite_has_no_product_without_zeros() {
    let mut random = Random::seed_from_u64(7);
    let x = tensor(
        matrix([200, 100], 0.1, &[0.0_f32; 100], &mut random),
        [200, 100],
    );
    let sparse = Sparse::new(&x, false).expect("is sparse");
    for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut b = vec![1.0; 100 * 9];
        b[450] = number;
        assert!(sparse.times(&tensor(b, [100, 9]), false, false).is_none());
    }
    // Of the matrix itself they are kept.
    let mut x = matrix([200, 100], 0.1, &[0.0_f32; 100], &mut random);
    x[250] = f32::NAN;
    let sparse = Sparse::new(&tensor(x, [200, 100]), false).expect("is sparse");
    let b = tensor(vec![1.0_f32; 100 * 9], [100, 9]);
    let found: Vec<f32> = entries(&sparse.times(&b, false, false).expect("a product"));
    assert!(
        found
            .iter()
            .enumerate()
            .all(|(place, x)| x.is_nan() == (place / 9 == 2))
    );
    // Another shape or type has none, and one without entries.
    let empty = tensor(Vec::<f32>::new(), [100, 0]);
    assert!(sparse.times(&empty, false, false).is_none());
    let narrow = tensor(vec![1.0_f32; 99 * 9], [99, 9]);
    assert!(sparse.times(&narrow, false, false).is_none());
    let double = tensor(vec![1.0_f64; 100 * 9], [100, 9]);
    assert!(sparse.times(&double, false, false).is_none());
}
