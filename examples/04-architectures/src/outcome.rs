//! What is measured of a trained network.

use anyhow::Result;
use burn::tensor::Device;
use datasets::{ImageDataset, batch};
use landscape::{
    Grid, ParameterSpace, Risk, Statistics, Surface, filter_normalize, plane, random_directions,
};

use crate::network::Network;
use crate::training::{Batch, loss};

/// A trained network's figures.
pub struct Outcome {
    /// The loss over all training images, in nats.
    pub training_loss: f64,
    /// The share of the validation images that are classified rightly.
    pub validation_accuracy: f64,
    /// The loss on the plane of two filter-normalised random directions, over the images of the
    /// surface.
    pub surface: Surface,
}

/// Returns the risk of the first `count` images, in batches that suit convolutions.
///
/// # Errors
/// No image.
pub fn risk(data: &ImageDataset, count: usize, device: &Device) -> Result<Risk<Network, Batch>> {
    let first: Vec<usize> = (0..count.min(data.len())).collect();
    let batches = datasets::batches(&data.select(&first), 32, device)?;
    let pairs: Vec<Batch> = batches.into_iter().map(|batch| batch.into_pair()).collect();
    Ok(Risk::mean(pairs, loss))
}

/// Returns the surface of a trained network: the random numbers of its two directions depend on the
/// seed and the shapes alone, and each of its filters gets the norm of the network's.
///
/// BatchNorm normalises by `statistics`: by those that were kept from the training, or by those of
/// each batch at each point.
///
/// # Errors
/// A loss that cannot be evaluated.
pub fn surface(
    model: &Network,
    risk: &Risk<Network, Batch>,
    statistics: Statistics,
    grid: &Grid,
) -> Result<Surface> {
    let space = ParameterSpace::of(model)?;
    let [first, second] = random_directions(&space, 7);
    let first = filter_normalize(&space, model, first)?;
    let second = filter_normalize(&space, model, second)?;
    let risk = risk.clone().with_statistics(statistics);
    Ok(plane(model, &risk, [&first, &second], grid)?)
}

/// Returns the share of the plane's points where the loss is not at most `bound`; a loss that is
/// not finite is above every bound.
#[must_use]
pub fn share_above(surface: &Surface, bound: f64) -> f64 {
    let above = surface.loss.iter().filter(|loss| !(**loss <= bound));
    above.count() as f64 / surface.loss.len() as f64
}

/// Returns the loss in the middle of the plane, which is the network's own.
#[must_use]
pub fn centre(surface: &Surface) -> f64 {
    surface.at(surface.a.len() / 2, surface.b.len() / 2)
}

/// Returns the share of images that are classified rightly.
#[must_use]
pub fn accuracy(model: &Network, data: &ImageDataset, device: &Device) -> f64 {
    use burn::module::Module;
    let all: Vec<usize> = (0..data.len()).collect();
    let (images, labels) = batch(data, &all, device).into_pair();
    let plain = device.clone().without_autodiff();
    let scores = model.valid().forward(images.to_device(&plain));
    let right = scores
        .argmax(1)
        .reshape([-1])
        .equal(labels.to_device(&plain));
    right.int().sum().to_data().iter::<f64>().sum::<f64>() / data.len() as f64
}
