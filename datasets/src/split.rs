//! Dividing a dataset into training, validation and test images.

use burn::config::Config;

use crate::order::{Purpose, permutation};
use crate::{Error, ImageDataset};

/// The shares and the seed by which a dataset is divided.
#[derive(Config, Debug)]
pub struct SplitConfig {
    /// Fraction of the images held out for choosing between runs.
    #[config(default = 0.2)]
    pub validation: f64,
    /// Fraction of the images held out for the final measurement. Read only where the source
    /// publishes no test set of its own, which here is [`Digits`](crate::Digits).
    #[config(default = 0.2)]
    pub test: f64,
    /// Seed of the division. Runs that are compared should share it even when their training seeds
    /// differ: another division would hand one run the test images of another.
    #[config(default = 0)]
    pub seed: u64,
}

/// A divided dataset. The three parts have no image in common.
#[derive(Clone, Debug)]
pub struct Split {
    /// For training.
    pub train: ImageDataset,
    /// For choosing: learning rates, stopping, comparing runs.
    pub validation: ImageDataset,
    /// For one measurement at the end, after every choice is made.
    pub test: ImageDataset,
}

/// Divides `data` into a training part and parts of `fractions` of the images, each rounded to the
/// nearest whole image.
///
/// Within each part the images keep their order, so a part is a set and not an order.
pub(crate) fn divide<const N: usize>(
    data: &ImageDataset,
    fractions: [f64; N],
    seed: u64,
) -> Option<(ImageDataset, [ImageDataset; N])> {
    let n = data.len();
    let counts = fractions.map(|fraction| part(fraction, n));
    let held: usize = counts.iter().sum();
    // A comparison with NaN is false, so NaN is refused as well.
    let sound = fractions.iter().all(|f| *f >= 0.0) && fractions.iter().sum::<f64>() < 1.0;
    if !sound || held >= n {
        return None;
    }
    let order = permutation(seed, Purpose::Split, 0, n);
    let mut start = 0;
    let parts = counts.map(|count| {
        let chosen = sorted(&order[start..start + count]);
        start += count;
        data.select(&chosen)
    });
    Some((data.select(&sorted(&order[held..])), parts))
}

/// `fraction * n` to the nearest whole number; nonsense saturates and is refused by the caller.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and the caller checks the range"
)]
fn part(fraction: f64, n: usize) -> usize {
    ((fraction * n as f64).round() as usize).min(n)
}

fn sorted(indices: &[usize]) -> Vec<usize> {
    let mut sorted = indices.to_vec();
    sorted.sort_unstable();
    sorted
}

impl SplitConfig {
    /// The error that says what is wrong with this configuration.
    pub(crate) fn error(&self, test: f64) -> Error {
        Error::Fraction {
            validation: self.validation,
            test,
        }
    }
}
