//! Random batches: ragged, of one example, padded, with time first, large.

use std::collections::BTreeSet;

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::case::Feature;
use super::random::Random;
use super::scene::Data;
use super::value::Value;

/// Some batches alike but for their lengths.
pub(super) fn batches(random: &mut Random, features: &mut BTreeSet<Feature>) -> Vec<Data> {
    let sizes: &[usize] = match random.below(40) {
        0..8 => &[4],
        8..12 => &[1],
        12..17 => &[3],
        17..21 => &[5, 5],
        21..26 => &[5, 2],
        26..31 => &[4, 1],
        31..34 => &[3, 3, 1],
        34..37 => &[6, 4, 2],
        37..39 => &[9],
        _ => &[600],
    };
    if sizes.len() > 1 {
        features.insert(Feature::Several);
    }
    if sizes.iter().any(|size| *size != sizes[0]) {
        features.insert(Feature::Ragged);
    }
    if sizes.contains(&1) {
        features.insert(Feature::Single);
    }
    let large = sizes == [600];
    if large {
        features.insert(Feature::Large);
    }
    let kind = if large { 0 } else { random.below(10) };
    let (a, b) = (random.between(2, 4), random.between(3, 4));
    let time_first = kind == 9;
    let counted = !time_first || !random.once_in(5);
    if kind == 8 {
        features.insert(Feature::Tokens);
    }
    if time_first {
        features.insert(if counted {
            Feature::TimeFirst
        } else {
            Feature::TimeFirstUncounted
        });
    }
    let device = Device::flex();
    sizes
        .iter()
        .map(|&rows| {
            let dims = match kind {
                0..4 => vec![rows, a],
                4..6 => vec![rows, a, b],
                6..8 => vec![rows, a.min(3), b, 3],
                8 => vec![rows, 2],
                _ => vec![a, rows, 3],
            };
            let entries = random.normals(dims.iter().product());
            let steps = 4;
            let tokens: Vec<i64> = (0..rows)
                .flat_map(|_| {
                    let kept = random.between(1, steps);
                    (0..steps)
                        .map(|t| {
                            i64::from(t < kept)
                                * (1 + i64::try_from(random.below(4)).expect("small"))
                        })
                        .collect::<Vec<_>>()
                })
                .collect();
            let labels: Vec<i64> = (0..rows)
                .map(|_| i64::try_from(random.below(3)).expect("small"))
                .collect();
            Data {
                x: Value::of(entries, &dims, &device),
                tokens: Tensor::from_data(TensorData::new(tokens, [rows, steps]), &device),
                targets: Tensor::from_data(
                    TensorData::new(random.normals(rows * 3), [rows, 3]),
                    (&device, DType::F64),
                ),
                labels: Tensor::from_data(TensorData::new(labels, [rows]), &device),
                counted,
                time_first,
            }
        })
        .collect()
}
