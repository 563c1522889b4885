//! The hidden units of the trained networks that may be permuted, beside what is known of them.

use tests::{Case, CaseVisitor, Net, for_each_network};

use crate::groups::{check_groups, units};

/// Paths of a convolution without bias and of its normalisation, and the axis of its channels.
fn normalised(convolution: &str, norm: &str) -> Vec<(String, usize)> {
    let mut places = vec![(format!("{convolution}.weight"), 0)];
    let tensors = ["gamma", "beta", "running_mean", "running_var"];
    places.extend(tensors.map(|tensor| (format!("{norm}.{tensor}"), 0)));
    places
}

/// The six groups of ResNet-8: the stem and the first block write to one stream, each of the other
/// blocks to one of its own, and each block has channels within.
fn of_resnet() -> Vec<Vec<(String, usize)>> {
    let uses = |paths: &[&str]| {
        paths
            .iter()
            .map(|path| (format!("{path}.weight"), 1))
            .collect()
    };
    let joined = |parts: Vec<Vec<(String, usize)>>| parts.concat();
    let inner = |block: usize| {
        let at = |name: &str| format!("blocks.{block}.{name}");
        joined(vec![
            normalised(&at("conv1"), &at("norm1")),
            uses(&[&at("conv2")]),
        ])
    };
    let stream = |block: usize, used: Vec<(String, usize)>| {
        let at = |name: &str| format!("blocks.{block}.{name}");
        joined(vec![
            normalised(&at("conv2"), &at("norm2")),
            normalised(&at("shortcut.conv"), &at("shortcut.norm")),
            used,
        ])
    };
    vec![
        joined(vec![
            normalised("stem", "stem_norm"),
            uses(&["blocks.0.conv1"]),
            normalised("blocks.0.conv2", "blocks.0.norm2"),
            uses(&["blocks.1.conv1", "blocks.1.shortcut.conv"]),
        ]),
        inner(0),
        inner(1),
        stream(1, uses(&["blocks.2.conv1", "blocks.2.shortcut.conv"])),
        inner(2),
        stream(2, vec![("head.weight".to_owned(), 0)]),
    ]
}

#[derive(Default)]
struct ByHand {
    visited: usize,
}

impl CaseVisitor for ByHand {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let found = check_groups(case);
        let by_hand: &[usize] = match N::FIXTURE {
            "lenet" => &[6, 8, 24, 16],
            "resnet8" => &[6, 6, 10, 10, 14, 14],
            // The stream; for each layer heads, entries of queries and keys in all heads, those of
            // values, and inner units.
            "vit" => &[16, 4, 4, 4, 32, 4, 4, 4, 32],
            // One hidden state, by whatever gate.
            "gru" => &[24],
            // Channels down, the code, channels up.
            "autoencoder" => &[8, 4, 8, 4, 8],
            other => panic!("no groups by hand for {other}"),
        };
        assert_eq!(units(&found), by_hand, "{case}");
        if N::FIXTURE == "resnet8" {
            for (group, mut by_hand) in found.groups.iter().zip(of_resnet()) {
                let places = group.places.iter();
                let mut places: Vec<_> = places
                    .map(|place| (place.path.clone(), place.axis))
                    .collect();
                places.sort();
                by_hand.sort();
                assert_eq!(places, by_hand, "{case}");
            }
        }
        self.visited += 1;
    }
}

#[test]
fn groups_of_the_networks_are_those_by_hand_and_change_no_output() {
    let mut by_hand = ByHand::default();
    for_each_network(&mut by_hand);
    assert_eq!(by_hand.visited, 12);
}
