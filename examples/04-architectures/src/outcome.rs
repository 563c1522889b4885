//! The figures of a trained network.

use anyhow::Result;
use burn::module::Module;
use burn::tensor::Device;
use datasets::{ImageDataset, Split, batch, batches};
use landscape::{
    Grid, ParameterSpace, Risk, Statistics, Surface, filter_normalize, plane, random_directions,
};

use crate::network::{Architecture, Network};
use crate::training::{BATCH_SIZE, Batch, loss, train};

/// The rise of the loss above the centre's, in nats, over which a point of a plane counts as high.
///
/// A difference and no multiple: networks that fit their data to different degrees have losses of
/// 1e-2 or 1e-4 in the centre, and five times either is nothing beside the 2.3 nats of a guess.
pub const RISE: f64 = 1.0;

/// The extent of training and surface.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Epochs of training.
    pub epochs: u64,
    /// Images on which the surface is measured.
    pub images: usize,
    /// Points of the surface along each direction, an odd number.
    pub points: usize,
    /// The half width of the plane, in multiples of each filter's norm.
    pub half_width: f64,
}

impl Plan {
    /// Returns the plan of the whole comparison, or of a short form of it.
    #[must_use]
    pub const fn new(small: bool) -> Self {
        if small {
            // Of networks that have hardly learned, so far out that some point is high.
            Self {
                epochs: 6,
                images: 64,
                points: 5,
                half_width: 1.0,
            }
        } else {
            Self {
                epochs: 20,
                images: 128,
                points: 15,
                half_width: 0.25,
            }
        }
    }
}

/// The figures of a trained network.
pub struct Outcome {
    /// The loss over all training images, in nats.
    pub loss: f64,
    /// The share of the validation images that are classified rightly.
    pub accuracy: f64,
    /// The surface with the running statistics kept from the training.
    pub kept: Surface,
    /// The surface with the statistics of each batch at each point, for a network with BatchNorm.
    pub batch: Option<Surface>,
}

/// Trains a network and measures its surface: the loss on the plane of two filter-normalised random
/// directions.
///
/// The random numbers of the directions are the same for all networks of one shape, the range for
/// all of them.
///
/// # Errors
/// Data or a loss that cannot be evaluated.
pub fn outcome(
    architecture: Architecture,
    seed: u64,
    split: &Split,
    plan: Plan,
    device: &Device,
) -> Result<Outcome> {
    let model = architecture.init(seed, device);
    let model = train(model, &split.train, plan.epochs, seed, device);

    let space = ParameterSpace::of(&model)?;
    let [first, second] = random_directions(&space, 7);
    let first = filter_normalize(&space, &model, first)?;
    let second = filter_normalize(&space, &model, second)?;
    let grid = Grid::square(-plan.half_width..=plan.half_width, plan.points);
    let images: Vec<usize> = (0..plan.images).collect();
    let risk = risk(&split.train.select(&images), device)?;
    let surface = |statistics| {
        let risk = risk.clone().with_statistics(statistics);
        plane(&model, &risk, [&first, &second], &grid)
    };
    let kept = surface(Statistics::Running)?;
    let batch = architecture
        .norm
        .then(|| surface(Statistics::Batch))
        .transpose()?;
    Ok(Outcome {
        loss: self::risk(&split.train, device)?.value(&model)?,
        accuracy: accuracy(&model, split, device),
        kept,
        batch,
    })
}

/// Returns the loss over some images, in the batches of the training.
fn risk(data: &ImageDataset, device: &Device) -> Result<Risk<Network, Batch>> {
    let batches = batches(data, BATCH_SIZE, device)?;
    let pairs: Vec<Batch> = batches.into_iter().map(|batch| batch.into_pair()).collect();
    Ok(Risk::mean(pairs, loss))
}

/// Returns the share of the plane's points whose loss is more than [`RISE`] above that of the
/// centre. A loss that is not finite is above every bound.
#[must_use]
pub fn share_above(surface: &Surface) -> f64 {
    let centre = surface.at(surface.a.len() / 2, surface.b.len() / 2);
    let below = surface.loss.iter().filter(|loss| **loss <= centre + RISE);
    1.0 - below.count() as f64 / surface.loss.len() as f64
}

/// Returns the share of the validation images that are classified rightly.
fn accuracy(model: &Network, split: &Split, device: &Device) -> f64 {
    let all: Vec<usize> = (0..split.validation.len()).collect();
    // Off the autodiff device, where BatchNorm uses its running statistics.
    let plain = device.clone().without_autodiff();
    let (images, labels) = batch(&split.validation, &all, &plain).into_pair();
    let chosen = model.valid().forward(images).argmax(1).reshape([-1]);
    let right = chosen.equal(labels).int().sum().into_data();
    right.iter::<f64>().sum::<f64>() / all.len() as f64
}

#[cfg(test)]
mod tests {
    use landscape::slice::Evaluation;

    use super::*;

    #[test]
    fn a_point_counts_where_its_loss_is_not_within_the_rise() {
        let surface = Surface {
            a: vec![-1.0, 0.0, 1.0],
            b: vec![0.0],
            // The centre, a nat above it, and nothing.
            loss: vec![1.5, 0.5, f64::NAN],
            evaluation: Evaluation::Captured,
        };
        assert_eq!(share_above(&surface), 1.0 - 2.0 / 3.0);
    }
}
