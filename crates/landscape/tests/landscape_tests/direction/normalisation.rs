//! Every filter of a normalised direction has the norm of its weights, in every layer of Burn.

use std::collections::{BTreeMap, BTreeSet};

use landscape::direction::{Normalization, NormalizeConfig, VectorParameters, normalize};
use landscape::{Block, Error, ParameterSpace, download, filter_normalize, norm, random_direction};

use super::layers::{HEAD, HOLDERS, Layers, WIDTH, filter_of, index_of, layers, space};

/// Weights, a raw direction and the same normalised.
struct Case {
    model: Layers,
    space: ParameterSpace,
    theta: Vec<f64>,
    raw: Vec<f64>,
}

fn case() -> Case {
    let model = layers();
    let space = space(&model);
    Case {
        theta: download(&space.flatten(&model).unwrap()),
        raw: download(&random_direction(&space, 9)),
        model,
        space,
    }
}

impl Case {
    fn normalised(&self, vectors: VectorParameters) -> Vec<f64> {
        let config = NormalizeConfig::new().with_vectors(vectors);
        let raw = self.space.domain.upload(&self.raw).unwrap();
        download(&normalize(&self.space, &self.model, raw, &config).unwrap())
    }

    fn block(&self, path: &str) -> &Block {
        self.space.matching(path).unwrap()[0]
    }
}

/// Returns the norm of each group of a block's entries, by the number that `group` gives an entry.
fn norms(
    block: &Block,
    entries: &[f64],
    group: impl Fn(&[usize]) -> usize,
) -> BTreeMap<usize, f64> {
    let mut squares = BTreeMap::new();
    for (position, entry) in entries[block.range()].iter().enumerate() {
        *squares
            .entry(group(&index_of(position, &block.shape)))
            .or_insert(0.0) += entry * entry;
    }
    squares
        .into_iter()
        .map(|(filter, square): (_, f64)| (filter, square.sqrt()))
        .collect()
}

#[test]
fn every_filter_of_every_layer_has_the_norm_of_its_weights() {
    let case = case();
    let direction = case.normalised(VectorParameters::Ignore);
    let mut kinds = BTreeSet::new();
    let mut filters = 0;
    for block in &case.space.blocks {
        kinds.insert(block.layer.as_str());
        if block.shape.len() < 2 {
            assert_eq!(block.filters().count(), 0);
            continue;
        }
        let group = |index: &[usize]| {
            filter_of(&block.layer, &block.path, &block.shape, index).expect("a matrix")
        };
        let of_weights = norms(block, &case.theta, group);
        let of_raw = norms(block, &case.raw, group);
        let of_direction = norms(block, &direction, group);
        assert_eq!(block.filters().count(), of_weights.len(), "{}", block.path);
        for (filter, expected) in of_weights {
            // The guard of 1e-10 in the definition is 1e-9 of a raw filter of norm 0.1.
            assert!(of_raw[&filter] > 0.1, "{} {filter}", block.path);
            let error = (of_direction[&filter] / expected - 1.0).abs();
            assert!(error <= 1e-9, "{} {filter}: {error:.1e}", block.path);
            filters += 1;
        }
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), HOLDERS);
    assert!(filters > 500, "{filters}");
}

#[test]
fn filters_are_scaled_by_one_number_each_and_keep_their_direction() {
    let case = case();
    let direction = case.normalised(VectorParameters::Ignore);
    for block in &case.space.blocks {
        let (raw, scaled) = (&case.raw[block.range()], &direction[block.range()]);
        let mut seen = vec![false; block.len()];
        for filter in block.filters() {
            let entries: Vec<usize> = filter.into_iter().flatten().collect();
            let scale = scaled[entries[0]] / raw[entries[0]];
            assert!(scale > 0.0);
            for entry in entries {
                assert!(!std::mem::replace(&mut seen[entry], true));
                let expected = scale * raw[entry];
                assert!((scaled[entry] - expected).abs() <= 1e-14 * expected.abs());
            }
        }
        assert!(block.shape.len() < 2 || seen.into_iter().all(|seen| seen));
    }
}

#[test]
fn biases_and_norm_layers_are_at_rest_or_move_along_themselves_bit_for_bit() {
    let case = case();
    for vectors in [VectorParameters::Ignore, VectorParameters::Copy] {
        let direction = case.normalised(vectors);
        for block in case
            .space
            .blocks
            .iter()
            .filter(|block| block.shape.len() < 2)
        {
            let found = &direction[block.range()];
            match vectors {
                VectorParameters::Ignore => assert!(found.iter().all(|&entry| entry == 0.0)),
                // A copy that is normalised once more is smaller by one part in 1e10.
                VectorParameters::Copy => assert_eq!(found, &case.theta[block.range()]),
            }
        }
    }
}

#[test]
fn gates_heads_and_neurons_with_both_their_inputs_have_the_norms_of_their_weights() {
    let case = case();
    let direction = case.normalised(VectorParameters::Ignore);
    let equal = |found: f64, expected: f64| {
        assert!((found / expected - 1.0).abs() <= 1e-9, "{found} {expected}");
    };
    for part in ["query", "key", "value"] {
        let block = case.block(&format!("attention.{part}.weight"));
        let head = |index: &[usize]| index[1] / HEAD;
        let of_weights = norms(block, &case.theta, head);
        assert_eq!(of_weights.len(), WIDTH / HEAD);
        for (head, found) in norms(block, &direction, head) {
            equal(found, of_weights[&head]);
        }
    }
    let cells = [
        ("gru", &["update_gate", "reset_gate", "new_gate"][..]),
        (
            "lstm",
            &["input_gate", "forget_gate", "output_gate", "cell_gate"][..],
        ),
    ];
    for (cell, gates) in cells {
        for gate in gates {
            let column = |index: &[usize]| index[1];
            let both = ["input_transform", "hidden_transform"].map(|from| {
                let block = case.block(&format!("{cell}.{gate}.{from}.weight"));
                [&case.theta, &direction].map(|entries| norms(block, entries, column))
            });
            for neuron in 0..4 {
                let [of_weights, found] =
                    [0, 1].map(|which| both[0][which][&neuron].hypot(both[1][which][&neuron]));
                equal(found, of_weights);
            }
        }
    }
}

#[test]
fn groups_of_a_transposed_convolution_are_told_by_its_bias() {
    let case = case();
    let parts = |path: &str| case.block(path).filter_parts;
    assert_eq!(parts("transposed1d.weight"), 2);
    assert_eq!(parts("transposed2d.weight"), 3);
    assert_eq!(parts("transposed3d.weight"), 1);
    let untold = ParameterSpace::of(&case.model).unwrap();
    let weight = untold.matching("transposed_without_bias.weight").unwrap()[0];
    assert_eq!((weight.filter_axis, weight.filter_parts), (Some(1), 1));
}

#[test]
fn filters_that_cannot_be_are_errors_that_name_the_block() {
    let space = || space(&layers());
    for (path, axis, parts) in [
        ("transposed1d.weight", 1, 3),
        ("transposed1d.weight", 1, 0),
        ("transposed1d.weight", 3, 1),
        ("conv2d.weight", 0, 2),
        ("conv2d.wait", 0, 1),
    ] {
        let error = space().with_filters(path, axis, parts).unwrap_err();
        assert!(
            matches!(error, Error::Setting { .. }) && error.to_string().contains(path),
            "{error}"
        );
    }
}

#[test]
fn layer_and_global_norms_are_those_of_the_weights_and_one() {
    let case = case();
    let with = |normalization| {
        let config = NormalizeConfig::new().with_normalization(normalization);
        let raw = case.space.domain.upload(&case.raw).unwrap();
        download(&normalize(&case.space, &case.model, raw, &config).unwrap())
    };
    let by_layer = with(Normalization::Layer);
    for block in case
        .space
        .blocks
        .iter()
        .filter(|block| block.shape.len() > 1)
    {
        let (found, expected) = (
            norm(&by_layer[block.range()]),
            norm(&case.theta[block.range()]),
        );
        assert!((found / expected - 1.0).abs() < 1e-13, "{}", block.path);
    }
    assert!((norm(&with(Normalization::Global)) - 1.0).abs() < 1e-13);
    assert_eq!(with(Normalization::None), case.raw);
}

#[test]
fn weights_and_directions_that_are_not_finite_give_no_direction() {
    let case = case();
    let mut theta = case.theta.clone();
    let embedding = case.block("embedding.weight");
    theta[embedding.offset + 3] = f64::NAN;
    let theta = case.space.domain.upload(&theta).unwrap();
    let broken = case.space.unflatten(&case.model, &theta).unwrap();
    let error = filter_normalize(&case.space, &broken, random_direction(&case.space, 1));
    let error = error.unwrap_err();
    assert_eq!(
        error,
        Error::NonFiniteWeights {
            model: "the model".to_owned(),
            path: "embedding.weight".to_owned()
        }
    );
    assert!(error.to_string().contains("`embedding.weight`"), "{error}");
    let mut raw = case.raw.clone();
    raw[7] = f64::INFINITY;
    let raw = case.space.domain.upload(&raw).unwrap();
    let error = filter_normalize(&case.space, &case.model, raw).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the direction is not finite; it gives no direction"
    );
}
