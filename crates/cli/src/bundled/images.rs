//! Images and their labels, loaded and divided.

use datasets::{Digits, ImageDataset, Mnist, MnistSubset, Split, SplitConfig};

use crate::config::choice::Source;
use crate::config::subject::DatasetPlan;
use crate::config::variation::Alteration;
use crate::results::summary::{DataChecksums, DataSizes};
use crate::workload::Part;

/// The three parts of a data set.
pub(super) struct Images {
    training: ImageDataset,
    validation: ImageDataset,
    test: ImageDataset,
    sizes: DataSizes,
}

impl Images {
    /// Loads and divides a data set, and alters its training part.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub(super) fn load(plan: &DatasetPlan, alteration: &Alteration) -> anyhow::Result<Self> {
        let config = SplitConfig::new()
            .with_validation(plan.validation.get())
            .with_seed(u64::from(plan.split_seed));
        let Split {
            train: mut training,
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
        alter(&mut training, alteration, u64::from(plan.split_seed));
        let sizes = DataSizes {
            training: training.len(),
            validation: validation.len(),
            test: test.len(),
            crc32c: DataChecksums {
                training: crc32c_of(&training),
                validation: crc32c_of(&validation),
                test: crc32c_of(&test),
            },
        };
        Ok(Self {
            training,
            validation,
            test,
            sizes,
        })
    }

    /// Returns the images of a part.
    pub(super) const fn part(&self, part: Part) -> &ImageDataset {
        match part {
            Part::Training => &self.training,
            Part::Validation => &self.validation,
            Part::Test => &self.test,
        }
    }

    /// Returns the numbers of images, with checksums of their pixels and labels.
    pub(super) const fn sizes(&self) -> DataSizes {
        self.sizes
    }

    /// Returns the height and the width of each image, in pixels.
    pub(super) const fn size(&self) -> [usize; 2] {
        [self.training.height, self.training.width]
    }

    /// Returns the number of classes.
    pub(super) const fn classes(&self) -> usize {
        self.training.classes
    }
}

/// Keeps the first examples, as many as are asked for, and deals out the labels of a share of them
/// anew: the share is drawn from the seed of the split and so is the order in which it gets its
/// labels back, so that classes stay as frequent as they are, and some labels stay what they were.
fn alter(training: &mut ImageDataset, alteration: &Alteration, seed: u64) {
    if let Some(examples) = alteration.examples {
        training.images.truncate(examples.get());
    }
    let examples = training.len();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a number of examples"
    )]
    let count = (alteration.random_labels.get() * examples as f64).round() as usize;
    if count == 0 {
        return;
    }
    let chosen = datasets::fixed_sample(seed, count, examples);
    let labels: Vec<u8> = chosen.iter().map(|&i| training.images[i].label).collect();
    for (&to, from) in chosen.iter().zip(datasets::epoch_order(seed, 0, count)) {
        training.images[to].label = labels[from];
    }
}

/// Returns CRC-32C of the sizes, of all pixels and of all labels of some images, in their order.
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
