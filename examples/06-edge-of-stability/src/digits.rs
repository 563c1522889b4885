//! The data: images of digits, and the unit vectors of their classes.

use anyhow::Result;
use burn::tensor::{Tensor, TensorCreationOptions, TensorData};
use datasets::{Digits, batch};

use crate::Batch;

/// Returns the first `count` digits.
pub(crate) fn first(count: usize, options: impl Into<TensorCreationOptions>) -> Result<Batch> {
    let options = options.into();
    let data = Digits::load()?.images;
    let count = count.min(data.len());
    let indices: Vec<usize> = (0..count).collect();
    let images = batch(&data, &indices, options.clone()).images;
    let classes = data.images[..count].iter().map(|image| image.label);
    let unit = |class: u8| (0..10).map(move |other| f64::from(u8::from(class == other)));
    let targets: Vec<f64> = classes.flat_map(unit).collect();
    Ok((
        images.reshape([count, 64]),
        Tensor::from_data(TensorData::new(targets, [count, 10]), options),
    ))
}
