//! Trainings in which nothing is wrong.

use probes::diagnosis::Severity;

use super::Case;
use super::program::Network;

/// A network with its rate for each optimiser.
const NETWORKS: [&str; 5] = [
    "--model mlp --hidden 64,32",
    "--model mlp --hidden 128,64 --activation gelu",
    "--model residual-mlp --hidden 32,32",
    "--model cnn",
    "--model cnn-batch-norm",
];

/// Data, with batches such that an epoch has some twenty steps.
const DATA: [&str; 2] = [
    "--dataset digits --batch-size 50 --epochs 12",
    "--dataset mnist-subset --examples 1000 --batch-size 50 --epochs 6",
];

const OPTIMISERS: [(&str, &str); 4] = [
    ("gradient descent", "--momentum 0 --learning-rate 0.2"),
    ("momentum", "--momentum 0.9 --learning-rate 0.05"),
    ("Adam", "--optimiser adam --learning-rate 0.003"),
    (
        "SAM",
        "--method sam --rho 0.05 --momentum 0.9 --learning-rate 0.05",
    ),
];

/// The rates for the convolutional network with BatchNorm on MNIST. With those of the others its
/// loss jumped to more than twice that of guessing, with SAM for good, and a quarter of the rate
/// halves the validation loss: that was no healthy training.
const LOWER: [&str; 4] = [
    "--momentum 0 --learning-rate 0.05",
    "--momentum 0.9 --learning-rate 0.0125",
    "--optimiser adam --learning-rate 0.003",
    "--method sam --rho 0.05 --momentum 0.9 --learning-rate 0.0125",
];

/// Returns every optimiser on every network and both data sets, each with a seed of its own; a row
/// for each optimiser and data set, four cases in the small form.
pub(super) fn cases(small: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for ((name, optimiser), lower) in OPTIMISERS.into_iter().zip(LOWER) {
        for (data, dataset) in DATA.iter().zip(["digits", "MNIST"]) {
            for (index, network) in NETWORKS.iter().enumerate() {
                if small && (index > 0 || dataset != "digits") {
                    continue;
                }
                let seed = 100 + cases.len() as u64;
                let is_steep = dataset == "MNIST" && network.ends_with("batch-norm");
                let optimiser = if is_steep { lower } else { optimiser };
                cases.push(Case {
                    row: format!("healthy: {name}, {dataset}, network {}", index + 1),
                    network: Network::Other,
                    settings: format!("{data} {network} {optimiser}"),
                    seeds: vec![seed],
                    expected: &[],
                    least: Severity::Warning,
                    tried: false,
                    together: false,
                });
            }
        }
    }
    cases
}
