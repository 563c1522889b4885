//! MNIST: a bundled subset, and the whole of it from a folder.

use std::path::Path;

use crate::bundled::{
    MNIST_TEST_IMAGES, MNIST_TEST_LABELS, MNIST_TRAIN_IMAGES, MNIST_TRAIN_LABELS,
};
use crate::split::divide;
use crate::{Error, ImageDataset, Split, SplitConfig, idx};

/// The first 10,000 training and the first 2,000 test images of MNIST, compiled into the program.
#[derive(Clone, Copy, Debug)]
pub struct MnistSubset;

impl MnistSubset {
    /// Reads the bundled files: 38 MB of pixels once unpacked.
    ///
    /// # Errors
    /// [`Error::Checksum`] if the program was built with other files.
    ///
    /// # Examples
    /// ```
    /// let mnist = datasets::MnistSubset::load()?;
    /// assert_eq!([mnist.train.len(), mnist.test.len()], [10_000, 2_000]);
    /// # Ok::<(), datasets::Error>(())
    /// ```
    pub fn load() -> Result<Mnist, Error> {
        let [train, test] = [
            (MNIST_TRAIN_IMAGES, MNIST_TRAIN_LABELS),
            (MNIST_TEST_IMAGES, MNIST_TEST_LABELS),
        ]
        .map(|(images, labels)| {
            idx::dataset(
                (images.name, images.checked()?),
                (labels.name, labels.checked()?),
                Mnist::CLASSES,
            )
        });
        Ok(Mnist {
            train: train?,
            test: test?,
        })
    }
}

/// Handwritten digits of 28 by 28 pixels, scaled to 0..=1, in ten classes, with the published test
/// set.
///
/// # References
/// LeCun, Cortes, Burges: "The MNIST database of handwritten digits"; CC BY-SA 3.0.
#[derive(Clone, Debug)]
pub struct Mnist {
    /// The training images, in the published order.
    pub train: ImageDataset,
    /// The test images, in the published order.
    pub test: ImageDataset,
}

impl Mnist {
    /// The classes of MNIST.
    pub const CLASSES: usize = 10;

    /// Reads the four published files from `folder`: `train-images-idx3-ubyte`,
    /// `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, plain
    /// or with `.gz`, or with a dot before `idx`, as some tools unpack them. Sets of the same
    /// format (Fashion-MNIST, KMNIST) are read as well.
    ///
    /// # Errors
    /// A sentence that names the file: if it is missing, cannot be read, is not an idx file, is
    /// shorter or longer than its header says, or if images and labels, or training and test
    /// images, do not fit together.
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<Self, Error> {
        Self::from_folder_of(folder, Self::CLASSES)
    }

    /// As [`from_folder`](Self::from_folder), for a set of the same format with another number of
    /// classes: EMNIST's letters are labelled 1 to 26, so there are 27 classes, the first of
    /// them empty.
    ///
    /// # Errors
    /// As [`from_folder`](Self::from_folder); [`Error::Label`] for a label that is not one of the
    /// classes.
    pub fn from_folder_of(folder: impl AsRef<Path>, classes: usize) -> Result<Self, Error> {
        let folder = folder.as_ref();
        let part = |part: &str| {
            let (images, image_bytes) = read(folder, &format!("{part}-images"), "idx3-ubyte")?;
            let (labels, label_bytes) = read(folder, &format!("{part}-labels"), "idx1-ubyte")?;
            Ok((
                images.clone(),
                idx::dataset((&images, &image_bytes), (&labels, &label_bytes), classes)?,
            ))
        };
        let (train_file, train) = part("train")?;
        let (test_file, test) = part("t10k")?;
        if (train.height, train.width) != (test.height, test.width) {
            return Err(Error::Sizes {
                train_file,
                train: [train.height, train.width],
                test_file,
                test: [test.height, test.width],
            });
        }
        Ok(Self { train, test })
    }

    /// Holds out `config.validation` of the training images for validation; the test images stay as
    /// they are, and `config.test` is not read.
    ///
    /// # Errors
    /// [`Error::Fraction`] if the fraction is negative, not a number, or leaves nothing to train
    /// on.
    pub fn split(&self, config: &SplitConfig) -> Result<Split, Error> {
        let (train, [validation]) = divide(&self.train, [config.validation], config.seed)
            .ok_or_else(|| config.error(0.0))?;
        Ok(Split {
            train,
            validation,
            test: self.test.clone(),
        })
    }
}

/// The first of the accepted names that exists in `folder`: its path and its bytes.
fn read(folder: &Path, stem: &str, kind: &str) -> Result<(String, Vec<u8>), Error> {
    let names: Vec<String> = ["-", "."]
        .iter()
        .flat_map(|joint| ["", ".gz"].map(|ending| format!("{stem}{joint}{kind}{ending}")))
        .collect();
    let Some(path) = names
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
    else {
        return Err(Error::NotFound {
            folder: folder.to_owned(),
            names,
        });
    };
    let file = path.display().to_string();
    match std::fs::read(&path) {
        Ok(bytes) => Ok((file, bytes)),
        Err(source) => Err(Error::Read { file, source }),
    }
}
