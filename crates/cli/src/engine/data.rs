//! The data of a training: training, validation and test images, and the fixed sample for curvature.

use burn::tensor::{Device, Int, Tensor};
use datasets::{Digits, ImageBatch, ImageDataset, Mnist, MnistSubset, Split, SplitConfig};

use crate::config::choice::Source;
use crate::config::plan::DatasetPlan;
use crate::results::summary::{DataChecksums, DataSizes};

/// Images in a batch of a measurement; a forward pass over it stays within a few hundred megabytes.
const MEASURED_AT_ONCE: usize = 1024;

/// A batch: images `[B, 1, H, W]` and labels `[B]`.
pub(crate) type Batch = (Tensor<4>, Tensor<1, Int>);

/// Loaded and divided images.
pub(crate) struct Data {
    /// For training.
    pub(crate) train: ImageDataset,
    validation: ImageDataset,
    test: ImageDataset,
    /// Training images of the curvature sample, in a fixed random order.
    sample: Vec<usize>,
    checksums: DataChecksums,
}

impl Data {
    /// Loads and divides a data set. The sample for curvature depends on the division alone, so that runs with
    /// different seeds are measured on the same images.
    ///
    /// # Errors
    ///
    /// When a file is missing or damaged.
    pub(crate) fn load(plan: &DatasetPlan, sample: usize) -> anyhow::Result<Self> {
        let seed = u64::from(plan.split_seed);
        let config = SplitConfig::new()
            .with_validation(plan.validation.get())
            .with_seed(seed);
        let Split {
            train,
            validation,
            test,
        } = match (plan.source, &plan.path) {
            (Source::Digits, _) => Digits::load()?.split(&config)?,
            (Source::MnistSubset, _) => MnistSubset::load()?.split(&config)?,
            (Source::MnistFolder, Some(path)) => {
                let classes = plan.classes.map_or(Mnist::CLASSES, |classes| classes.get());
                Mnist::from_folder_of(path, classes)?.split(&config)?
            }
            (Source::MnistFolder, None) => {
                anyhow::bail!("the source mnist-folder needs a `path`")
            }
        };
        let sample = datasets::fixed_sample(seed, sample, train.len());
        let checksums = DataChecksums {
            training: crc32c_of(&train),
            validation: crc32c_of(&validation),
            test: crc32c_of(&test),
        };
        Ok(Self {
            checksums,
            train,
            validation,
            test,
            sample,
        })
    }

    /// How many images each part has.
    pub(crate) fn sizes(&self) -> DataSizes {
        DataSizes {
            training: self.train.len(),
            validation: self.validation.len(),
            test: self.test.len(),
            crc32c: self.checksums,
        }
    }

    /// Checksums of each part, to tell whether two runs saw the same images.
    pub(crate) const fn checksums(&self) -> DataChecksums {
        self.checksums
    }

    /// How many images the sample for curvature has.
    pub(crate) fn curvature_examples(&self) -> usize {
        self.sample.len()
    }

    /// One training batch.
    pub(crate) fn batch(&self, indices: &[usize], device: &Device) -> Batch {
        pair(datasets::batch(&self.train, indices, device))
    }

    /// All training images.
    pub(crate) fn training_batches(&self, device: &Device) -> anyhow::Result<Vec<Batch>> {
        all(&self.train, device)
    }

    /// All validation images.
    pub(crate) fn validation_batches(&self, device: &Device) -> anyhow::Result<Vec<Batch>> {
        all(&self.validation, device)
    }

    /// All test images.
    pub(crate) fn test_batches(&self, device: &Device) -> anyhow::Result<Vec<Batch>> {
        all(&self.test, device)
    }

    /// The sample for curvature.
    pub(crate) fn curvature_batches(&self, device: &Device) -> anyhow::Result<Vec<Batch>> {
        all(&self.train.select(&self.sample), device)
    }
}

/// CRC-32C of the sizes, of all pixels and of all labels of some images, in their order.
fn crc32c_of(images: &ImageDataset) -> u32 {
    let mut checksum = 0;
    for size in [images.height, images.width, images.classes] {
        checksum = crc32c::crc32c_append(checksum, &(size as u64).to_le_bytes());
    }
    let mut bytes = Vec::new();
    for image in &images.images {
        bytes.clear();
        bytes.extend(image.pixels.iter().flat_map(|pixel| pixel.to_le_bytes()));
        bytes.push(image.label);
        checksum = crc32c::crc32c_append(checksum, &bytes);
    }
    checksum
}

fn all(images: &ImageDataset, device: &Device) -> anyhow::Result<Vec<Batch>> {
    let batches = datasets::batches(images, MEASURED_AT_ONCE, device)?;
    Ok(batches.into_iter().map(pair).collect())
}

fn pair(batch: ImageBatch) -> Batch {
    (batch.images, batch.labels)
}
