//! Images as tensors: one batch, and all the batches of a dataset.

use burn::data::dataloader::batcher::Batcher;
use burn::tensor::{DType, Device, Int, Tensor, TensorCreationOptions, TensorData};

use crate::{Error, Image, ImageDataset};

/// Images and their classes on a device.
#[derive(Clone, Debug)]
pub struct ImageBatch {
    /// Brightness in 0..=1, `[B, 1, H, W]`.
    pub images: Tensor<4>,
    /// Classes, `[B]`.
    pub labels: Tensor<1, Int>,
}

impl ImageBatch {
    /// Images `[B, 1, H, W]` and labels `[B]` as a pair, which is what losses are written over.
    #[must_use]
    pub fn into_pair(self) -> (Tensor<4>, Tensor<1, Int>) {
        (self.images, self.labels)
    }
}

/// Makes batches for a Burn data loader.
///
/// # Examples
/// ```
/// use burn::data::dataloader::DataLoaderBuilder;
/// use burn::tensor::Device;
/// use datasets::{Digits, ImageBatcher};
///
/// let digits = Digits::load()?.images;
/// let loader = DataLoaderBuilder::new(ImageBatcher::of(&digits))
///     .batch_size(64)
///     .set_device(Device::flex())
///     .build(digits);
/// let batch = loader.iter().next().unwrap()?;
/// assert_eq!(batch.images.dims(), [64, 1, 8, 8]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageBatcher {
    /// Rows of the images.
    pub height: usize,
    /// Columns of the images.
    pub width: usize,
    /// The float type of the images; `None` takes the device's own, which is f32 unless the device
    /// was told otherwise.
    pub dtype: Option<DType>,
}

impl ImageBatcher {
    /// A batcher for the images of `dataset`, in the device's own float type.
    #[must_use]
    pub fn of(dataset: &ImageDataset) -> Self {
        Self {
            height: dataset.height,
            width: dataset.width,
            dtype: None,
        }
    }

    /// The same batcher with images of the float type `dtype`, for instance `DType::F64`.
    #[must_use]
    pub fn with_dtype(self, dtype: DType) -> Self {
        Self {
            dtype: Some(dtype),
            ..self
        }
    }
}

impl Batcher<Image, ImageBatch> for ImageBatcher {
    /// # Panics
    /// If an image has not `height * width` pixels, or there is none.
    fn batch(&self, items: Vec<Image>, device: &Device) -> ImageBatch {
        let options = TensorCreationOptions {
            device: device.clone(),
            dtype: self.dtype,
        };
        stack(items.iter(), [self.height, self.width], &options)
    }
}

/// The images of `dataset` at `indices`, in that order, on a device.
///
/// `options` is `&device` for the device's own float type (f32 unless the device was told
/// otherwise), or `(&device, DType::F64)`. Labels have the device's own integer type.
///
/// # Panics
/// If `indices` is empty, an index is not smaller than the number of images, or the given type is
/// not a float.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use datasets::{Digits, batch, epoch_order};
///
/// let (digits, device) = (Digits::load()?.images, Device::flex());
/// for indices in epoch_order(7, 0, digits.len()).chunks(64) {
///     let batch = batch(&digits, indices, (&device, DType::F64));
///     assert_eq!(batch.images.dims(), [indices.len(), 1, 8, 8]);
/// }
/// # Ok::<(), datasets::Error>(())
/// ```
#[must_use]
pub fn batch(
    dataset: &ImageDataset,
    indices: &[usize],
    options: impl Into<TensorCreationOptions>,
) -> ImageBatch {
    let images = indices.iter().map(|&index| dataset.image(index));
    stack(images, [dataset.height, dataset.width], &options.into())
}

/// All images of `dataset` in their order, `size` to a batch; the last batch holds what is left.
///
/// For measuring, where every image counts once. When `size` does not divide the number of images,
/// a mean over the dataset weighs the batches by their sizes. `options` as in [`batch`].
///
/// # Errors
/// [`Error::BatchSize`] if `size` is 0, [`Error::Empty`] if the dataset holds no image.
///
/// # Panics
/// If the given type is not a float.
pub fn batches(
    dataset: &ImageDataset,
    size: usize,
    options: impl Into<TensorCreationOptions>,
) -> Result<Vec<ImageBatch>, Error> {
    if size == 0 {
        return Err(Error::BatchSize);
    }
    if dataset.is_empty() {
        return Err(Error::Empty { what: "a batch" });
    }
    let (shape, options) = ([dataset.height, dataset.width], options.into());
    Ok(dataset
        .images
        .chunks(size)
        .map(|images| stack(images.iter(), shape, &options))
        .collect())
}

fn stack<'a>(
    images: impl ExactSizeIterator<Item = &'a Image>,
    [height, width]: [usize; 2],
    options: &TensorCreationOptions,
) -> ImageBatch {
    let count = images.len();
    assert!(count > 0, "a batch of 0 images: choose at least 1");
    let mut pixels = Vec::with_capacity(count * height * width);
    let mut labels = Vec::with_capacity(count);
    for image in images {
        assert!(
            image.pixels.len() == height * width,
            "an image of {} pixels in a batch of {height} by {width}",
            image.pixels.len()
        );
        pixels.extend_from_slice(&image.pixels);
        labels.push(i64::from(image.label));
    }
    // The tensor is made in its own float type from the f32 values, so an f64 batch holds the very
    // same numbers.
    let images = Tensor::from_data(
        TensorData::new(pixels, [count, 1, height, width]),
        options.clone(),
    );
    let labels = Tensor::from_data(TensorData::new(labels, [count]), &options.device);
    ImageBatch { images, labels }
}
